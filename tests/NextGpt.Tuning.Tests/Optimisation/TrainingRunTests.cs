using Microsoft.Extensions.Time.Testing;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Optimisation;

/// <summary>The loop that every stage trains through, on a network of one layer.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-run-").FullName;

    [Fact]
    public void The_number_of_live_tensors_is_level_over_a_thousand_steps()
    {
        var live = new List<long>();
        Train(1_000, (step, loss) =>
        {
            live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            return loss;
        });

        Assert.Equal(1_000, live.Count);
        Assert.Equal(live[20], live[^1]);
        Assert.True(live.Skip(20).Max() - live[20] < 10, $"{live[20]} live tensors after 20 steps, {live.Max()} at most");
    }

    [Fact]
    public void A_run_whose_losses_are_no_numbers_stops_and_says_what_to_do()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Train(100, (step, loss) => step < 30 ? loss : loss * float.NaN));

        Assert.Contains("Lower the learning rate", failure.Message);
        Assert.Contains("step 4", failure.Message);
    }

    [Fact]
    public void One_step_that_is_no_number_changes_nothing_and_the_run_goes_on()
    {
        var (whole, broken) = (Train(20, (_, loss) => loss), Train(20, (step, loss) => step == 19 ? loss * float.NaN : loss));

        Assert.All(broken, value => Assert.True(float.IsFinite(value)));
        Assert.NotEqual(whole, broken);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private float[] Train(int steps, Func<int, Tensor, Tensor> seen)
    {
        using var generator = manual_seed(1);
        using var network = nn.Linear(4, 4);
        using var optimiser = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions());
        using var random = new StepRandom(CPU, 1);
        var run = new TrainingRun(
            optimiser, new TrainingSchedule { BatchSize = 2, LearningRate = 1e-3, TotalSteps = steps, JournalEvery = steps == 20 ? 100 : 20, Seed = 1 },
            Path.Combine(_folder, Path.GetRandomFileName()), new TrainingJournal(_folder, TextWriter.Null), new FakeTimeProvider());
        run.Train(
            step =>
            {
                random.Begin(step);
                var input = random.Normal(2, 4);
                return seen(step, (network.call(input) - input).square().mean());
            },
            null, CPU, TestContext.Current.CancellationToken);
        return [.. network.weight.data<float>()];
    }
}
