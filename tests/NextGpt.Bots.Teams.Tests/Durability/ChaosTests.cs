using NextGpt.Bots.Teams.Tests.Bot;
using NextGpt.Bots.Teams.Tests.Connector;

namespace NextGpt.Bots.Teams.Tests.Durability;

/// <summary>
/// A service that refuses, cuts connections before and after it took a message, repeats and reorders what it delivers: every
/// question is answered exactly once and in order (DUR-7). 60 faults, with NEXTGPT_DURABILITY=long 500.
/// </summary>
public sealed class ChaosTests
{
    private static int Faults => Environment.GetEnvironmentVariable("NEXTGPT_DURABILITY") == "long" ? 500 : 60;

    [Fact]
    public async Task DUR_7_DEG_1_under_faults_of_every_kind_each_question_is_answered_exactly_once_in_order()
    {
        const int people = 20;
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say($"Answer to {call.Question}.").End();
        int[] codes = [408, 412, 429, 500, 502, 503, 504];
        var chance = new Random(7);
        var gate = new Lock();
        Dictionary<string, string> shown = [];   // what people see, by the message's id
        List<string> order = [];
        Dictionary<string, int> row = [];   // faults one after the other, by conversation
        var faults = 0;
        world.Service.Rule = (call, _) =>
        {
            lock (gate)
            {
                // A call has four tries (teams.md 5): the service is bad, not gone.
                var conversation = call.Address.Segments[^1] == "activities" ? call.Address.Segments[^2] : call.Address.Segments[^3];
                var streak = row.GetValueOrDefault(conversation);
                var roll = faults < Faults && streak < 3 ? chance.Next(24) : 24;
                row[conversation] = roll < 10 ? streak + 1 : 0;
                if (roll < codes.Length)
                {
                    faults++;
                    return Task.FromResult<HttpResponseMessage?>(FakeService.Answer(codes[roll], null, roll == 2 ? 3 : null));
                }

                var streamed = (string?)call.Body?["id"] is { } id && (call.IsMessage || call.Method == "PUT");
                if (roll < 10 && (call.IsUpdate || streamed))
                {
                    faults++;
                    if (roll == 9 && streamed)
                    {
                        Note((string)call.Body!["id"]!, call.Text);   // taken, and then the connection is cut
                    }

                    throw new HttpRequestException("cut");
                }

                if (streamed)
                {
                    Note((string)call.Body!["id"]!, call.Text);
                }
                else if (call.IsMessage)
                {
                    Note($"new {order.Count} {shown.Count}", call.Text);
                }

                return Task.FromResult<HttpResponseMessage?>(null);
            }
        };

        List<string> asked = [];
        for (var turn = 0; faults < Faults; turn++)
        {
            Assert.True(turn < 200, $"only {faults} faults came");
            List<System.Text.Json.Nodes.JsonObject> activities = [];
            for (var i = 0; i < people; i++)
            {
                var activity = world.Activity("message", i % 2 == 0 ? "personal" : "groupChat", $"p{i}")
                    .With("text", $"Q{turn}-{i}x");
                activity["conversation"]!["id"] = $"c-{i}";
                activities.Add(activity);
                activities.Add(activity.DeepClone().AsObject());   // the service repeats itself
                asked.Add($"Q{turn}-{i}x");
            }

            foreach (var activity in activities.OrderBy(_ => chance.Next()).ToList())   // and keeps no order between people
            {
                await world.PostAsync(activity);
            }

            await world.UntilAsync(() => Answered() >= asked.Count, TimeSpan.FromSeconds(1));
        }

        await world.SettleAsync();
        lock (gate)
        {
            Assert.All(asked, question => Assert.Single(shown.Values, text => text.StartsWith($"Answer to {question}.", StringComparison.Ordinal)));
            Assert.Equal(asked.Count, shown.Count);
            for (var i = 0; i < people; i++)
            {
                var own = order.Select(id => shown[id]).Where(text => text.Contains($"-{i}x", StringComparison.Ordinal))
                    .Select(text => int.Parse(text["Answer to Q".Length..text.IndexOf('-', StringComparison.Ordinal)], null)).ToList();
                Assert.Equal(own.Order(), own);
            }
        }

        int Answered()
        {
            lock (gate)
            {
                return shown.Count;
            }
        }

        void Note(string id, string text)
        {
            if (!shown.ContainsKey(id))
            {
                order.Add(id);
            }

            shown[id] = text;
        }
    }
}
