using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace NextGpt.Server.Tests.Endpoints;

public sealed class CompletionEndpointsTests
{
    [Fact]
    public async Task A_whole_completion_has_the_shape_that_clients_read()
    {
        await using var bench = await ServerBench.StartAsync();

        var (status, json) = await ServerBench.ReadAsync(CompleteAsync(bench, """
            {"model": "nextgpt", "messages": [{"role": "user", "content": "hello"}], "seed": 5}
            """));

        Assert.Equal(200, status);
        Assert.Equal("chat.completion", (string?)json["object"]);
        Assert.StartsWith("chatcmpl-", (string?)json["id"], StringComparison.Ordinal);
        Assert.Equal("scripted-1", (string?)json["model"]);
        Assert.Equal(5, (long?)json["seed"]);
        Assert.Equal("re: hello", (string?)json["choices"]?[0]?["message"]?["content"]);
        Assert.Equal("assistant", (string?)json["choices"]?[0]?["message"]?["role"]);
        Assert.Equal("stop", (string?)json["choices"]?[0]?["finish_reason"]);
        Assert.Equal(
            (11, 7, 18),
            ((int?)json["usage"]?["prompt_tokens"], (int?)json["usage"]?["completion_tokens"], (int?)json["usage"]?["total_tokens"]));
    }

    [Fact]
    public async Task A_streamed_completion_begins_with_the_role_and_ends_with_reason_usage_and_DONE()
    {
        await using var bench = await ServerBench.StartAsync();

        using var answer = await CompleteAsync(bench, """
            {"messages": [{"role": "user", "content": "hello"}], "stream": true, "stream_options": {"include_usage": true}}
            """);
        var events = await ServerBench.EventsAsync(answer);

        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal("assistant", (string?)chunks[0]["choices"]?[0]?["delta"]?["role"]);
        Assert.Equal("re: hello", string.Concat(chunks.Select(c => (string?)c["choices"]?.AsArray().FirstOrDefault()?["delta"]?["content"])));
        Assert.Equal("stop", (string?)chunks[^2]["choices"]?[0]?["finish_reason"]);
        Assert.Equal(7, (int?)chunks[^1]["usage"]?["completion_tokens"]);
        Assert.Single(chunks.Select(chunk => (string?)chunk["id"]).Distinct());
    }

    [Fact]
    public async Task An_error_after_the_first_words_is_one_error_event_without_DONE()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = call => call.Say("half").Fail(new FormatException("broken"));

        using var answer = await CompleteAsync(bench, """
            {"messages": [{"role": "user", "content": "hello"}], "stream": true}
            """);
        var events = await ServerBench.EventsAsync(answer);

        Assert.Equal("internal", (string?)JsonNode.Parse(events[^1])?["error"]?["code"]);
        Assert.DoesNotContain("[DONE]", events);
    }

    [Fact]
    public async Task Roles_and_parts_reach_the_model_in_order_and_the_history_is_the_callers()
    {
        await using var bench = await ServerBench.StartAsync();
        const string body = """
            {"messages": [
              {"role": "system", "content": "Be brief."},
              {"role": "user", "content": [{"type": "text", "text": "one"}]},
              {"role": "assistant", "content": "1"},
              {"role": "user", "content": "two"}],
             "temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 9, "stop": "END"}
            """;

        await ServerBench.ReadAsync(CompleteAsync(bench, body));
        await ServerBench.ReadAsync(CompleteAsync(bench, body));

        foreach (var call in bench.Model.Calls)
        {
            Assert.Equal(
                [(ChatRole.System, "Be brief."), (ChatRole.User, "one"), (ChatRole.Assistant, "1"), (ChatRole.User, "two")],
                call.Messages.Select(message => (message.Role, message.Text)));
            Assert.Equal((0.5f, 0.9f, 9), (call.Options.Temperature, call.Options.TopP, call.Options.MaxOutputTokens));
            Assert.Equal(["END"], call.Options.StopSequences);
        }

        Assert.Equal(2, bench.Model.Calls.Count);
        Assert.Equal(bench.Model.Calls[0].Options.ConversationId, bench.Model.Calls[1].Options.ConversationId);
    }

    [Theory]
    [InlineData("\"n\": 2", "n above 1 is not offered; leave it out.", "n")]
    [InlineData("\"logprobs\": true", "logprobs is not offered; leave it out.", "logprobs")]
    [InlineData("\"response_format\": {\"type\": \"json_schema\"}", "response_format other than text", "response_format")]
    [InlineData("\"tools\": [{\"type\": \"function\"}]", "tools is not offered", "tools")]
    [InlineData("\"modalities\": [\"text\", \"speech\"]", "the modality speech is not offered", "modalities")]
    public async Task API_5_a_parameter_that_is_not_offered_is_refused_by_name(string parameter, string sentence, string field)
    {
        await using var bench = await ServerBench.StartAsync();

        var (status, json) = await ServerBench.ReadAsync(CompleteAsync(
            bench, $$"""{"messages": [{"role": "user", "content": "hi"}], {{parameter}}}"""));

        Assert.Equal((400, "unsupported_parameter"), (status, (string?)json["error"]?["code"]));
        Assert.Equal(field, (string?)json["error"]?["param"]);
        Assert.Contains(sentence, (string?)json["error"]?["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task API_5_parameters_that_ask_for_nothing_do_no_harm()
    {
        await using var bench = await ServerBench.StartAsync();

        var (status, _) = await ServerBench.ReadAsync(CompleteAsync(bench, """
            {"messages": [{"role": "user", "content": "hi"}], "n": 1, "logprobs": false, "tools": [], "store": false,
             "response_format": {"type": "text"}, "frequency_penalty": 0, "stop": null}
            """));

        Assert.Equal(200, status);
    }

    [Theory]
    [InlineData("""{"messages": []}""", "at least one message")]
    [InlineData("""{}""", "at least one message")]
    [InlineData("""{"messages": [{"role": "assistant", "content": "x"}]}""", "must have the role user")]
    [InlineData("""{"messages": [{"role": "owner", "content": "x"}]}""", "messages[0].role must be")]
    [InlineData("""{"messages": [7]}""", "messages[0] must be an object")]
    [InlineData("""{"messages": [{"role": "user", "content": 7}]}""", "content must be a text")]
    public async Task Messages_that_cannot_be_answered_are_refused_with_their_place(string body, string sentence)
    {
        await using var bench = await ServerBench.StartAsync();

        var error = await ServerBench.ErrorAsync(CompleteAsync(bench, body));

        Assert.Equal(400, error.Status);
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TRN_3_closing_the_connection_stops_the_model()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = null;
        using var leave = new CancellationTokenSource();
        var answer = bench.Client.PostAsync(
            "/v1/chat/completions",
            new StringContent("""{"messages": [{"role": "user", "content": "hi"}]}""", Encoding.UTF8, "application/json"),
            leave.Token);
        var call = await bench.Model.NextCallAsync();

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);

        var stopped = new TaskCompletionSource();
        await using var registration = call.Stopped.Register(stopped.SetResult);
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task The_model_list_names_the_model_that_answers()
    {
        await using var bench = await ServerBench.StartAsync();

        var (_, list) = await ServerBench.ReadAsync(bench.Client.GetAsync("/v1/models"));
        var (_, one) = await ServerBench.ReadAsync(bench.Client.GetAsync("/v1/models/scripted-1"));

        Assert.Equal("scripted-1", (string?)list["data"]?[0]?["id"]);
        Assert.Equal("current", (string?)one["state"]);
        Assert.Equal(404, (await ServerBench.ErrorAsync(bench.Client.GetAsync("/v1/models/other"))).Status);
    }

    private static Task<HttpResponseMessage> CompleteAsync(ServerBench bench, string body) => bench.Client.PostAsync(
        "/v1/chat/completions", new StringContent(body, Encoding.UTF8, "application/json"));
}
