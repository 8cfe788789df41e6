using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Losses;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Trains caption encoder and U-Net to draw the world's pictures.</summary>
/// <remarks>
/// Velocity prediction (Salimans and Ho 2022); time steps mostly from a logit-normal distribution (Esser et al. 2024, section
/// 3.1), the rest from all alike, spread evenly over every batch; captions dropped now and then for classifier-free guidance (Ho
/// and Salimans 2021); running average of the weights; word embeddings learn ten times as fast as the rest. Latents and tokens
/// are computed once; a step touches no disk and reads nothing back.
/// </remarks>
public sealed class PictureTrainer
{
    private const double CaptionDropout = 0.1;

    private readonly PictureAtlas _atlas;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="atlas">The drawings.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: <c>unet/</c>, <c>text_encoder/</c>, <c>tokenizer/</c>, <c>scheduler/</c>, sheets.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public PictureTrainer(
        PictureAtlas atlas, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        _atlas = atlas;
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>Folder of the trained autoencoder, in diffusers layout.</summary>
    public required string Autoencoder { get; init; }

    /// <summary>The numbers of the U-Net; the embedded model's unless set.</summary>
    public UNet2DConditionConfig UNet { get; init; } = MiniPictures.UNet;

    /// <summary>The numbers of the caption encoder for a tokenizer; the embedded model's unless set.</summary>
    public Func<ClipTokenizer, ClipTextEncoderConfig> TextEncoder { get; init; } = MiniPictures.TextEncoder;

    /// <summary>Type of the weights while training; float32 on CPUs, bfloat16 on GPUs that have it. Averages are float32 always.</summary>
    public ScalarType Precision { get; init; } = ScalarType.Float32;

    /// <summary>Scenes per drawing besides the plain one.</summary>
    public int Variants { get; init; } = 8;

    /// <summary>Captions per scene.</summary>
    public int Wordings { get; init; } = 6;

    /// <summary>Share of the old running average that is kept per step.</summary>
    public double AverageDecay { get; init; } = 0.999;

    /// <summary>Drawings per sheet and per judgement of a preview; 0 makes no previews.</summary>
    public int PreviewCount { get; init; } = 64;

    /// <summary>Trains and writes the networks.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    public void Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var renderer = new SceneRenderer(_atlas, _device);
        using var autoencoder = AutoencoderKL.Load(Autoencoder, _device);
        var scenes = new SceneComposer(_atlas).Compose(Variants, Wordings, _schedule.Seed);
        var tokenizer = CaptionVocabulary.Learn(scenes.SelectMany(scene => scene.Captions), MiniPictures.VocabularySize);
        tokenizer.Save(Path.Combine(_folder, "tokenizer"));
        _journal.Say($"{scenes.Count} scenes composed, {tokenizer.VocabularySize} tokens.");
        using var cache = new LatentCache(
            scenes, () => LatentCache.Encode(scenes, renderer, autoencoder, Path.Combine(_folder, "latents.safetensors"), Key(), _device),
            tokenizer, _device, Precision);
        _journal.Say($"{cache.Count} latents on {_device}.");

        using var networks = new PictureNetworks(UNet, TextEncoder(tokenizer), _device, Precision, _schedule.Seed);
        using var optimiser = new FlatAdamW(
            networks.NamedParameters(), new FlatAdamWOptions { AverageDecay = AverageDecay },
            name => name.Contains("token_embedding", StringComparison.Ordinal) ? 10 : 1);
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        using var signal = new NoiseSchedule(MiniPictures.Scheduler).SignalTable(_device).DetachFromDisposeScope();
        using var empty = tensor(tokenizer.Encode(string.Empty, MiniPictures.CaptionTokens)).unsqueeze(0).to(_device).DetachFromDisposeScope();
        using var judge = new PictureJudge(_atlas, renderer, _device);
        var preview = new PicturePreview(_atlas, networks, autoencoder, tokenizer, judge, _device, _folder, _journal);
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"U-Net {networks.UNet.parameters().Sum(weight => weight.numel()) / 1e6:0.0} M, caption encoder "
            + $"{networks.TextEncoder.parameters().Sum(weight => weight.numel()) / 1e6:0.0} M weights, {Precision}, batch {_schedule.BatchSize}."));
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(networks, cache, signal, empty, random);
            },
            PreviewCount == 0 ? null : step =>
            {
                using var average = optimiser.UseAverage();
                Save(networks);
                preview.Show(step, PreviewCount, cancellationToken);
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Save(networks);
        }
    }

    private Tensor Loss(PictureNetworks networks, LatentCache cache, Tensor signal, Tensor empty, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = _schedule.BatchSize;
        var (latents, tokens) = cache.Draw(batch, random);
        tokens = where(random.Uniform(batch, 1) < CaptionDropout, empty, tokens);

        var (noisy, times, target) = NoisyLatents.Draw(latents, signal, random);

        var context = networks.TextEncoder.call(tokens);   // [batch, seq, hidden]
        var prediction = networks.UNet.call(noisy.to(Precision), times, context, null).to(ScalarType.Float32);
        return (prediction - target).square().mean().MoveToOuterDisposeScope();
    }

    // What the kept latents depend on: the drawings, how scenes are made of them, and the autoencoder's weights.
    private string Key()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_atlas.Pixels);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { _atlas.Pictures, Variants, Wordings, _schedule.Seed, Scenes = SceneComposer.Rules }));
        foreach (var file in Directory.GetFiles(Autoencoder).Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void Save(PictureNetworks networks)
    {
        networks.UNet.Config.Save(Prepare("unet", "config.json"));
        NetworkFiles.SaveWeights(networks.UNet, Prepare("unet", "diffusion_pytorch_model.safetensors"));
        networks.TextEncoder.Config.Save(Prepare("text_encoder", "config.json"));
        NetworkFiles.SaveWeights(networks.TextEncoder, Prepare("text_encoder", "model.safetensors"));
        MiniPictures.Scheduler.Save(Prepare("scheduler", "scheduler_config.json"));
    }

    private string Prepare(string folder, string file)
    {
        Directory.CreateDirectory(Path.Combine(_folder, folder));
        return Path.Combine(_folder, folder, file);
    }
}
