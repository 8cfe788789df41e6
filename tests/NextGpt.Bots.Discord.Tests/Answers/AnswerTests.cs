using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Tests.Simulator;
using NextGpt.Host.Tests;
using static NextGpt.Bots.Discord.Tests.BotBench;

namespace NextGpt.Bots.Discord.Tests.Answers;

public sealed class AnswerTests
{
    [Fact]
    public async Task C2_AID_1_a_direct_message_is_answered_with_votes_and_the_word_that_an_AI_answers()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();

        await bench.Simulator.SayAsync("hello");

        var answer = await bench.AnsweredAsync("re: hello");
        Assert.Contains("AI", Text(answer), StringComparison.Ordinal);
        Assert.Single(bench.Answers());
        Assert.NotEmpty(bench.Simulator.RequestsTo($"POST /channels/{SimulatedWorld.DirectId}/typing"));
        await bench.Simulator.SayAsync("again");
        await bench.AnsweredAsync("re: again");
        Assert.Equal(["hello", "re: hello", "again"], bench.Model.Calls[1].Messages.TakeLast(3).Select(message => message.Text));
    }

    [Fact]
    public async Task C1_a_mention_starts_a_thread_and_the_conversation_goes_on_there()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();

        var question = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> what is this?", SimulatedWorld.ChannelId);
        await bench.AnsweredAsync("re: what is this?", question);
        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> and that?", question);
        await bench.AnsweredAsync("re: and that?", question);

        Assert.Equal("what is this?", (string?)bench.Simulator.World.Channels[question]["name"]);
        Assert.Empty(bench.Answers(SimulatedWorld.ChannelId));
        Assert.Single(bench.Simulator.RequestsTo("POST /channels/"), request => request.Path.EndsWith("/threads", StringComparison.Ordinal));
        Assert.Equal(
            ["what is this?", "re: what is this?", "and that?"],
            bench.Model.Calls[1].Messages.TakeLast(3).Select(message => message.Text));
    }

    [Fact]
    public async Task C1_a_thread_that_is_there_is_used_and_where_none_can_be_started_a_reply_answers()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        bench.Simulator.Fault = request => request.Path.EndsWith("/threads", StringComparison.Ordinal)
            ? SimulatedAnswer.Error(400, 160004, "A thread has already been created for this message") : null;
        var next = bench.Simulator.World.NewId();
        var expected = (long.Parse(next, System.Globalization.CultureInfo.InvariantCulture) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        bench.Simulator.World.Channels[expected] = new JsonObject { ["id"] = expected, ["type"] = 11, ["parent_id"] = SimulatedWorld.ChannelId };

        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> one", SimulatedWorld.ChannelId);
        await bench.AnsweredAsync("re: one", expected);

        bench.Simulator.Fault = null;
        bench.Simulator.Rest.RefusesThreads = true;
        var question = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> two", SimulatedWorld.OtherChannelId);
        var answer = await bench.AnsweredAsync("re: two", SimulatedWorld.OtherChannelId);
        Assert.Equal(question, (string?)answer["message_reference"]!["message_id"]);
        await bench.Simulator.SayAsync("three", SimulatedWorld.OtherChannelId, replyTo: (string)answer["id"]!);
        // Without the intent a reply that mentions nobody has no text: the hint, not an empty question.
        await DiscordSimulator.UntilAsync(
            () => bench.Answers(SimulatedWorld.OtherChannelId).Any(message => Text(message).Contains("I see only what mentions me", StringComparison.Ordinal)), "the hint");
        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> four", SimulatedWorld.OtherChannelId, replyTo: (string)answer["id"]!);
        await bench.AnsweredAsync("re: four", SimulatedWorld.OtherChannelId);
        Assert.Contains(bench.Model.Calls[^1].Messages, message => message.Text == "re: two");
    }

    [Fact]
    public async Task C2_without_the_intent_an_unread_message_in_a_thread_gets_one_hint_and_no_empty_question()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        var thread = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> start", SimulatedWorld.ChannelId);
        await bench.AnsweredAsync("re: start", thread);

        await bench.Simulator.SayAsync("no mention", thread);
        await bench.Simulator.SayAsync("still none", thread);
        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> end", thread);
        await bench.AnsweredAsync("re: end", thread);

        Assert.Single(bench.Answers(thread), message => Text(message).Contains("I see only what mentions me", StringComparison.Ordinal));
        Assert.Equal(2, bench.Model.Calls.Count);
    }

    [Theory]
    [InlineData(2_001)]
    [InlineData(10_000)]
    public async Task M1_a_long_answer_becomes_several_messages_and_nothing_is_lost(int characters)
    {
        await using var bench = await BotBench.StartAsync();
        var words = string.Join(' ', Enumerable.Range(0, characters).Select(number => $"{number}"))[..characters];
        bench.Model.Rule = call => call.Say("```py\n" + words + "\n```").End();

        await bench.Simulator.SayAsync("long");
        await DiscordSimulator.UntilAsync(
            () => bench.Answers().Count > 0 && bench.Answers()[^1]["components"]!.ToJsonString().Contains("fb:v1", StringComparison.Ordinal), "the last message");

        var messages = bench.Answers().Select(Text).ToList();
        Assert.All(messages, text => Assert.True(text.Length <= 2_000 && text.Split("```").Length % 2 == 1, text));
        var said = string.Join(' ', string.Join('\n', messages).Split(['\n', ' ']).Where(word => word.All(char.IsAsciiDigit) && word.Length > 0));
        Assert.Equal(words.Trim(), said);
    }

    [Fact]
    public async Task M2_picture_and_sound_arrive_with_their_bytes_types_and_words_after_the_text()
    {
        await using var bench = await BotBench.StartAsync();
        bench.Model.Rule = call => call.Say("here: ")
            .Media("started").Media("ready", file: ScriptedMedia.Png, type: "image/png", caption: "A red cat.")
            .Media("started", "audio", 1).Media("ready", "audio", 1, file: ScriptedMedia.Wav, type: "audio/wav", caption: "A purr.")
            .Say("done").End();

        await bench.Simulator.SayAsync("draw");
        await bench.AnsweredAsync("done");
        await DiscordSimulator.UntilAsync(() => bench.Answers().Any(message => message["attachments"]!.AsArray().Count == 2), "the files");

        var sent = bench.Simulator.Requests.Single(request => request.Files.Count > 0);
        Assert.Equal(["picture-1.png", "sound-2.wav"], sent.Files.Select(file => file.Name));
        Assert.Equal(["image/png", "audio/wav"], sent.Files.Select(file => file.ContentType));
        Assert.Equal(["A red cat.", "A purr."], sent.Files.Select(file => file.Description));
        var message = bench.Answers().Single(one => one["attachments"]!.AsArray().Count == 2);
        using var http = new HttpClient();
        var url = (string)message["attachments"]![0]!["url"]!;
        Assert.Equal(ScriptedMedia.Png, await http.GetByteArrayAsync(new Uri(url), TestContext.Current.CancellationToken));
        Assert.Equal(4, (int)sent.Body!["flags"]! & 4);
    }

    [Fact]
    public async Task M2_a_question_that_was_deleted_meanwhile_does_not_keep_an_answer_from_being_posted()
    {
        await using var bench = (await BotBench.StartAsync(settings: ("NextGpt:Discord:StartThreads", "false"))).Echoing();

        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> x", SimulatedWorld.ChannelId);
        await bench.AnsweredAsync("re: x", SimulatedWorld.ChannelId);

        var post = bench.Simulator.RequestsTo($"POST /channels/{SimulatedWorld.ChannelId}/messages")[0];
        Assert.False((bool)post.Body!["message_reference"]!["fail_if_not_exists"]!);
    }

    [Fact]
    public async Task M2_what_answers_a_hidden_question_is_hidden_too()
    {
        await using var bench = await BotBench.StartAsync();
        bench.Model.Rule = call => call.Say("x").Media("started").Media("ready", file: ScriptedMedia.Png, caption: "c").End();

        await bench.Simulator.SayAsync("draw ||the murderer||");
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Requests.Any(request => request.Files.Count > 0), "the file");

        Assert.Equal("SPOILER_picture-1.png", bench.Simulator.Requests.Single(request => request.Files.Count > 0).Files[0].Name);
    }

    [Fact]
    public async Task M3_DIS_2_nobody_is_pinged_by_what_a_model_writes_on_create_and_on_edit()
    {
        await using var bench = await BotBench.StartAsync();
        bench.Model.Rule = call => call.Say("@everyone ");
        await bench.Simulator.SayAsync("ping");
        await DiscordSimulator.UntilAsync(() => bench.Answers().Count > 0, "the first text");
        bench.Model.Calls[0].Say($"<@{SimulatedWorld.BoId}> <@&123>").End();

        await bench.AnsweredAsync($"<@{SimulatedWorld.BoId}>");
        Assert.Empty(bench.Simulator.Rest.Pings);
        Assert.NotEmpty(bench.Simulator.RequestsTo("PATCH /channels/"));
    }

    [Fact]
    public async Task M4_text_streams_by_edits_in_order_at_least_a_second_apart_and_the_last_is_whole()
    {
        await using var bench = await BotBench.StartAsync(settings: ("NextGpt:Discord:EditInterval", "00:00:01"));
        await bench.Simulator.SayAsync("stream");
        var call = await bench.Model.NextCallAsync();
        for (var i = 0; i < 25; i++)
        {
            call.Say($"word{i} ");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        call.End();
        var answer = await bench.AnsweredAsync("word24");

        var shown = bench.Simulator.Requests.Where(request =>
            request.Path.StartsWith($"/channels/{SimulatedWorld.DirectId}/messages", StringComparison.Ordinal)).ToList();
        Assert.InRange(shown.Count, 3, 6);
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= TimeSpan.FromSeconds(0.98)));
        Assert.All(
            shown.Zip(shown.Skip(1)), pair => Assert.True(Words(pair.Second.Body!) >= Words(pair.First.Body!)));
        Assert.StartsWith(string.Concat(Enumerable.Range(0, 25).Select(i => $"word{i} ")).Trim(), Text(answer), StringComparison.Ordinal);

        static int Words(JsonNode body) => ((string)body["content"]!).Split("word").Length;
    }

    [Fact]
    public async Task M5_a_file_that_is_too_large_is_not_posted_and_a_sentence_says_so()
    {
        await using var bench = await BotBench.StartAsync();
        byte[] large = [.. ScriptedMedia.Png, .. new byte[(10 * 1024 * 1024) + 100_000]];
        bench.Model.Rule = call => call.Say("big").Media("started").Media("ready", file: large, caption: "c").End();

        await bench.Simulator.SayAsync("draw");
        await DiscordSimulator.UntilAsync(
            () => bench.Answers().Any(message => Text(message).Contains("10.1 MiB and could not be made to fit into 10 MiB", StringComparison.Ordinal)), "the sentence");

        Assert.DoesNotContain(bench.Simulator.Requests, request => request.Files.Count > 0);
    }

    [Fact]
    public async Task M7_bots_webhooks_system_messages_and_our_own_echo_are_ignored()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        foreach (var change in (Action<JsonObject>[])[
            message => message["author"]!["bot"] = true,
            message => message["webhook_id"] = "1",
            message => message["type"] = 7,
            message => message["author"] = SimulatedWorld.User(SimulatedWorld.BotId)])
        {
            var message = bench.Simulator.World.Message(SimulatedWorld.DirectId, SimulatedWorld.AnaId, "not for you");
            change(message);
            await bench.Simulator.TellAsync("MESSAGE_CREATE", message);
        }

        await bench.Simulator.SayAsync("for you");
        await bench.AnsweredAsync("re: for you");
        await bench.Simulator.TellAsync("MESSAGE_CREATE", bench.Simulator.World.Messages.Values.First(message => Text(message) == "for you"));
        await bench.Simulator.SayAsync("next");
        await bench.AnsweredAsync("re: next");

        Assert.Equal(["for you", "next"], bench.Model.Calls.Select(call => call.Question));
        Assert.Equal(1, bench.Bot.RepeatedEvents);
    }

    [Fact]
    public async Task TRN_1_typing_shows_within_a_second_while_the_model_is_silent_and_stops_with_the_text()
    {
        await using var bench = await BotBench.StartAsync();
        var asked = DateTimeOffset.UtcNow;
        await bench.Simulator.SayAsync("slow");
        var call = await bench.Model.NextCallAsync();

        await DiscordSimulator.UntilAsync(() => bench.Simulator.RequestsTo($"POST /channels/{SimulatedWorld.DirectId}/typing").Count == 1, "typing");
        Assert.True(bench.Simulator.RequestsTo("POST /channels/")[0].At - asked < TimeSpan.FromSeconds(5));
        call.Say("text").End();
        await bench.AnsweredAsync("text");
        Assert.Single(bench.Simulator.RequestsTo($"POST /channels/{SimulatedWorld.DirectId}/typing"));
    }

    [Fact]
    public async Task M7_typing_is_renewed_every_eight_seconds_while_the_model_works_and_not_after_the_first_text()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var place = new TypingPlace();
        var writer = new NextGpt.Bots.Discord.Answers.AnswerWriter(
            place, TimeSpan.FromSeconds(1.2), time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, TestContext.Current.CancellationToken);
        var shown = writer.RunAsync();
        for (var typed = 1; typed <= 5; typed++)
        {
            Assert.Equal(typed, place.Typed);
            time.Advance(TimeSpan.FromSeconds(7.9));
            Assert.Equal(typed, place.Typed);
            time.Advance(TimeSpan.FromSeconds(0.1));
            var next = typed + 1;
            await DiscordSimulator.UntilAsync(() => place.Typed == next, "typing once more");
        }

        writer.Add("text");
        await DiscordSimulator.UntilAsync(() => place.Posted == 1, "the text");
        time.Advance(TimeSpan.FromSeconds(60));
        writer.End();
        await DiscordSimulator.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return shown.IsCompleted;
            },
            "the end");
        Assert.Equal(6, place.Typed);
    }

    private sealed class TypingPlace : NextGpt.Bots.Discord.Answers.IAnswerPlace
    {
        private int _typed;
        private int _posted;

        public int Typed => Volatile.Read(ref _typed);

        public int Posted => Volatile.Read(ref _posted);

        public long FileBytes => 1;

        public Task<string> PostAsync(string part, NextGpt.Bots.Discord.Rest.OutgoingMessage message, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _posted);
            return Task.FromResult("1");
        }

        public Task EditAsync(string message, NextGpt.Bots.Discord.Rest.OutgoingMessage changed, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public Task TypeAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _typed);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task TRN_3_stop_by_button_ends_the_answer_for_the_asker_alone()
    {
        await using var bench = await BotBench.StartAsync();
        await bench.Simulator.SayAsync("long");
        var call = await bench.Model.NextCallAsync();
        call.Say("beginning");
        await DiscordSimulator.UntilAsync(() => bench.Answers().Any(message => message["components"]!.ToJsonString().Contains("st:v1:", StringComparison.Ordinal)), "the stop button");
        var id = (string)bench.Answers()[0]["components"]![0]!["components"]![0]!["custom_id"]!;

        var other = await bench.Simulator.PressAsync(id, person: SimulatedWorld.BoId);
        await DiscordSimulator.UntilAsync(() => other.Answer is not null, "an answer to the other");
        Assert.True(other.IsPrivate);
        Assert.False(call.Stopped.IsCancellationRequested);
        await bench.Simulator.PressAsync(id);

        await bench.AnsweredAsync("Stopped.");
        Assert.True(call.Stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task TRN_5_an_edited_question_marks_the_answer_and_is_answered_anew_on_request_a_deleted_one_stops()
    {
        await using var bench = await BotBench.StartAsync();
        bench.Model.Rule = call => call.Say($"re: {call.Question}").End();
        var question = await bench.Simulator.SayAsync("one");
        await bench.AnsweredAsync("re: one");

        await bench.Simulator.EditAsync(question, "two");
        await DiscordSimulator.UntilAsync(() => bench.Answers().Any(message => Text(message).Contains("Outdated", StringComparison.Ordinal)), "the mark");
        await bench.Simulator.PressAsync($"ag:v1:{question}", person: SimulatedWorld.BoId);
        await bench.Simulator.PressAsync($"ag:v1:{question}");
        await bench.AnsweredAsync("re: two");
        Assert.Equal(2, bench.Model.Calls.Count);

        bench.Model.Rule = null;
        var next = await bench.Simulator.SayAsync("three");
        await bench.Model.NextCallAsync();   // of "one"
        await bench.Model.NextCallAsync();   // of "two"
        var call = await bench.Model.NextCallAsync();
        await bench.Simulator.DeleteAsync(next);
        await DiscordSimulator.UntilAsync(() => call.Stopped.IsCancellationRequested, "the model is free");
    }

    [Fact]
    public async Task C2_a_person_who_takes_no_messages_ends_the_answer_quietly_and_frees_the_model()
    {
        await using var bench = await BotBench.StartAsync();
        bench.Simulator.Fault = request => request.Method == "POST" && request.Path.EndsWith("/messages", StringComparison.Ordinal)
            ? SimulatedAnswer.Error(403, 50007, "Cannot send messages to this user") : null;
        await bench.Simulator.SayAsync("hello");
        var call = await bench.Model.NextCallAsync();
        call.Say("text");

        await DiscordSimulator.UntilAsync(() => call.Stopped.IsCancellationRequested, "the model is free");
        Assert.Single(bench.Simulator.RequestsTo($"POST /channels/{SimulatedWorld.DirectId}/messages"));
        Assert.DoesNotContain(bench.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }
}
