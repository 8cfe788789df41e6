using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Contrastive;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Contrastive;

/// <summary>The whole path at toy size on the fixture world of twenty concepts.</summary>
public sealed class EncoderTrainerTests : IDisposable
{
    private static readonly PictureAtlas Atlas = PictureAtlas.Build(FixtureFolder.Path);

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-encoder-").FullName;

    [Fact]
    public void An_encoder_learns_sits_its_exam_and_its_folder_loads_and_names()
    {
        Train("learn", 40, exam: 8);

        var losses = File.ReadLines(Path.Combine(_folder, "learn", "progress.jsonl"))
            .Select(line => JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss).ToList();
        Assert.True(losses[^1] < 0.97 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        var figures = File.ReadLines(Path.Combine(_folder, "learn", "exam.jsonl")).Select(line => JsonSerializer.Deserialize<EncoderFigure>(line)!).ToList();
        Assert.Contains(figures, figure => figure.What == "clips, motion of ten" && figure.Count > 0);
        Assert.All(figures, figure => Assert.InRange(figure.Top5, figure.Top1, 1));

        using var naming = MediumNaming.Load(Path.Combine(_folder, "learn", "encoder"));
        using var scope = NewDisposeScope();
        var rows = FixtureFolder.World.Of(WorldKind.Picture).Where(row => row.IsForTraining).ToList();
        var names = rows.Select(row => row.Caption).Distinct().ToList();
        var places = naming.Places([.. names.Select(name => new[] { name })]);
        var studio = new WorldStudio(FixtureFolder.World);
        var medium = studio.Make(new PictureRecipe([new PicturePiece(rows[0])], NextGpt.Tuning.Pictures.Backdrop.White));
        var order = naming.Rank(medium, places);
        Assert.Equal(Enumerable.Range(0, names.Count), order.Order());
        Assert.Equal(order, naming.Rank(medium, places));
        var (best, last) = (naming.Places([[names[order[0]]]]), naming.Places([[names[order[^1]]]]));
        Assert.Equal(0, naming.Rank(medium, cat([best, last]))[0]);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        Train("whole", 6);
        Train("broken", 6, stopAfter: 3);
        Train("broken", 6, resume: true);

        using var whole = SafetensorsFile.Open(Path.Combine(_folder, "whole", "checkpoint.safetensors"));
        using var broken = SafetensorsFile.Open(Path.Combine(_folder, "broken", "checkpoint.safetensors"));
        Assert.Equal("6", broken.Metadata["optimiser.steps"]);
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
        Train("warm", 2);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("short", 3);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("long", 9);

        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    [Fact]
    public void Nothing_that_is_only_measured_on_is_trained_on()
    {
        var world = new EncoderWorld(FixtureFolder.Poisoned, Atlas, null);

        Assert.All(world.Training.Pictures, picture => Assert.Equal("train", picture.Split));
        Assert.All(world.Sounds.Concat(world.Animations), row => Assert.True(row.IsForTraining && !row.Id.StartsWith("poison", StringComparison.Ordinal), row.Id));
        Assert.NotEmpty(world.Sounds);
        Assert.NotEmpty(world.Animations);
    }

    [Fact]
    public void Styles_that_are_asked_for_are_the_only_ones_trained_on()
    {
        var style = Atlas.Pictures.First(picture => picture.IsForTraining && picture.Style != "3D").Style;

        var world = new EncoderWorld(FixtureFolder.World, Atlas, [style]);

        Assert.NotEmpty(world.Training.Pictures);
        Assert.All(world.Training.Pictures, picture => Assert.Equal(style, picture.Style));
        Assert.Empty(world.Animations);
        var whole = Atlas.Pictures.ToList().FindIndex(picture => picture.Id == world.Training.Pictures[^1].Id);
        var area = 4 * Atlas.Size * Atlas.Size;
        Assert.Equal(Atlas.Pixels[(whole * area)..((whole + 1) * area)], world.Training.Pixels[^area..]);
        Assert.Contains("is no style", Assert.Throws<InvalidDataException>(() => new EncoderWorld(FixtureFolder.World, Atlas, ["baroque"])).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    internal static ImageBindConfig Tiny(ClipTokenizer tokenizer)
    {
        var mini = MiniEncoder.Config(tokenizer);
        return mini with
        {
            OutputSize = 48,
            Vision = mini.Vision! with { Width = 48, Layers = 2, Heads = 2, PatchSize = 16 },
            Audio = mini.Audio! with { Width = 32, Layers = 1, Heads = 1, MelBins = 32, DropPath = 0 },
            Text = mini.Text! with { Width = 32, Layers = 1, Heads = 1 },
        };
    }

    private void Train(string name, int steps, bool resume = false, int? stopAfter = null, int exam = 0)
    {
        using var stop = new CancellationTokenSource();
        using var output = new StopAtStep(stop, stopAfter);
        var schedule = new TrainingSchedule
        {
            BatchSize = 24,
            LearningRate = 4e-3,
            WarmUpSteps = 3,
            TotalSteps = steps,
            JournalEvery = 3,
            CheckpointEvery = TimeSpan.FromDays(1),
            PreviewEvery = TimeSpan.FromDays(1),
            Seed = 3,
        };
        var trainer = new EncoderTrainer(
            FixtureFolder.World, Atlas, null, schedule, CPU, Path.Combine(_folder, name), output, new FakeTimeProvider())
        {
            Network = Tiny,
            Wordings = 2,
            SoundVariants = 2,
            OtherNames = 8,
            AverageDecay = 0.9,
            ExamCount = exam,
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
