using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Losses;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>Trains caption encoder and U-Net to make the world's sounds, and writes a whole AudioLDM folder.</summary>
/// <remarks>
/// As <see cref="PictureTrainer"/>, with AudioLDM's conditioning (Liu et al. 2023, section 3.1): one vector of length one, added
/// to the time's. It stays the caption's here, as the world has a caption for every sound and no pretrained CLAP. Latents and
/// tokens are computed once; a step touches no disk and reads nothing back.
/// </remarks>
public sealed class SoundTrainer
{
    private const double CaptionDropout = 0.1;

    private readonly WorldData _world;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="world">The recordings.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: an AudioLDM folder in diffusers layout, sounds and sheets, checkpoint, journal.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public SoundTrainer(WorldData world, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        _world = world;
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>Folder of the trained autoencoder of spectrograms, in diffusers layout.</summary>
    public required string Autoencoder { get; init; }

    /// <summary>Folder of the trained vocoder, in transformers layout.</summary>
    public required string Vocoder { get; init; }

    /// <summary>The numbers of the U-Net; the embedded model's unless set.</summary>
    public UNet2DConditionConfig UNet { get; init; } = MiniSounds.UNet;

    /// <summary>The numbers of the caption encoder for a number of tokens; the embedded model's unless set.</summary>
    public Func<int, ClapTextEncoderConfig> TextEncoder { get; init; } = MiniSounds.TextEncoder;

    /// <summary>Type of the weights while training; float32 on CPUs, bfloat16 on GPUs that have it. Averages are float32 always.</summary>
    public ScalarType Precision { get; init; } = ScalarType.Float32;

    /// <summary>Variations per recording that no caption names.</summary>
    public int Variants { get; init; } = 8;

    /// <summary>Share of the old running average that is kept per step.</summary>
    public double AverageDecay { get; init; } = 0.999;

    /// <summary>Sounds per judgement of a preview; 0 makes no previews.</summary>
    public int PreviewCount { get; init; } = 64;

    /// <summary>Trains and writes the networks.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    public void Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var mel = new MelSpectrogram(_device);
        using var autoencoder = AutoencoderKL.Load(Autoencoder, _device);
        using var vocoder = HifiGan.Load(Vocoder, _device);
        var studio = new WorldStudio(_world);
        var scenes = SoundComposer.Compose(_world, Variants, _schedule.Seed);
        var (tokenizer, vocabulary) = SoundVocabulary.Learn(
            scenes.SelectMany(scene => scene.Captions), MiniSounds.VocabularySize, Path.Combine(_folder, "tokenizer"));
        _journal.Say($"{scenes.Count} sounds composed, {vocabulary} tokens.");
        using var cache = new LatentCache(
            [.. scenes.Select(scene => scene.Weight)], [.. scenes.SelectMany(scene => scene.Captions).Select(text => Ids(tokenizer, text))],
            () => Latents(scenes, studio, mel, autoencoder), _device, Precision);
        _journal.Say($"{cache.Count} latents on {_device}.");

        using var networks = new SoundNetworks(UNet, TextEncoder(vocabulary), _device, Precision, _schedule.Seed);
        using var optimiser = new FlatAdamW(
            networks.NamedParameters(), new FlatAdamWOptions { AverageDecay = AverageDecay },
            name => name.Contains("word_embeddings", StringComparison.Ordinal) ? 10 : 1);
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        Tensor Tokens(IReadOnlyList<string> texts) =>
            tensor(texts.SelectMany(text => Ids(tokenizer, text)).ToArray(), [texts.Count, MiniSounds.CaptionTokens]).to(_device);
        using var signal = new NoiseSchedule(MiniSounds.Scheduler).SignalTable(_device).DetachFromDisposeScope();
        using var empty = Tokens([string.Empty]).DetachFromDisposeScope();
        var (seen, unseen) = Asked();
        using var judge = new SoundJudge(studio, [.. seen, .. unseen], mel, _device);
        var preview = new SoundPreview(
            networks, autoencoder, vocoder, Tokens, judge, Mixed(seen), unseen, _device, _folder, _journal);
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

    private static long[] Ids(ClapTokenizer tokenizer, string text)
    {
        var row = new long[MiniSounds.CaptionTokens];
        Array.Fill(row, tokenizer.PadToken);
        var ids = tokenizer.Encode(text);
        for (var at = 0; at < ids.Count; at++)
        {
            row[at] = ids[at];
        }

        return row;
    }

    private (WorldRow[] Seen, WorldRow[] Unseen) Asked()
    {
        var sounds = _world.Of(WorldKind.Sound).ToList();
        return ([.. sounds.Where(row => row.IsForTraining)], [.. sounds.Where(row => row.Split == "test_pair")]);
    }

    private static WorldRow[] Mixed(WorldRow[] rows)
    {
        WorldRow[] mixed = [.. rows];
        new Random(7).Shuffle(mixed);
        return mixed;
    }

    private Tensor Latents(IReadOnlyList<SoundScene> scenes, WorldStudio studio, MelSpectrogram mel, AutoencoderKL autoencoder)
    {
        var renderer = new SoundRenderer(studio);
        return LatentCache.Keep(
            Path.Combine(_folder, "latents.safetensors"), Key(),
            scenes.Chunk(16).Select<SoundScene[], Func<Tensor>>(chunk => () =>
            {
                var samples = chunk.AsParallel().AsOrdered().SelectMany(renderer.Render).ToArray();
                var spectrogram = mel.Of(tensor(samples, [chunk.Length, MiniSounds.Samples]).clone().to(_device)).unsqueeze(1);
                return autoencoder.Encode(spectrogram).Mean * autoencoder.Config.ScalingFactor;
            }));
    }

    private Tensor Loss(SoundNetworks networks, LatentCache cache, Tensor signal, Tensor empty, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var (latents, tokens) = cache.Draw(_schedule.BatchSize, random);
        tokens = where(random.Uniform(_schedule.BatchSize, 1) < CaptionDropout, empty, tokens);
        var (noisy, times, target) = NoisyLatents.Draw(latents, signal, random);
        var condition = networks.Condition(tokens);   // [batch, classSize]
        var prediction = networks.UNet.call(noisy.to(Precision), times, null, condition).to(ScalarType.Float32);
        return (prediction - target).square().mean().MoveToOuterDisposeScope();
    }

    // What the kept latents depend on: the recordings, how sounds are composed of them, and the autoencoder's weights.
    private string Key()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rows = _world.Of(WorldKind.Sound).Where(row => row.IsForTraining).ToList();
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { rows, Variants, _schedule.Seed, SoundComposer.Rules }));
        var recordings = rows.Select(row => Path.Combine(_world.Folder, row.Path ?? string.Empty));
        foreach (var file in recordings.Concat(Directory.GetFiles(Autoencoder).Order(StringComparer.Ordinal)))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void Save(SoundNetworks networks)
    {
        networks.UNet.Save(Path.Combine(_folder, "unet"));
        networks.TextEncoder.Save(Path.Combine(_folder, "text_encoder"));
        Directory.CreateDirectory(Path.Combine(_folder, "scheduler"));
        MiniSounds.Scheduler.Save(Path.Combine(_folder, "scheduler", "scheduler_config.json"));
        Copy(Autoencoder, "vae");
        Copy(Vocoder, "vocoder");
        File.WriteAllText(Path.Combine(_folder, "model_index.json"), """{"_class_name": "AudioLDMPipeline"}""" + "\n");
    }

    private void Copy(string from, string name)
    {
        var to = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        if (Path.GetFullPath(from) == to)
        {
            return;   // trained into the same folder
        }

        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }
}
