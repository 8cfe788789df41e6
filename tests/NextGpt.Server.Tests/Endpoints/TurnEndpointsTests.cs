using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Host;
using NextGpt.Server.Endpoints;

namespace NextGpt.Server.Tests.Endpoints;

public sealed class TurnEndpointsTests
{
    [Fact]
    public async Task A_turn_is_asked_and_its_parts_come_as_events()
    {
        await using var bench = await ServerBench.StartAsync();

        using var answer = await AskAsync(bench.Client, "hello");
        var parts = (await ServerBench.EventsAsync(answer)).Select(Parse).ToList();

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            ["accepted", "started", "notice", "text", "text", "finished"], parts.Select(part => (string?)part["type"]));
        Assert.Equal("re: hello", string.Concat(parts.Select(part => (string?)part["type"] == "text" ? part["text"] : null)));
    }

    [Fact]
    public async Task TRN_2_turns_of_one_conversation_see_each_other_and_branches_begin_where_they_are_told()
    {
        await using var bench = await ServerBench.StartAsync();
        var first = Parse((await ServerBench.EventsAsync(await AskAsync(bench.Client, "one", "c")))[0])["turn_id"];
        await ServerBench.EventsAsync(await AskAsync(bench.Client, "two", "c"));

        using var third = await bench.Client.PostAsync("/api/turns", ServerBench.Body(new JsonObject
        {
            ["text"] = "two again",
            ["conversation"] = "c",
            ["after_turn_id"] = (string?)first,
        }));
        await third.Content.ReadAsStringAsync();

        Assert.Equal(
            ["one", "re: one", "two again"], bench.Model.Calls[^1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task A_running_turn_is_followed_from_any_part_and_stopped()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = null;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/turns")
        {
            Content = ServerBench.Body(new JsonObject { ["text"] = "long" }),
        };
        using var asked = await bench.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var call = await bench.Model.NextCallAsync();
        using var reader = new StreamReader(await asked.Content.ReadAsStreamAsync());
        var turnId = (string?)Parse((await reader.ReadLineAsync())![6..])["turn_id"];
        call.Say("partly");
        var followed = bench.Client.GetAsync($"/api/turns/{turnId}?from=1");

        using var stopped = await bench.Client.PostAsync($"/api/turns/{turnId}/stop", null);
        using var follow = await followed;

        Assert.Equal(200, (int)stopped.StatusCode);
        Assert.True(call.Stopped.IsCancellationRequested);
        var parts = (await ServerBench.EventsAsync(follow)).Select(Parse).ToList();
        Assert.Equal("started", (string?)parts[0]["type"]);
        Assert.Equal("cancelled", (string?)parts[^1]["finish_reason"]);
    }

    [Fact]
    public async Task THR_10_the_turn_of_another_person_is_not_there()
    {
        await using var bench = await ServerBench.StartAsync();
        using var other = bench.ClientWith("chat");
        var turnId = Parse((await ServerBench.EventsAsync(await AskAsync(bench.Client, "mine")))[0])["turn_id"];

        Assert.Equal(404, (await ServerBench.ErrorAsync(other.GetAsync($"/api/turns/{turnId}"))).Status);
        Assert.Equal(404, (await ServerBench.ErrorAsync(other.PostAsync($"/api/turns/{turnId}/stop", null))).Status);
        Assert.Equal(404, (await ServerBench.ErrorAsync(other.DeleteAsync($"/api/turns/{turnId}"))).Status);
        Assert.Equal(404, (await ServerBench.ErrorAsync(other.PostAsync(
            $"/api/turns/{turnId}/feedback", ServerBench.Body(new JsonObject { ["vote"] = "good" })))).Status);
    }

    [Fact]
    public async Task A_vote_on_an_answer_that_is_not_kept_is_counted()
    {
        await using var bench = await ServerBench.StartAsync();
        var turnId = Parse((await ServerBench.EventsAsync(await AskAsync(bench.Client, "mine")))[0])["turn_id"];

        var (status, json) = await ServerBench.ReadAsync(bench.Client.PostAsync(
            $"/api/turns/{turnId}/feedback", ServerBench.Body(new JsonObject { ["vote"] = "good" })));
        var wrong = await ServerBench.ErrorAsync(bench.Client.PostAsync(
            $"/api/turns/{turnId}/feedback", ServerBench.Body(new JsonObject { ["vote"] = "great" })));

        Assert.Equal((200, false), (status, (bool?)json["kept"]));
        Assert.Contains("vote must be good, bad or none", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QUE_3_a_person_with_too_many_turns_gets_429_with_a_time_in_whole_seconds()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = null;
        using var first = await BeginAsync(bench.Client, "1");
        using var second = await BeginAsync(bench.Client, "2");

        using var third = await AskAsync(bench.Client, "3");

        Assert.Equal(429, (int)third.StatusCode);
        Assert.True(third.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task While_nothing_happens_a_comment_line_comes_every_15_seconds()
    {
        await using var bench = await ServerBench.StartAsync(("NextGpt:Turns:FirstTokenTimeout", "01:00:00"));
        bench.Model.Rule = null;
        using var answer = await BeginAsync(bench.Client, "slow");
        await bench.Model.NextCallAsync();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var line = "";

        // The wait begins a moment after the last part went out, so time goes on in steps until the line is there.
        while (!line.StartsWith(':'))
        {
            var next = reader.ReadLineAsync();
            while (await Task.WhenAny(next, Task.Delay(20)) != next)
            {
                bench.Time.Advance(TimeSpan.FromSeconds(1));
            }

            line = await next ?? throw new InvalidOperationException("The stream ended.");
        }

        Assert.Equal(": waiting", line);
    }

    [Fact]
    public void Every_part_survives_the_way_over_the_wire()
    {
        ReplyPart[] parts =
        [
            new TurnAccepted("abc") { IsRepeat = true },
            new TurnQueued(3, TimeSpan.FromSeconds(40)),
            new TurnStarted("m+a", 7),
            new AnswerText("hé\n\"\u2028"),
            new AnswerNotice("note"),
            new TurnFinished
            {
                FinishReason = "stop", PromptTokens = 1, ReplyTokens = 2, Kept = true, Duration = TimeSpan.FromSeconds(1.5),
            },
            new TurnFailed(new TurnError("busy", "Wait.", "7F3K", TimeSpan.FromSeconds(4)) { HttpStatus = 503, Field = "x" }),
        ];

        foreach (var part in parts)
        {
            using var json = JsonDocument.Parse(ReplyPartJson.Write(part).ToJsonString());
            Assert.Equal(part, ReplyPartJson.Read(json.RootElement));
        }
    }

    private static JsonNode Parse(string json) => JsonNode.Parse(json) ?? new JsonObject();

    private static Task<HttpResponseMessage> AskAsync(HttpClient client, string text, string? conversation = null) =>
        client.PostAsync("/api/turns", ServerBench.Body(new JsonObject { ["text"] = text, ["conversation"] = conversation }));

    private static Task<HttpResponseMessage> BeginAsync(HttpClient client, string text) => client.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/api/turns")
        {
            Content = ServerBench.Body(new JsonObject { ["text"] = text }),
        },
        HttpCompletionOption.ResponseHeadersRead);
}
