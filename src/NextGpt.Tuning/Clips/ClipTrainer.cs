using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Losses;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Clips;

/// <summary>Teaches a trained decoder for pictures to move them.</summary>
/// <remarks>
/// As pictures are trained (<see cref="PictureTrainer"/>): velocity prediction, bell-shaped time steps spread evenly over a batch,
/// captions dropped now and then, a running average. The layers within frames are those of the picture network and learn more slowly
/// than the new ones over frames (Blattmann et al. 2023, section 3.1); the caption encoder learns the words of motion, which pictures
/// do not have. Steps are noisier than for pictures, because sixteen frames show the same thing (Hoogeboom et al. 2023, section 2).
/// </remarks>
public sealed class ClipTrainer
{
    private const double CaptionDropout = 0.1;
    private const double TimeMedian = 0.64;
    private const double SlowRate = 0.3;
    private const double WordRate = 5;

    private readonly WorldData _world;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="world">The drawings and animations.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: a folder in diffusers layout, checkpoint, journal, sheets.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public ClipTrainer(
        WorldData world, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        _world = world;
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>Folder of the trained autoencoder, in diffusers layout.</summary>
    public required string Autoencoder { get; init; }

    /// <summary>Folder with <c>unet</c>, <c>text_encoder</c> and <c>tokenizer</c> of the trained decoder for pictures.</summary>
    public required string Pictures { get; init; }

    /// <summary>Type of the weights while training; float32 on CPUs, bfloat16 on GPUs that have it. Averages are float32 always.</summary>
    public ScalarType Precision { get; init; } = ScalarType.Float32;

    /// <summary>Drawings that are moved; the animations come on top. A clip takes 32 KB of memory in the embedded model's size.</summary>
    public int Count { get; init; } = 10_000;

    /// <summary>Captions per clip.</summary>
    public int Wordings { get; init; } = 6;

    /// <summary>Share of the old running average that is kept per step.</summary>
    public double AverageDecay { get; init; } = 0.999;

    /// <summary>Clips per preview; 0 makes none.</summary>
    public int PreviewCount { get; init; } = 14;

    /// <summary>Trains and writes the networks; the folder is then one that <c>DiffusionDecoder.Load</c> opens.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <exception cref="InvalidDataException">The decoder for pictures cannot become one for clips, or a file of the world is broken.</exception>
    public void Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var autoencoder = AutoencoderKL.Load(Autoencoder, _device);
        using var networks = new ClipNetworks(Pictures, _device, Precision, _schedule.Seed);
        var tokenizer = ClipTokenizer.Load(Path.Combine(Pictures, "tokenizer"));
        var scenes = ClipScene.Compose(_world, Count, Wordings, _schedule.Seed);
        if (scenes.Count == 0)
        {
            throw new InvalidDataException($"{_world.Folder} has no drawing and no animation that may be trained on.");
        }

        _journal.Say($"{scenes.Count} clips composed, {scenes.Count(scene => scene.Recipe.Motion is null)} of them animations.");
        var length = networks.TextEncoder.Config.MaxTokens;
        using var cache = new ClipCache(
            scenes,
            () => ClipCache.Encode(
                scenes, new WorldStudio(_world), autoencoder, Path.Combine(_folder, "latents.safetensors"), Key(), _device,
                done => _journal.Say($"{done} clips encoded"), cancellationToken),
            tokenizer, length, _device);
        using var optimiser = new FlatAdamW(networks.NamedParameters(), new FlatAdamWOptions { AverageDecay = AverageDecay }, RateOf);
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        using var signal = new NoiseSchedule(MiniPictures.Scheduler).SignalTable(_device).DetachFromDisposeScope();
        using var empty = tensor(tokenizer.Encode(string.Empty, length)).unsqueeze(0).to(_device).DetachFromDisposeScope();
        var preview = new ClipPreview(networks, autoencoder, tokenizer, _device, _folder);
        var weights = networks.UNet.named_parameters().ToLookup(
            entry => ClipNetworks.IsOverFrames(entry.name), entry => entry.parameter.numel());
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"U-Net {weights[false].Sum() / 1e6:0.0} M weights within frames, {weights[true].Sum() / 1e6:0.0} M over frames; {cache.Count} clips on "
            + $"{_device}, {Precision}, batch {_schedule.BatchSize}."));
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(networks, cache, signal, empty, random);
            },
            PreviewCount == 0 ? null : step =>
            {
                using var average = optimiser.UseAverage();
                Save(networks, tokenizer);
                preview.Show(step, PreviewCount, cancellationToken);
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Save(networks, tokenizer);
        }
    }

    // New layers learn fastest but for the word embeddings, of which a step touches few.
    private static double RateOf(string name) =>
        name.Contains("token_embedding", StringComparison.Ordinal) ? WordRate : ClipNetworks.IsOverFrames(name) ? 1 : SlowRate;

    private Tensor Loss(ClipNetworks networks, ClipCache cache, Tensor signal, Tensor empty, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = _schedule.BatchSize;
        var (latents, tokens) = cache.Draw(batch, random);   // [batch, latent, frames, height, width], [batch, seq]
        tokens = where(random.Uniform(batch, 1) < CaptionDropout, empty, tokens);
        var (noisy, times, target) = NoisyLatents.Draw(latents, signal, random, TimeMedian);

        var context = networks.TextEncoder.call(tokens);   // [batch, seq, hidden]
        var prediction = networks.UNet.call(noisy.to(Precision), times, context).to(ScalarType.Float32);
        return (prediction - target).square().mean().MoveToOuterDisposeScope();
    }

    // What the kept latents depend on: the drawings, how clips are made of them, and the autoencoder's weights.
    private string Key()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { _world.Rows, Count, Wordings, _schedule.Seed, ClipScene.Rules }));
        foreach (var file in Directory.GetFiles(Autoencoder).Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void Save(ClipNetworks networks, ClipTokenizer tokenizer)
    {
        networks.UNet.Save(Path.Combine(_folder, "unet"), SafetensorsType.F16);
        networks.TextEncoder.Save(Path.Combine(_folder, "text_encoder"), SafetensorsType.F16);
        tokenizer.Save(Path.Combine(_folder, "tokenizer"));
        Directory.CreateDirectory(Path.Combine(_folder, "scheduler"));
        MiniPictures.Scheduler.Save(Path.Combine(_folder, "scheduler", "scheduler_config.json"));
        var vae = Directory.CreateDirectory(Path.Combine(_folder, "vae")).FullName;
        foreach (var file in Directory.GetFiles(Autoencoder))
        {
            File.Copy(file, Path.Combine(vae, Path.GetFileName(file)), overwrite: true);
        }
    }
}
