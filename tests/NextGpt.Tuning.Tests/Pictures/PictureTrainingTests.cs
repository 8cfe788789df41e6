using Microsoft.Extensions.Time.Testing;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Pictures;

/// <summary>The whole path at toy size: autoencoder, latents, U-Net and caption encoder, on eight drawings.</summary>
public sealed class PictureTrainingTests : IDisposable
{
    private static readonly AutoencoderKLConfig TinyAutoencoder =
        MiniPictures.Autoencoder with { LevelChannels = [16, 16, 16], LatentChannels = 4, NormGroups = 8 };

    private static readonly UNet2DConditionConfig TinyUNet = MiniPictures.UNet with
    {
        InputChannels = 4,
        OutputChannels = 4,
        LevelChannels = [32, 32],
        DownAttention = [true, true],
        UpAttention = [true, true],
        Heads = [2, 2],
        ContextSizes = [32, 32],
        ClassSize = 32,
        NormGroups = 8,
        SampleSize = 4,
    };

    private static readonly Func<ClipTokenizer, ClipTextEncoderConfig> TinyTextEncoder =
        tokenizer => MiniPictures.TextEncoder(tokenizer) with { HiddenSize = 32, IntermediateSize = 64, Layers = 1, Heads = 2 };

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-pictures-").FullName;

    [Fact]
    public void An_autoencoder_learns_its_drawings_and_writes_a_folder_that_loads()
    {
        TrainAutoencoder(Path.Combine(_folder, "long"), 40);

        var losses = Losses("long");
        Assert.True(losses[^1] < 0.8 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        using var loaded = AutoencoderKL.Load(Path.Combine(_folder, "long", "vae"));
        Assert.InRange(loaded.Config.ScalingFactor, 0.05, 50);
    }

    [Fact]
    public void A_U_Net_learns_its_drawings_and_its_folders_load()
    {
        TrainAutoencoder(_folder, 10);
        TrainPictures("learn", 40, resume: false);

        var losses = Losses("learn");
        Assert.True(losses[^1] < 0.8 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        using var unet = UNet2DCondition.Load(Path.Combine(_folder, "learn", "unet"));
        using var encoder = ClipTextEncoder.Load(Path.Combine(_folder, "learn", "text_encoder"));
        Assert.Equal(encoder.Config.VocabularySize, ClipTokenizer.Load(Path.Combine(_folder, "learn", "tokenizer")).VocabularySize);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        TrainAutoencoder(_folder, 4);
        TrainPictures("whole", 8, resume: false);
        TrainPictures("broken", 8, resume: false, stopAfter: 5);
        TrainPictures("broken", 8, resume: true);

        using var whole = SafetensorsFile.Open(Path.Combine(_folder, "whole", "checkpoint.safetensors"));
        using var broken = SafetensorsFile.Open(Path.Combine(_folder, "broken", "checkpoint.safetensors"));
        Assert.Equal("8", broken.Metadata["optimiser.steps"]);
        foreach (var (name, info) in whole.Tensors)
        {
            var (one, other) = (new float[info.Count], new float[info.Count]);
            whole.Read(name, one);
            broken.Read(name, other);
            Assert.True(one.AsSpan().SequenceEqual(other), name);
        }
    }

    [Fact]
    public void Training_longer_keeps_no_more_tensors_alive()
    {
        TrainAutoencoder(_folder, 2);
        TrainPictures("warm", 2, resume: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainPictures("short", 3, resume: false);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TrainPictures("long", 12, resume: false);

        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static TrainingSchedule Schedule(int steps) => new()
    {
        BatchSize = 8,
        LearningRate = 3e-3,
        WarmUpSteps = 5,
        TotalSteps = steps,
        JournalEvery = 5,
        CheckpointEvery = TimeSpan.FromDays(1),
        PreviewEvery = TimeSpan.FromDays(1),
        Seed = 3,
    };

    private List<double> Losses(string run) =>
        [.. File.ReadLines(Path.Combine(_folder, run, "progress.jsonl"))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss)];

    private static double TrainAutoencoder(string folder, int steps) =>
        new AutoencoderTrainer(ToyWorld.Atlas(16), Schedule(steps), CPU, folder, TextWriter.Null, new FakeTimeProvider())
        {
            Network = TinyAutoencoder,
        }.Train(false);

    private void TrainPictures(string name, int steps, bool resume, int? stopAfter = null)
    {
        using var stop = new CancellationTokenSource();
        using var output = new StopAtStep(stop, stopAfter);
        var trainer = new PictureTrainer(
            ToyWorld.Atlas(16), Schedule(steps), CPU, Path.Combine(_folder, name), output, new FakeTimeProvider())
        {
            Autoencoder = Path.Combine(_folder, "vae"),
            UNet = TinyUNet,
            TextEncoder = TinyTextEncoder,
            Variants = 2,
            Wordings = 2,
            PreviewCount = 0,
        };
        if (stopAfter is null)
        {
            trainer.Train(resume);
        }
        else
        {
            Assert.Throws<OperationCanceledException>(() => trainer.Train(resume, stop.Token));
        }
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
