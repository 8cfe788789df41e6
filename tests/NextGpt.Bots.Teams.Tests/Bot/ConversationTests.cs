using System.Net;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Tests.Connector;
using NextGpt.Bots.Teams.Tests.Counterparts;
using NextGpt.Host.Tests;

namespace NextGpt.Bots.Teams.Tests.Bot;

public sealed class ConversationTests
{
    private static Task<HttpResponseMessage?> Usual => Task.FromResult<HttpResponseMessage?>(null);

    [Fact]
    public async Task B2_TRN_1_activities_are_taken_while_the_model_blocks_and_a_repeat_is_answered_once()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.SayAsync("Block");
        var blocked = await world.Model.NextCallAsync();

        var accepted = await world.SayAsync("Hello", person: "p2", id: "same");
        var again = await world.SayAsync("Hello", person: "p2", id: "same");

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);   // the model has said nothing yet
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        world.Model.Rule = call => call.Say("Hi").End();
        blocked.Say("Free").End();
        await world.MessagesAsync(2);
        await world.SettleAsync();
        Assert.Equal(2, world.Service.Messages.Count);
    }

    [Theory]
    [InlineData("https://smba.trafficmanager.net/emea/")]
    [InlineData("https://smba.trafficmanager.net/emea")]
    public async Task B3_the_service_address_is_joined_by_hand_and_ids_are_encoded(string service)
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();

        await world.PostAsync(world.Activity("message", "channel").With("text", "Hello").With("serviceUrl", service));
        await world.MessagesAsync(1);

        Assert.Equal(
            "https://smba.trafficmanager.net/emea/v3/conversations/19%3Ax%40thread.tacv2%3Bmessageid%3D5/activities/in-1",
            world.Service.Messages[0].Address.AbsoluteUri);
    }

    [Theory]
    [InlineData(202, null)]
    [InlineData(200, "")]
    [InlineData(404, """{"error":{"code":"ConversationNotFound","message":"gone"}}""")]
    [InlineData(403, """{"code":"BotNotInConversationRoster","message":"no"}""")]
    [InlineData(400, "<html>")]
    public async Task B4_odd_answers_of_the_service_end_nothing_else(int status, string? body)
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        world.Service.Rule = (call, _) =>
            call.IsMessage && world.Service.Messages.Count == 1 ? Reply(status, body) : Usual;

        await world.SayAsync("Hello", "groupChat");
        await world.MessagesAsync(1);
        await world.SayAsync("Hello again", "groupChat");
        await world.MessagesAsync(2);

        Assert.StartsWith("Hi", world.Service.Messages[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task B4_a_call_that_is_never_answered_is_given_up_and_not_sent_twice()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        world.Service.Rule = async (call, token) =>
        {
            if (call.IsMessage && world.Service.Messages.Count == 1)
            {
                await Task.Delay(Timeout.Infinite, token);
            }

            return null;
        };

        await world.SayAsync("Hello", "groupChat");
        await world.MessagesAsync(1);
        await world.SayAsync("Hello again", "groupChat");
        await world.MessagesAsync(2);
        await world.SettleAsync();

        Assert.Equal(2, world.Service.Messages.Count);
    }

    [Theory]
    [InlineData(429, 7)]
    [InlineData(429, null)]
    [InlineData(412, null)]
    [InlineData(502, null)]
    [InlineData(504, null)]
    public async Task B5_a_refused_message_is_sent_again_in_order(int status, int? retryAfter)
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say($"Answer to {call.Question}").End();
        world.Service.Rule = (call, _) =>
            call.IsMessage && world.Service.Messages.Count <= 2 ? Reply(status, null, retryAfter) : Usual;

        await world.SayAsync("one", "groupChat");
        await world.SayAsync("two", "groupChat");
        await world.MessagesAsync(4);

        var messages = world.Service.Messages;
        Assert.All(messages.Take(3), message => Assert.StartsWith("Answer to one", message.Text, StringComparison.Ordinal));
        Assert.StartsWith("Answer to two", messages[3].Text, StringComparison.Ordinal);
        Assert.True(messages[1].At - messages[0].At >= TimeSpan.FromSeconds(retryAfter ?? 2));
    }

    [Fact]
    public async Task B5_a_message_that_is_too_large_is_split()
    {
        await using var world = await TeamsWorld.StartAsync();
        var text = string.Join("\n\n", Enumerable.Range(0, 60).Select(i => $"Paragraph {i} {new string('x', 60)}"));
        world.Model.Rule = call => call.Say(text).End();
        world.Service.Rule = (call, _) => call.IsMessage && call.Text.Length > 3_000 ? Reply(413) : Usual;

        await world.SayAsync("Hello", "groupChat");
        await world.UntilAsync(() => world.Service.Messages.Count(message => message.Text.Length <= 3_000) >= 2);

        var said = string.Join("\n", world.Service.Messages.Where(message => message.Text.Length <= 3_000).Select(m => m.Text));
        Assert.All(Enumerable.Range(0, 60), i => Assert.Contains($"Paragraph {i} ", said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task C2_TEA_1_the_bots_mention_goes_others_stay_and_the_models_markup_is_inert()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("I ask <at>Everybody</at> & see !").Say("[x](https://evil.example/p.png)").End();

        await world.PostAsync(world.Activity("message", "channel")
            .With("text", "<at>NextGpt</at>&nbsp;ask <at>Anna</at> about 3 &lt; 5")
            .With("entities", new JsonArray(Mention("NextGpt", "28:bot"), Mention("Anna", "29:anna"))));
        await world.MessagesAsync(1);

        Assert.Equal("ask Anna about 3 < 5", world.Model.Calls[0].Question);
        var said = world.Service.Messages[0];
        Assert.StartsWith(
            "I ask &lt;at>Everybody&lt;/at> &amp; see !\\[x](https://evil.example/p.png)", said.Text, StringComparison.Ordinal);
        Assert.Equal("AIGeneratedContent", (string?)said.Body!["entities"]![0]!["additionalType"]![0]);   // AID-1
    }

    [Fact]
    public void C2_escaped_text_only_grows()
    {
        const string text = "a < b & ![x](y) <at>c</at> !";
        for (var length = 1; length < text.Length; length++)
        {
            Assert.StartsWith(MessageText.Escape(text[..length]), MessageText.Escape(text), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task S1_TEA_1_a_personal_answer_streams_with_rising_numbers_and_growing_text_a_second_apart()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        foreach (var word in (string[])["One ", "two ", "three ", "four."])
        {
            call.Say(word);
            await world.UntilAsync(() => world.Service.Calls.Any(item => item.Text.EndsWith(word, StringComparison.Ordinal)));
        }

        call.End();
        await world.MessagesAsync(1);

        var stream = world.Service.Calls.Where(item => item.IsUpdate).ToList();
        Assert.Equal("informative", stream[0].StreamType);
        Assert.Equal(Enumerable.Range(1, stream.Count), stream.Select(item => (int)item.Body!["entities"]![0]!["streamSequence"]!));
        Assert.All(stream.Skip(1), item => Assert.Equal("m-1", (string?)item.Body!["entities"]![0]!["streamId"]));
        var texts = stream.Where(item => item.StreamType == "streaming").Select(item => item.Text).ToList();
        Assert.All(texts.Zip(texts.Skip(1)), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
        var final = Assert.Single(world.Service.Messages);
        Assert.StartsWith("One two three four.", final.Text, StringComparison.Ordinal);
        Assert.Equal("final", final.StreamType);
        Assert.Null(final.Body!["entities"]![0]!["streamSequence"]);
        Assert.Equal("default", (string?)final.Body["channelData"]!["feedbackLoop"]!["type"]);
        var times = stream.Append(final).Select(item => item.At).ToList();
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(405, "")]
    [InlineData(400, """{"error":{"code":"BadArgument","message":"streaming api is not enabled"}}""")]
    [InlineData(403, """{"error":{"code":"ContentStreamNotAllowed","message":"not here"}}""")]
    public async Task S2_a_refused_stream_becomes_one_message(int status, string body)
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("All of it.").End();
        world.Service.Rule = (call, _) => call.StreamType is not null ? Reply(status, body) : Usual;

        await world.SayAsync("Tell me");
        await world.MessagesAsync(1);
        await world.SettleAsync();

        Assert.StartsWith("All of it.", Assert.Single(world.Service.Messages).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S2_in_a_group_nothing_is_streamed_and_one_message_comes()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.SayAsync("Tell me", "groupChat");
        var call = await world.Model.NextCallAsync();
        await world.UntilAsync(() => world.Service.Calls.Count(item => item.Type == "typing") >= 3);
        call.Say("All of it.").End();
        await world.MessagesAsync(1);
        await world.SettleAsync();

        Assert.Single(world.Service.Messages);
        Assert.DoesNotContain(world.Service.Calls, item => item.StreamType is not null);
    }

    [Fact]
    public async Task S2_a_stream_that_the_service_ended_for_its_age_is_finished_by_an_update()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Service.Rule = (call, _) => call.StreamType is not null && call.Text.Contains("two", StringComparison.Ordinal)
            ? Reply(403, """{"error":{"code":"ContentStreamNotAllowed","message":"Message exceeded streaming time."}}""") : Usual;
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        call.Say("One ");
        await world.UntilAsync(() => world.Service.Calls.Any(item => item.Text == "One "));
        call.Say("two ");
        await world.UntilAsync(() => world.Service.Calls.Any(item => item.Text == "One two "));
        call.Say("three.").End();
        await world.UntilAsync(() => world.Service.Calls.Any(item => item.Method == "PUT"));
        await world.SettleAsync();

        var update = world.Service.Calls.Single(item => item.Method == "PUT");
        Assert.StartsWith("One two three.", update.Text, StringComparison.Ordinal);
        Assert.Empty(world.Service.Messages);
    }

    [Fact]
    public async Task S2_TRN_3_the_persons_stop_frees_the_model()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Service.Rule = (call, _) => call.StreamType == "streaming"
            ? Reply(403, """{"error":{"code":"ContentStreamNotAllowed","message":"Content stream was canceled by user."}}""") : Usual;
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        call.Say("One ");

        await world.UntilAsync(() => call.Stopped.IsCancellationRequested);
        await world.SettleAsync();
        Assert.Empty(world.Service.Messages);
    }

    [Fact]
    public async Task S2_under_429_there_are_fewer_updates_and_the_whole_text_at_the_end()
    {
        await using var world = await TeamsWorld.StartAsync();
        var updates = 0;
        world.Service.Rule = (call, _) => call.IsUpdate && ++updates % 2 == 0 ? Reply(429) : Usual;
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        call.Say("One ").Say("two ");
        await world.UntilAsync(() => updates >= 3);
        call.Say("three.").End();
        await world.MessagesAsync(1);

        Assert.StartsWith("One two three.", world.Service.Messages[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S2_a_stream_nears_its_end_and_goes_on_as_a_message()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        call.Say("One ");
        await world.UntilAsync(() => world.Service.Messages.Count == 1, TimeSpan.FromMilliseconds(500));
        call.Say("two.").End();
        await world.MessagesAsync(2);

        Assert.Equal("final", world.Service.Messages[0].StreamType);
        Assert.Equal("One ", world.Service.Messages[0].Text);
        Assert.StartsWith("two.", world.Service.Messages[1].Text, StringComparison.Ordinal);
        Assert.InRange(
            world.Service.Messages[0].At - world.Service.Calls[0].At, TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(119));
    }

    [Fact]
    public async Task TRN_3_the_word_stop_overtakes_the_answer()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.SayAsync("Tell me");
        var call = await world.Model.NextCallAsync();
        call.Say("One ");

        await world.SayAsync("stop");
        await world.UntilAsync(() => call.Stopped.IsCancellationRequested);
        await world.MessagesAsync(1);

        Assert.Contains("Stopped.", world.Service.Messages[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_expects_replies_has_them_in_the_response_and_late_ones_go_by_the_connector()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Look.").Media("started").Media("completed", file: ScriptedMedia.Png, caption: "a heron").End();
        JsonObject Question(string text) => world.Activity("message").With("text", text).With("deliveryMode", "expectReplies");
        var activity = Question("Hello");
        var answer = world.PostAsync(activity);
        await world.UntilAsync(() => answer.IsCompleted);

        Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
        var text = await (await answer).Content.ReadAsStringAsync();
        var replies = JsonNode.Parse(text)!["activities"]!.AsArray();
        Assert.StartsWith("Look.", (string?)replies[0]!["text"], StringComparison.Ordinal);
        Assert.Equal("application/vnd.microsoft.card.adaptive", (string?)replies[1]!["attachments"]![0]!["contentType"]);
        Assert.Empty(world.Service.Calls);
        await SchemaOracle.CheckAsync(replies.Select(reply => reply!.AsObject()));
        var again = world.PostAsync(activity);   // a repeat has the same response
        await world.UntilAsync(() => again.IsCompleted);
        Assert.Equal(text, await (await again).Content.ReadAsStringAsync());

        world.Model.Rule = null;
        var late = world.PostAsync(Question("Later"));
        await world.UntilAsync(() => late.IsCompleted, TimeSpan.FromSeconds(1));
        Assert.Equal("""{"activities":[]}""", await (await late).Content.ReadAsStringAsync());
        world.Model.Calls[^1].Say("Late.").End();
        await world.MessagesAsync(1);
        Assert.StartsWith("Late.", world.Service.Messages[0].Text, StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage?> Reply(int status, string? body = null, int? retryAfter = null) =>
        Task.FromResult<HttpResponseMessage?>(FakeService.Answer(status, body, retryAfter));

    private static JsonObject Mention(string name, string id) => new()
    {
        ["type"] = "mention",
        ["text"] = $"<at>{name}</at>",
        ["mentioned"] = new JsonObject { ["id"] = id },
    };
}
