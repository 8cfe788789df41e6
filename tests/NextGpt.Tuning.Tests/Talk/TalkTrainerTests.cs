using Microsoft.Extensions.Time.Testing;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Talk;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Talk;

/// <summary>The whole path at toy size: conversations, adapter, checkpoint, exam.</summary>
public sealed class TalkTrainerTests : IDisposable
{
    private static readonly OpenAnswer[] Open =
        [new("Tell me a story.", "A fox ran. It ran far and came home late."), new("Describe snow.", "Snow is white. It is cold and soft.")];

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-talk-").FullName;
    private readonly TrainableLanguage _language;

    public TalkTrainerTests() => _language = ToyLanguage.Load(Path.Combine(_folder, "model"));

    [Fact]
    public void An_adapter_learns_and_its_folder_loads()
    {
        Train("learn", 30);

        var losses = File.ReadLines(Path.Combine(_folder, "learn", "progress.jsonl"))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss).ToList();
        Assert.True(losses[^1] < 0.97 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        using var adapter = LoraAdapter.Load(Path.Combine(_folder, "learn", "adapter"), _language.Network);
        Assert.Equal(14, adapter.NamedParameters.Count() / 2);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one()
    {
        Train("whole", 8);
        using (var stop = new CancellationTokenSource())
        {
            Assert.Throws<OperationCanceledException>(() => Train("broken", 8, new StopAtFirstLine(stop), stop: stop.Token));
        }

        Train("broken", 8, resume: true);

        using var whole = SafetensorsFile.Open(Path.Combine(_folder, "whole", "checkpoint.safetensors"));
        using var broken = SafetensorsFile.Open(Path.Combine(_folder, "broken", "checkpoint.safetensors"));
        Assert.Equal("8", broken.Metadata["optimiser.steps"]);
        Assert.All(whole.Tensors, entry => Assert.Equal(Values(whole, entry.Key), Values(broken, entry.Key)));
    }

    [Fact]
    public void Training_longer_keeps_no_more_tensors_alive()
    {
        Train("warm", 2);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("short", 2);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("long", 12);

        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_in_a_sentence()
    {
        using (no_grad())
        {
            _language.Network.parameters().First().fill_(float.NaN);
        }

        var failure = Assert.Throws<InvalidOperationException>(() => Train("nan", 10));

        Assert.Contains("not a number", failure.Message);
    }

    [Fact]
    public void The_cheaper_loss_is_the_same_number()
    {
        using var scope = NewDisposeScope();
        var (hidden, head) = (randn(2, 5, 8), randn(11, 8));
        var labels = tensor(new long[] { -100, 3, -100, 7, 1, -100, -100, -100, 10, 0 }, [2, 5]);
        var wanted = NextTokenLoss.Mean(hidden.matmul(head.t()), labels);

        Assert.Equal(wanted.item<float>(), NextTokenLoss.MeanOfLabelled(hidden, labels, rows => rows.matmul(head.t())).item<float>(), 1e-5f);
    }

    [Fact]
    public void An_exam_asks_every_question_and_counts()
    {
        var marks = TalkExam.Ask(_language, TalkComposer.ForTesting(6, 1), TestContext.Current.CancellationToken);

        Assert.Equal(6, marks.Count);
        Assert.Contains("of", TalkExam.Sum(marks), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("12", "It is 12.", true)]
    [InlineData("12", "It is 120.", false)]
    [InlineData("Yes", "yes, it can.", true)]
    [InlineData("1000|1,000", "There are 1,000 metres.", true)]
    [InlineData("Rome", "It is Paris.", false)]
    public void An_answer_is_right_when_it_holds_the_expected_word_whole(string expected, string said, bool right) =>
        Assert.Equal(right, TalkExam.Judge(expected, said));

    public void Dispose()
    {
        _language.Dispose();
        Directory.Delete(_folder, true);
    }

    private static float[] Values(SafetensorsFile file, string name)
    {
        var values = new float[file.Tensors[name].Count];
        file.Read(name, values);
        return values;
    }

    private void Train(
        string name, int steps, TextWriter? output = null, bool resume = false, CancellationToken stop = default) =>
        new TalkTrainer(
            _language,
            new TrainingSchedule { BatchSize = 4, LearningRate = 3e-2, WarmUpSteps = 2, TotalSteps = steps, JournalEvery = 5, Seed = 3 },
            Path.Combine(_folder, name), output ?? TextWriter.Null, new FakeTimeProvider())
        {
            Adapter = TalkTrainer.AdapterOfRank(4),
            Dialogues = 200,
            MaxTokens = 120,
            Open = Open,
        }.Train(resume, stop);

    private sealed class StopAtFirstLine(CancellationTokenSource stop) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
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
