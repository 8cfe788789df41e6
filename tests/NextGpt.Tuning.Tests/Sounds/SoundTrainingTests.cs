using Microsoft.Extensions.Time.Testing;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Sounds;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Sounds;

/// <summary>The whole path at toy size: autoencoder, vocoder, latents, U-Net and caption encoder, on the fixture world's sounds.</summary>
public sealed class SoundTrainingTests : IDisposable
{
    private static readonly AutoencoderKLConfig TinyAutoencoder =
        MiniSounds.Autoencoder with { LevelChannels = [4, 4, 8, 8, 8], LatentChannels = 4, NormGroups = 2 };

    private static readonly HifiGanConfig TinyVocoder = MiniSounds.Vocoder with
    {
        InitialChannels = 16,
        UpsampleRates = [10, 16],
        UpsampleKernels = [20, 32],
        ResidualKernels = [3],
        ResidualDilations = [[1, 3]],
    };

    private static readonly UNet2DConditionConfig TinyUNet = MiniSounds.UNet with
    {
        InputChannels = 4,
        OutputChannels = 4,
        LevelChannels = [16, 16],
        Heads = [2, 2],
        ContextSizes = [16, 16],
        ClassSize = 16,
        NormGroups = 8,
    };

    private static readonly Func<int, ClapTextEncoderConfig> TinyTextEncoder = vocabulary => MiniSounds.TextEncoder(vocabulary) with
    {
        HiddenSize = 16,
        IntermediateSize = 32,
        Layers = 1,
        Heads = 2,
        ProjectionSize = 16,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-sounds-").FullName;

    [Fact]
    public void An_autoencoder_learns_spectrograms_and_writes_a_folder_of_even_latents()
    {
        TrainAutoencoder(_folder, 40);

        Falls(_folder);
        using var loaded = AutoencoderKL.Load(Path.Combine(_folder, "vae"));
        Assert.Equal(16, loaded.Config.Downscale);
        Assert.True(File.Exists(Path.Combine(_folder, "autoencoder.png")));
    }

    [Fact]
    public void A_vocoder_learns_to_speak_and_is_compared_with_an_algorithm()
    {
        var score = TrainVocoder(_folder, 40);

        Falls(_folder);
        Assert.InRange(score.GriffinLim, 0.01, 3);
        Assert.InRange(score.Vocoder, 0.01, 10);
        Assert.InRange(score.Polished, 0.01, score.Vocoder);   // rounds that keep the bands come nearer than forty steps of learning
        using var loaded = HifiGan.Load(Path.Combine(_folder, "vocoder"));
        Assert.Equal(MelSpectrogram.Hop, loaded.Config.HopSamples);
        Assert.Equal(2, loaded.Config.PolishRounds);   // a third of eight rounds: told by what was measured
    }

    [Fact]
    public void A_U_Net_learns_sounds_and_the_normal_decoder_loads_what_was_written_and_sounds_the_same_twice()
    {
        Prepare();
        var folder = TrainSounds("learn", 60, resume: false);

        Falls(folder);
        using var decoder = DiffusionDecoder.Load(folder);
        Assert.Equal(MediaKind.Audio, decoder.Kind);
        Assert.True(decoder.ReadsText);
        Assert.Equal(SamplerKind.DpmSolver, decoder.Scheduler.Kind);
        using var scope = NewDisposeScope();
        using var condition = decoder.Encode(["a dog barking"]);
        var options = new RenderOptions { Seeds = [5], Steps = 4, Guidance = 3, Seconds = MiniSounds.Seconds };
        var first = Assert.IsType<AudioClip>(Assert.Single(decoder.Render(condition, null, options)));
        var second = Assert.IsType<AudioClip>(Assert.Single(decoder.Render(condition, null, options)));
        Assert.Equal(MiniSounds.Samples, first.Length);
        Assert.Equal(MelSpectrogram.SampleRateHz, first.SampleRateHz);
        Assert.Equal(first.Channels[0], second.Channels[0]);
        Assert.NotEqual(0, first.Channels[0].Max(MathF.Abs));
        Assert.All(first.Channels[0], sample => Assert.InRange(sample, -1, 1));
        AssertPolished(folder);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        Prepare();
        var whole = TrainSounds("whole", 8, resume: false);
        TrainSounds("broken", 8, resume: false, stopAfter: 5);
        var broken = TrainSounds("broken", 8, resume: true);
        SameCheckpoints(whole, broken);

        var (one, other) = (Path.Combine(_folder, "vocoder-whole"), Path.Combine(_folder, "vocoder-broken"));
        TrainVocoder(one, 8);
        TrainVocoder(other, 8, stopAfter: 5);
        TrainVocoder(other, 8, resume: true);
        SameCheckpoints(one, other);
    }

    [Fact]
    public void Training_longer_keeps_no_more_tensors_alive()
    {
        Prepare();
        TrainSounds("warm", 2, resume: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainSounds("short", 3, resume: false);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainSounds("long", 12, resume: false);
        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);

        before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainVocoder(Path.Combine(_folder, "v1"), 2);
        TrainAutoencoder(Path.Combine(_folder, "a1"), 2);
        afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainVocoder(Path.Combine(_folder, "v2"), 6);
        TrainAutoencoder(Path.Combine(_folder, "a2"), 6);
        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    // The same latent spoken without the rounds is another sound: the folder's setting reaches the pipeline.
    private static void AssertPolished(string folder)
    {
        using var scope = NewDisposeScope();
        using var unet = UNet2DCondition.Load(Path.Combine(folder, "unet"));
        using var autoencoder = AutoencoderKL.Load(Path.Combine(folder, "vae"));
        using var polished = HifiGan.Load(Path.Combine(folder, "vocoder"));
        polished.Config.Save(Path.Combine(folder, "kept.json"));
        (polished.Config with { PolishRounds = 0 }).Save(Path.Combine(folder, "vocoder", "config.json"));
        using var plain = HifiGan.Load(Path.Combine(folder, "vocoder"));
        var bands = full(1, 1, 32, 64, -4f);
        var (with, without) = (
            new AudioLdmPipeline(unet, autoencoder, polished, MiniSounds.Scheduler).Speak(bands, 0.3),
            new AudioLdmPipeline(unet, autoencoder, plain, MiniSounds.Scheduler).Speak(bands, 0.3));
        Assert.Equal(without.shape, with.shape);
        Assert.NotEqual(without.data<float>().ToArray(), with.data<float>().ToArray());
        File.WriteAllText(
            Path.Combine(folder, "vocoder", "config.json"),
            File.ReadAllText(Path.Combine(folder, "kept.json")).Replace("16000", "22050", StringComparison.Ordinal));
        Assert.Contains("griffin_lim_rounds", Assert.Throws<InvalidDataException>(() => HifiGan.Load(Path.Combine(folder, "vocoder"))).Message, StringComparison.Ordinal);
    }

    private void Prepare()
    {
        TrainAutoencoder(_folder, 2);
        File.Delete(Path.Combine(_folder, "checkpoint.safetensors"));
        TrainVocoder(_folder, 2);
    }

    private static TrainingSchedule Schedule(int steps, int batch) => new()
    {
        BatchSize = batch,
        LearningRate = 3e-3,
        WarmUpSteps = 5,
        TotalSteps = steps,
        JournalEvery = 5,
        CheckpointEvery = TimeSpan.FromDays(1),
        PreviewEvery = TimeSpan.FromDays(1),
        Seed = 3,
    };

    private static void Falls(string folder)
    {
        var losses = File.ReadLines(Path.Combine(folder, "progress.jsonl"))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss).ToList();
        Assert.True(losses[^1] < 0.85 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
    }

    private static void SameCheckpoints(string one, string other)
    {
        using var whole = SafetensorsFile.Open(Path.Combine(one, "checkpoint.safetensors"));
        using var broken = SafetensorsFile.Open(Path.Combine(other, "checkpoint.safetensors"));
        Assert.Equal("8", broken.Metadata["optimiser.steps"]);
        foreach (var (name, info) in whole.Tensors)
        {
            var (first, second) = (new float[info.Count], new float[info.Count]);
            whole.Read(name, first);
            broken.Read(name, second);
            Assert.True(first.AsSpan().SequenceEqual(second), name);
        }
    }

    private static double TrainAutoencoder(string folder, int steps) =>
        new SoundAutoencoderTrainer(FixtureFolder.World, Schedule(steps, 4), CPU, folder, TextWriter.Null, new FakeTimeProvider())
        {
            Network = TinyAutoencoder,
            WindowFrames = 32,
        }.Train(false);

    private VocoderScore TrainVocoder(string folder, int steps, bool resume = false, int? stopAfter = null)
    {
        var restores = Path.Combine(_folder, "vae");
        return Stopped(stopAfter, (output, stop) => new VocoderTrainer(
            FixtureFolder.World, Schedule(steps, 2), CPU, folder, output, new FakeTimeProvider())
        {
            Network = TinyVocoder,
            Autoencoder = Directory.Exists(restores) ? restores : null,
            WindowFrames = 16,
            GriffinLimRounds = 8,
        }.Train(resume, stop)) ?? new VocoderScore(0, 0, 0, 0, 0, 0);
    }

    private string TrainSounds(string name, int steps, bool resume, int? stopAfter = null)
    {
        var folder = Path.Combine(_folder, name);
        Stopped<object>(stopAfter, (output, stop) =>
        {
            new SoundTrainer(FixtureFolder.World, Schedule(steps, 4), CPU, folder, output, new FakeTimeProvider())
            {
                Autoencoder = Path.Combine(_folder, "vae"),
                Vocoder = Path.Combine(_folder, "vocoder"),
                UNet = TinyUNet,
                TextEncoder = TinyTextEncoder,
                Variants = 1,
                PreviewCount = 0,
            }.Train(resume, stop);
            return null;
        });
        return folder;
    }

    private static T? Stopped<T>(int? stopAfter, Func<TextWriter, CancellationToken, T?> train)
        where T : class
    {
        using var stop = new CancellationTokenSource();
        using var output = new StopAtStep(stop, stopAfter);
        if (stopAfter is null)
        {
            return train(output, stop.Token);
        }

        Assert.Throws<OperationCanceledException>(() => train(output, stop.Token));
        return null;
    }

    // Presses stop when the journal tells of a step.
    private sealed class StopAtStep(CancellationTokenSource stop, int? step) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            if (step is not null && value?.StartsWith("step ", StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
