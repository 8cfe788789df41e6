using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests;

/// <summary>
/// DUR-7: connections are cut, calls answered 429 and 5xx, answers lost, events told twice and out of order. 40 faults by
/// default, 500 with NEXTGPT_DURABILITY=long.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static bool IsLong => Environment.GetEnvironmentVariable("NEXTGPT_DURABILITY") is "long";

    [Fact]
    public async Task DUR_7_every_question_is_answered_exactly_once_and_in_order_whatever_breaks()
    {
        var (conversations, mostFaults) = IsLong ? (50, 500) : (10, 40);
        var random = new Random(7);
        await using var bench = await BotBench.StartAsync(settings:
            [("NextGpt:Discord:TurnsPerPersonAndHour", "100000"), ("NextGpt:Turns:QueueTimeout", "01:00:00")]);
        var simulator = bench.Simulator;
        bench.Model.Rule = call => _ = SpeakAsync(call);
        var places = Enumerable.Range(0, conversations).Select(number => $"{600_000_000_000_000_000 + number}").ToList();
        foreach (var place in places)
        {
            simulator.World.Channels[place] = new JsonObject { ["id"] = place, ["type"] = 1 };
        }

        var faults = new int[6];   // 5xx, 429, answer lost, told twice, told again late, cut
        simulator.Fault = request =>
        {
            lock (random)
            {
                switch (random.Next(100))
                {
                    case < 4:
                        faults[0]++;
                        return new SimulatedAnswer(502);
                    case < 8:
                        faults[1]++;
                        return SimulatedAnswer.TooMany(0.05);
                    case < 11 when request.Method == "POST":
                        faults[2]++;
                        simulator.Rest.Answer(request);   // done, and nobody hears of it
                        return new SimulatedAnswer(500);
                    default:
                        return null;
                }
            }
        };
        using var end = new CancellationTokenSource();
        var cutting = CutAsync();
        var (rounds, earlier) = (0, new List<JsonObject>());
        for (; faults.Sum() < mostFaults; rounds++)
        {
            foreach (var place in Shuffled(places))
            {
                var message = simulator.World.Messages[await simulator.SayAsync($"q{rounds} in {place}.", place, Person(place))];
                if (Chance(10))
                {
                    faults[3]++;
                    await simulator.TellAsync("MESSAGE_CREATE", message);
                }

                if (earlier.Count > 0 && Chance(5))
                {
                    faults[4]++;   // behind newer ones of its place
                    await simulator.TellAsync("MESSAGE_CREATE", earlier[random.Next(earlier.Count)]);
                }

                earlier.Add(message);
            }

            await Task.Delay(200, TestContext.Current.CancellationToken);
        }

        await DiscordSimulator.UntilAsync(
            () => bench.Bot.Runner.Running == 0 && bench.Shown.Count >= conversations * rounds, "every question is answered", IsLong ? 600 : 90);
        output.WriteLine($"questions {conversations * rounds}, faults {string.Join(" + ", faults)} = {faults.Sum()} (5xx, 429, lost, twice, late, cut)");
        await end.CancelAsync();
        await cutting;

        foreach (var place in places)
        {
            Assert.Equal(
                Enumerable.Range(0, rounds).Select(round => $"re: q{round} in {place}."),
                simulator.Rest.MessagesOfBot(place).Select(message => BotBench.Text(message).Split('\n')[0]));
        }

        Assert.Equal(conversations * rounds, bench.Model.Calls.Count);
        Assert.True(faults.All(count => count > 0) && simulator.Gateway.Frames(6).Count > 0);

        async Task CutAsync()
        {
            while (!end.IsCancellationRequested)
            {
                await Task.Delay(400, CancellationToken.None);
                faults[5]++;
                simulator.Gateway.Connections[^1].Cut();
            }
        }

        bool Chance(int percent)
        {
            lock (random)
            {
                return random.Next(100) < percent;
            }
        }

        IReadOnlyList<string> Shuffled(IReadOnlyList<string> list)
        {
            lock (random)
            {
                return [.. list.OrderBy(_ => random.Next())];
            }
        }

        static string Person(string place) => place[..^6] + "7" + place[^5..];

        static async Task SpeakAsync(Host.Tests.ScriptedCall call)
        {
            await Task.Delay(20);
            call.Say($"re: {call.Question}").End();
        }
    }
}
