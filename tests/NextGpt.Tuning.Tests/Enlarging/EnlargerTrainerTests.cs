using Microsoft.Extensions.Time.Testing;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Enlarging;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Tests.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Enlarging;

/// <summary>The whole path at toy size: large drawings, a network, with an autoencoder that nobody trained and without one, a judgement.</summary>
public sealed class EnlargerTrainerTests : IDisposable
{
    private static readonly PictureEnlargerConfig Tiny = new() { Channels = 16, Blocks = 1 };

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-enlarger-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void A_network_that_beats_interpolation_is_written_with_its_figures_and_a_sheet()
    {
        var scores = Trainer("kept", 100, 5e-3, TextWriter.Null, repair: false).Train(false);

        var (bicubic, lanczos, network) = (Score("bicubic"), Score("Lanczos"), Score("network"));
        Assert.True(
            network.Decibels > bicubic.Decibels + 0.3 && network.Decibels > lanczos.Decibels + 0.3 && network.EdgeError < bicubic.EdgeError,
            string.Join("; ", scores));
        using var loaded = PictureEnlarger.Load(Path.Combine(_folder, "kept", "enlarger"));
        Assert.Equal(Tiny, loaded.Config);
        Assert.True(File.Exists(Path.Combine(_folder, "kept", "enlarged.png")));
        Assert.Contains("EdgeError", File.ReadAllText(Path.Combine(_folder, "kept", "figures.json")), StringComparison.Ordinal);

        EnlargingScore Score(string way) => scores.Single(score => score.Way == way && score.Input == "drawn");
    }

    [Fact]
    public void A_network_that_does_not_beat_interpolation_is_not_written()
    {
        Train("not-kept", 1, resume: false, rate: 0.3);

        Assert.False(Directory.Exists(Path.Combine(_folder, "not-kept", "enlarger")));
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        Train("whole", 6, resume: false);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Trainer("broken", 6, 3e-3, new StopAtStep(stop)).Train(false, stop.Token));
        Train("broken", 6, resume: true);

        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_folder, "whole", "checkpoint.safetensors")),
            File.ReadAllBytes(Path.Combine(_folder, "broken", "checkpoint.safetensors")));
    }

    [Fact]
    public void Training_longer_keeps_no_more_tensors_alive()
    {
        Train("warm", 2, resume: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("short", 3, resume: false);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("long", 9, resume: false);

        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    [Fact]
    public void Every_kept_back_pair_is_judged_and_none_is_trained_on()
    {
        var pictures = ToyWorld.Atlas(8).Pictures.Select((picture, index) => index % 2 == 0 ? picture : picture with { Split = "test_pair" }).ToList();

        var chosen = EnlargerTrainer.Choose(pictures, 3, seed: 1).ToList();

        Assert.Equal(3, chosen.Count(picture => picture.IsForTraining));
        Assert.Equal(pictures.Where(picture => !picture.IsForTraining), chosen.Where(picture => !picture.IsForTraining));
    }

    [Fact]
    public void Cubic_and_windowed_sine_enlarging_keep_flat_pictures_flat_and_follow_a_slope()
    {
        using var scope = NewDisposeScope();
        var flat = full(1, 1, 6, 6, 0.3f);
        var slope = arange(6).to(ScalarType.Float32).view(1, 1, 1, 6).expand(1, 1, 6, 6).contiguous();

        foreach (var enlarge in new Func<Tensor, int, Tensor>[] { PlainEnlarging.Bicubic, PlainEnlarging.Lanczos })
        {
            Assert.True(allclose(enlarge(flat, 4), full(1, 1, 24, 24, 0.3f), 1e-5, 1e-6));
            var middle = enlarge(slope, 4)[0, 0, 12].narrow(0, 10, 4).data<float>().ToArray();   // −0.5 + (place + 0.5) / 4
            Assert.Equal([2.125f, 2.375f, 2.625f, 2.875f], middle, (one, other) => Math.Abs(one - other) < 0.03);
        }

        var spike = PlainEnlarging.Bicubic(tensor(new float[] { 0, 0, 0, 16, 0, 0, 0, 0 }).view(1, 1, 8, 1), 3);
        Assert.Equal(16, spike[0, 0, 10, 0].item<float>(), 1e-4);   // the middle of three lies on the pixel itself
    }

    private IReadOnlyList<EnlargingScore> Train(string name, int steps, bool resume, double rate = 3e-3) =>
        Trainer(name, steps, rate, TextWriter.Null).Train(resume);

    private EnlargerTrainer Trainer(string name, int steps, double rate, TextWriter output, bool repair = true) => new(
        ToyWorld.Atlas(32), Schedule(steps, rate), CPU, Path.Combine(_folder, name), output, new FakeTimeProvider())
    {
        Autoencoder = repair ? UntrainedAutoencoder() : null,
        Network = Tiny,
        PartSide = 1,
    };

    private string UntrainedAutoencoder()
    {
        var folder = Path.Combine(_folder, "vae");
        using var generator = manual_seed(1);
        using var network = new AutoencoderKL(MiniPictures.Autoencoder with { LevelChannels = [8, 8], LatentChannels = 4, NormGroups = 4 });
        network.Save(folder, SafetensorsType.F32);
        return folder;
    }

    private static TrainingSchedule Schedule(int steps, double rate) => new()
    {
        BatchSize = 8,
        LearningRate = rate,
        WarmUpSteps = 2,
        TotalSteps = steps,
        JournalEvery = 3,
        CheckpointEvery = TimeSpan.FromDays(1),
        PreviewEvery = TimeSpan.FromDays(1),
        Seed = 3,
    };

    // Presses stop when the journal tells of a step.
    private sealed class StopAtStep(CancellationTokenSource stop) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            if (value?.StartsWith("step ", StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
