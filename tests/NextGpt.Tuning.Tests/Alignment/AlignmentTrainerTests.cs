using System.Globalization;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Alignment;

/// <summary>The three stages at toy size: what moves, what is learnt, and that a run can be broken off, resumed and watched.</summary>
public sealed class AlignmentTrainerTests : IDisposable
{
    private readonly TinyStage _stage = new();

    public static TheoryData<string, string[]> Stages { get; } = new()
    {
        { "align-input", ["input"] },
        { "align-output", ["output", "rows"] },
        { "instruct", ["adapter", "input", "output", "rows"] },
    };

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_stage_moves_its_own_parts_and_nothing_else(string name, string[] moving)
    {
        var before = new Dictionary<string, float[]>(StringComparer.Ordinal);
        var after = new Dictionary<string, float[]>(StringComparer.Ordinal);
        var kept = new Dictionary<string, float[]>(StringComparer.Ordinal);
        _stage.Train("first", TinyStage.Instruction, 1);   // so that every part is there
        _stage.Train("moved", StageOf(name), 3, from: "first", before: model => Note(model, before), after: model => Note(model, after));
        _stage.Train("next", StageOf(name), 1, from: "moved", before: model => Note(model, kept));

        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        var changed = before.Keys.Where(key => !before[key].SequenceEqual(after[key])).ToList();
        Assert.Equal(moving, changed.Select(key => key.Split('.')[0]).Distinct().Order());
        Assert.DoesNotContain(changed, key => key.StartsWith("language", StringComparison.Ordinal));
        Assert.All(after, entry => Assert.Equal(entry.Value, kept[entry.Key]));   // the folder of a stage holds all of them
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_stage_learns(string name, string[] moving)
    {
        _stage.Train("learn", StageOf(name), 40, few: 4);

        var losses = File.ReadLines(Path.Combine(_stage.At("learn"), "progress.jsonl"))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss).ToList();
        Assert.NotEmpty(moving);
        Assert.True(losses[^1] < 0.97 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        Assert.True(new FileInfo(Path.Combine(_stage.At("learn"), "loss.png")).Length > 100);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        _stage.Train("whole", TinyStage.Instruction, 20);
        using (var stop = new CancellationTokenSource())
        {
            Assert.Throws<OperationCanceledException>(
                () => _stage.Train("broken", TinyStage.Instruction, 20, output: new StopAtFirstLine(stop), stop: stop.Token));
        }

        _stage.Train("broken", TinyStage.Instruction, 20, resume: true);

        using var whole = SafetensorsFile.Open(Path.Combine(_stage.At("whole"), "checkpoint.safetensors"));
        using var broken = SafetensorsFile.Open(Path.Combine(_stage.At("broken"), "checkpoint.safetensors"));
        Assert.Equal("20", broken.Metadata["optimiser.steps"]);
        Assert.All(whole.Tensors, entry => Assert.Equal(Values(whole, entry.Key), Values(broken, entry.Key)));
    }

    [Fact]
    public void A_thousand_steps_keep_no_more_tensors_alive_than_one()
    {
        using var media = _stage.Media();
        using var language = _stage.Language();
        using var model = _stage.Model(language, media, TinyStage.Instruction);
        _ = model.Moving(TinyStage.Instruction);
        using var loss = new AlignmentLoss(model, TinyStage.Instruction, media);
        var rows = TinyStage.Rows(model, media, TinyStage.Instruction);
        TrainingRow[] some = [.. Enumerable.Range(0, 60).Select(place => rows.At(place)).OrderBy(row => row.Tokens.Count).Take(16)];
        using var optimiser = new FlatAdamW(model.Moving(TinyStage.Instruction), new FlatAdamWOptions { AverageDecay = 0 });
        void Step(int step)
        {
            using var scope = NewDisposeScope();
            loss.Of([some[step % some.Length], some[(step + 1) % some.Length]]).backward();
            optimiser.Step(1e-4);
        }

        for (var step = 0; step < some.Length; step++)
        {
            Step(step);
        }

        var level = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var step = 0; step < 1_000; step++)
        {
            Step(step);
        }

        Assert.Equal(level, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(1_000 + some.Length, optimiser.Steps);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_in_a_sentence()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => _stage.Train("nan", TinyStage.Instruction, 10, before: model =>
        {
            using var noGradient = no_grad();
            model.Rows!.Embedding.fill_(float.NaN);
            model.Rows.Head.fill_(float.NaN);
        }));

        Assert.Contains("not a number", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_without_anything_to_train_says_what_is_missing()
    {
        using var media = new FrozenMedia(TinyStage.Mixture.Studio, null, [], _stage.At("none"), CPU);
        using var language = _stage.Language();
        using var model = _stage.Model(language, media, AlignmentStage.EncodingSide);

        Assert.Contains("--encoder", Assert.Throws<InvalidOperationException>(() => model.Moving(AlignmentStage.EncodingSide)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _stage.Dispose();

    private static AlignmentStage StageOf(string name) => name switch
    {
        "align-input" => AlignmentStage.EncodingSide,
        "align-output" => AlignmentStage.DecodingSide,
        _ => TinyStage.Instruction,
    };

    private static void Note(AlignmentModel model, Dictionary<string, float[]> values)
    {
        void Take(string part, IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> parameters)
        {
            foreach (var (name, parameter) in parameters)
            {
                using var scope = NewDisposeScope();
                values[$"{part}.{name}"] = parameter.detach().clone().data<float>().ToArray();
            }
        }

        Take("language", model.Language.Network.named_parameters());
        Take("input", model.Input!.named_parameters());
        Take("rows", model.Rows!.named_parameters());
        Take("adapter", model.Adapter!.NamedParameters);
        foreach (var (kind, output) in model.Outputs)
        {
            Take($"output.{kind}", output.named_parameters());
        }
    }

    private static float[] Values(SafetensorsFile file, string name)
    {
        var values = new float[file.Tensors[name].Count];
        file.Read(name, values);
        return values;
    }

    private sealed class StopAtFirstLine(CancellationTokenSource stop) : StringWriter(CultureInfo.InvariantCulture)
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
