using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests.Rest;

public sealed class RestClientTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly ScriptedHandler _discord;
    private readonly RestClient _rest;
    private readonly DiscordApi _api;

    public RestClientTests()
    {
        _discord = new ScriptedHandler(_time);
        _rest = new RestClient(
            _discord, new Uri("https://discord.com/api/v10/"), "secret-token", "DiscordBot (https://example.org, 1)", _time,
            NullLogger.Instance);
        _api = new DiscordApi(_rest) { Application = "9" };
    }

    [Fact]
    public async Task R1_an_empty_bucket_waits_for_its_reset_and_another_channel_does_not()
    {
        _discord.Answer = (call, _) => call.Contains("/channels/1/", StringComparison.Ordinal)
            ? ScriptedHandler.Ok(("X-RateLimit-Bucket", "b"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset-After", "2.5"))
            : ScriptedHandler.Ok();
        await PostAsync("1");

        var second = PostAsync("1");
        await PostAsync("2").WaitAsync(TimeSpan.FromSeconds(20));
        await AdvanceAsync(TimeSpan.FromSeconds(2.4));
        Assert.Equal(2, _discord.Calls.Count);
        Assert.False(second.IsCompleted);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));

        await DoneAsync(second);
        Assert.True(_discord.Calls[2].At - _discord.Calls[0].At >= TimeSpan.FromSeconds(2.5));
    }

    [Fact]
    public async Task R1_routes_that_share_Discords_bucket_wait_for_each_other_and_calls_of_one_bucket_keep_their_order()
    {
        _discord.Answer = (call, number) => ScriptedHandler.Ok(
            ("X-RateLimit-Bucket", "shared"), ("X-RateLimit-Remaining", number < 2 ? "5" : "0"), ("X-RateLimit-Reset-After", "3"));
        await PostAsync("1");
        await EditAsync("1", "7");   // both routes have told their bucket's name
        await PostAsync("1");

        var edit = EditAsync("1", "7");
        await AdvanceAsync(TimeSpan.FromSeconds(2.9));
        Assert.Equal(3, _discord.Calls.Count);
        await AdvanceAsync(TimeSpan.FromSeconds(0.2));
        await DoneAsync(edit);

        _discord.Answer = (_, _) => ScriptedHandler.Ok();
        var release = new TaskCompletionSource();
        _discord.Gate = _ => release.Task;
        var many = Enumerable.Range(0, 5).Select(number => PostAsync("3", $"text {number}")).ToList();
        release.SetResult();
        await DoneAsync(Task.WhenAll(many));
        Assert.Equal(
            Enumerable.Range(0, 5).Select(number => $"text {number}"),
            _discord.Calls.Skip(4).Select(call => (string?)System.Text.Json.Nodes.JsonNode.Parse(call.Body)!["content"]));
    }

    [Theory]
    [InlineData("9", 1.5, "4", 9)]
    [InlineData("2", 6.25, "4", 6.25)]
    [InlineData("1", 1.0, "7.5", 7.5)]
    public async Task R2_of_the_waits_that_a_refusal_names_the_longest_counts(string retryAfter, double body, string resetAfter, double seconds)
    {
        _discord.Answer = (_, number) => number > 0 ? ScriptedHandler.Ok() : ScriptedHandler.Reply(
            429, $$"""{"retry_after":{{body.ToString(System.Globalization.CultureInfo.InvariantCulture)}},"global":false}""",
            ("Retry-After", retryAfter), ("X-RateLimit-Reset-After", resetAfter), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Scope", "user"));

        var post = PostAsync("1");
        await AdvanceAsync(TimeSpan.FromSeconds(seconds - 0.05));
        Assert.Single(_discord.Calls);
        await AdvanceAsync(TimeSpan.FromSeconds(0.1));

        await DoneAsync(post);
        Assert.True(_discord.Calls[1].At - _discord.Calls[0].At >= TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task R3_a_global_refusal_stops_every_call_but_answers_to_interactions()
    {
        _discord.Answer = (_, number) => number > 0 ? ScriptedHandler.Ok()
            : ScriptedHandler.Reply(429, """{"retry_after":3,"global":true}""", ("Retry-After", "3"), ("X-RateLimit-Global", "true"));

        var first = PostAsync("1");
        await DiscordSimulator.UntilAsync(() => _discord.Calls.Count == 1, "the first call");
        await SettleAsync();
        var other = PostAsync("2");
        await _api.AnswerAsync("77", "token", 5, null, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(["POST /channels/1/messages", "POST /interactions/77/token/callback"], _discord.Calls.Select(call => call.Call));
        Assert.False(other.IsCompleted);
        await AdvanceAsync(TimeSpan.FromSeconds(3.1));

        await DoneAsync(Task.WhenAll(first, other));
    }

    [Fact]
    public async Task R3_fifty_calls_a_second_and_no_more()
    {
        var calls = Enumerable.Range(0, 60).Select(number => PostAsync($"{number}")).ToList();
        await SettleAsync();
        Assert.Equal(50, _discord.Calls.Count);
        await AdvanceAsync(TimeSpan.FromSeconds(1.1));

        await DoneAsync(Task.WhenAll(calls));
        Assert.Equal(60, _discord.Calls.Count);
    }

    [Fact]
    public async Task R3_a_shared_refusal_is_not_invalid_and_a_refused_token_ends_all_calls()
    {
        _discord.Answer = (_, number) => number switch
        {
            0 => ScriptedHandler.Reply(429, """{"retry_after":0.5}""", ("X-RateLimit-Scope", "shared")),
            1 => ScriptedHandler.Reply(403, """{"code":50013,"message":"Missing Permissions"}"""),
            2 => ScriptedHandler.Reply(401, """{"code":0,"message":"401: Unauthorized"}"""),
            _ => ScriptedHandler.Ok(),
        };
        var first = PostAsync("1");
        await SettleAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(0.6));

        Assert.Equal(RestCode.MissingPermissions, (await Assert.ThrowsAsync<RestException>(() => DoneAsync(first))).Code);
        Assert.Equal(1, _rest.Brake.Count);
        await Assert.ThrowsAsync<RestException>(() => PostAsync("1"));
        await Assert.ThrowsAsync<RestException>(() => PostAsync("2"));
        Assert.Equal(3, _discord.Calls.Count);
        Assert.True(_rest.Brake.IsTokenRefused);
    }

    [Fact]
    public async Task R3_the_count_of_invalid_calls_slows_down_and_then_stops_until_ten_minutes_have_passed()
    {
        var brake = new InvalidCallBrake(_time);
        for (var i = 0; i < 1_000; i++)
        {
            brake.Count429Or4xx(403, null);
        }

        var slowed = brake.PassAsync(CancellationToken.None);
        Assert.False(slowed.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await DoneAsync(slowed);
        for (var i = 0; i < 4_000; i++)
        {
            brake.Count429Or4xx(429, "user");
        }

        var stopped = brake.PassAsync(CancellationToken.None);
        await AdvanceAsync(TimeSpan.FromMinutes(9));
        Assert.False(stopped.IsCompleted);
        for (var i = 0; i < 8 && !stopped.IsCompleted; i++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(10));
        }

        await DoneAsync(stopped);
        Assert.Equal(0, brake.Count);
    }

    [Fact]
    public async Task R4_a_message_whose_answer_was_lost_is_sent_again_under_the_same_nonce()
    {
        _discord.Answer = (_, number) => number == 0 ? ScriptedHandler.Reply(502, "<html>bad gateway</html>") : ScriptedHandler.Ok();

        var post = PostAsync("1", nonce: OutgoingMessage.NonceOf("turn", "0"));
        await SettleAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        await DoneAsync(post);
        Assert.Equal("5", await post);

        Assert.Equal(2, _discord.Calls.Count);
        Assert.Equal(_discord.Calls[0].Body, _discord.Calls[1].Body);
        Assert.Contains("\"enforce_nonce\":true", _discord.Calls[0].Body, StringComparison.Ordinal);
        Assert.InRange(OutgoingMessage.NonceOf("turn", "0").Length, 1, 25);
        Assert.NotEqual(OutgoingMessage.NonceOf("turn", "0"), OutgoingMessage.NonceOf("turn", "1"));
    }

    [Fact]
    public async Task R4_three_tries_and_no_more_and_none_again_without_a_nonce()
    {
        _discord.Answer = (_, _) => throw new HttpRequestException("no route to host");

        var with = PostAsync("1", nonce: "n");
        for (var i = 0; i < 5; i++)
        {
            await SettleAsync();
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => DoneAsync(with));
        Assert.Equal(3, _discord.Calls.Count);
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("1"));
        Assert.Equal(4, _discord.Calls.Count);
    }

    [Fact]
    public async Task R4_what_Discord_refuses_is_not_sent_again_and_a_dead_interaction_is_never_called_again()
    {
        _discord.Answer = (_, _) => ScriptedHandler.Reply(404, """{"code":10015,"message":"Unknown Webhook"}""");

        await Assert.ThrowsAsync<RestException>(() => _api.EditAnswerAsync("t", "@original", new OutgoingMessage { Content = "x" }, default));
        var again = await Assert.ThrowsAsync<RestException>(
            () => _api.EditAnswerAsync("t", "@original", new OutgoingMessage { Content = "x" }, default));

        Assert.True(RestCode.IsGone(again.Code));
        Assert.Single(_discord.Calls);
    }

    [Fact]
    public async Task R5_every_call_says_who_it_is()
    {
        await PostAsync("1");
        await _api.AnswerAsync("77", "token", 5, null, CancellationToken.None);

        Assert.All(_discord.Calls, call =>
        {
            Assert.Equal("Bot secret-token", call.Message.Headers.Authorization?.ToString());
            Assert.Equal("DiscordBot (https://example.org, 1)", call.Message.Headers.UserAgent.ToString());
        });
    }

    [Fact]
    public async Task M3_nobody_is_pinged_on_create_and_on_edit()
    {
        await PostAsync("1", "@everyone <@1>");
        await EditAsync("1", "7");

        Assert.All(_discord.Calls, call => Assert.Contains(
            """
            "allowed_mentions":{"parse":[],"replied_user":false}
            """, call.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task R5_the_path_holds_no_more_than_was_meant()
    {
        await PostAsync("1/../../users/@me");

        Assert.DoesNotContain("users", _discord.Calls[0].Call.Split("..")[0], StringComparison.Ordinal);
        Assert.StartsWith("POST /channels/1%2F", _discord.Calls[0].Call, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _rest.Dispose();
        _discord.Dispose();
    }

    private Task<string> PostAsync(string channel, string text = "hello", string? nonce = null) =>
        _api.PostAsync(channel, new OutgoingMessage { Content = text, Nonce = nonce }, CancellationToken.None);

    private Task EditAsync(string channel, string message) =>
        _api.EditAsync(channel, message, new OutgoingMessage { Content = "@everyone" }, CancellationToken.None);

    /// <summary>Lets everything that can go on go on before and after time passes.</summary>
    private async Task AdvanceAsync(TimeSpan span)
    {
        await SettleAsync();
        _time.Advance(span);
        await SettleAsync();
    }

    /// <summary>Lets time pass until it is done: whoever sets a timer late still sees it go off.</summary>
    private async Task DoneAsync(Task task)
    {
        for (var i = 0; i < 20_000 && !task.IsCompleted; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await task.WaitAsync(TimeSpan.FromSeconds(1));
    }

    private static async Task SettleAsync()
    {
        for (var i = 0; i < 12; i++)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
