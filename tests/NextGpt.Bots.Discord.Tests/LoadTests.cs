using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests;

/// <summary>
/// Many conversations beside each other with a model that takes its time: 20 for three questions each by default, 200 for
/// ten minutes with NEXTGPT_DURABILITY=long. Nothing is asserted of times; the long form writes them out.
/// </summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Thinking = TimeSpan.FromMilliseconds(50);

    private static bool IsLong => Environment.GetEnvironmentVariable("NEXTGPT_DURABILITY") is "long";

    [Fact]
    [Trait("Product", "DUR-6")]
    public async Task Under_load_no_answer_is_lost_doubled_or_out_of_order()
    {
        var conversations = IsLong ? 200 : 20;
        await using var bench = await BotBench.StartAsync(settings:
            [("NextGpt:Discord:TurnsPerPersonAndHour", "100000"), ("NextGpt:Turns:QueueTimeout", "01:00:00")]);
        var simulator = bench.Simulator;
        bench.Model.Rule = call => _ = SpeakAsync(call);
        var places = Enumerable.Range(0, conversations).Select(number => $"{600_000_000_000_000_000 + number}").ToList();
        foreach (var place in places)
        {
            simulator.World.Channels[place] = new JsonObject { ["id"] = place, ["type"] = 1 };
        }

        var begun = Stopwatch.StartNew();
        var memory = new List<string>();
        var latencies = new ConcurrentBag<TimeSpan>();
        using var watching = new CancellationTokenSource();
        var watch = WatchAsync();
        var asked = await Task.WhenAll(places.Select(ConverseAsync));
        await watching.CancelAsync();
        await watch;

        for (var i = 0; i < conversations; i++)
        {
            Assert.Equal(
                Enumerable.Range(0, asked[i]).Select(number => $"re: q{number} in {places[i]}."),
                simulator.Rest.MessagesOfBot(places[i]).Select(message => BotBench.Text(message).Split('\n')[0]));
        }

        var sorted = latencies.Order().ToList();
        Assert.Equal(asked.Sum(), bench.Model.Calls.Count);
        Assert.Equal(0, bench.Bot.Runner.Running);
        output.WriteLine(FormattableString.Invariant(
            $"questions {asked.Sum()}, answers {latencies.Count}, p50 {sorted[sorted.Count / 2].TotalMilliseconds:0} ms, p95 {sorted[sorted.Count * 95 / 100].TotalMilliseconds:0} ms, in {begun.Elapsed.TotalSeconds:0} s"));
        output.WriteLine($"working set {string.Join(", ", memory)}");

        async Task<int> ConverseAsync(string place)
        {
            var random = new Random(place.GetHashCode(StringComparison.Ordinal));
            var person = place[..^6] + "7" + place[^5..];
            await Task.Delay(random.Next(IsLong ? 10_000 : 100), TestContext.Current.CancellationToken);
            var number = 0;
            while (IsLong ? begun.Elapsed < TimeSpan.FromMinutes(10) : number < 3)
            {
                var at = begun.Elapsed;
                await simulator.SayAsync($"q{number} in {place}.", place, person);
                await DiscordSimulator.UntilAsync(
                    () => bench.Shown.ContainsKey($"re: q{number} in {place}."), $"the answer to q{number} in {place}", 120, IsLong ? 50 : 5);
                latencies.Add(begun.Elapsed - at);
                number++;
                await Task.Delay(IsLong ? random.Next(5_000, 15_000) : 10, TestContext.Current.CancellationToken);
            }

            return number;
        }

        async Task WatchAsync()
        {
            foreach (var minute in (int[])[1, 5, 10])
            {
                await Task.Delay(TimeSpan.FromMinutes(minute) - begun.Elapsed, watching.Token)
                    .ContinueWith(static _ => { }, TaskScheduler.Default);
                using var process = Process.GetCurrentProcess();
                memory.Add(FormattableString.Invariant(
                    $"after {begun.Elapsed.TotalMinutes:0.0} min {process.WorkingSet64 / 1048576} MiB (managed {GC.GetTotalMemory(false) / 1048576} MiB)"));
                if (watching.IsCancellationRequested)
                {
                    return;
                }
            }
        }

        static async Task SpeakAsync(Host.Tests.ScriptedCall call)
        {
            await Task.Delay(Thinking);
            call.Say($"re: {call.Question}").End();
        }
    }
}
