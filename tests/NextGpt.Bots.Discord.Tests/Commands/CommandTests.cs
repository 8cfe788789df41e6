using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Tests.Simulator;
using NextGpt.Conversations;
using NextGpt.Host.Tests;
using static NextGpt.Bots.Discord.Tests.BotBench;

namespace NextGpt.Bots.Discord.Tests.Commands;

public sealed class CommandTests
{
    [Fact]
    public async Task I1_a_command_is_acknowledged_while_the_model_is_silent_then_edited_and_followed()
    {
        await using var bench = await BotBench.StartAsync();

        var interaction = await bench.Simulator.CommandAsync("draw", SimulatedWorld.ChannelId, options: ("prompt", "a cat"));
        var call = await bench.Model.NextCallAsync();
        await DiscordSimulator.UntilAsync(() => interaction.Answer is not null, "the acknowledgement");
        Assert.Equal(5, (int)interaction.Answer!["type"]!);
        Assert.True(interaction.AnsweredAt - interaction.At < TimeSpan.FromSeconds(3));
        call.Say("a cat: ").Media("started").Media("ready", file: ScriptedMedia.Png, caption: "A cat.").End();

        await DiscordSimulator.UntilAsync(() => interaction.FollowUps.Count == 1, "the picture");
        Assert.StartsWith("a cat:", Text(interaction.Message!), StringComparison.Ordinal);
        Assert.Contains("fb:v1:up", interaction.Message!["components"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("a cat", call.Question);
    }

    [Fact]
    public async Task I1_describe_hands_its_file_to_the_model_and_a_command_that_makes_nothing_here_says_so()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();

        var described = await bench.Simulator.CommandAsync("describe", file: new SimulatedFile("cat.png", "image/png", ScriptedMedia.Png));

        await DiscordSimulator.UntilAsync(() => described.Message is not null && Text(described.Message).Contains("re: Describe this.", StringComparison.Ordinal), "the answer");
        Assert.Contains(bench.Model.Calls[0].Messages[^1].Contents, part => part is Microsoft.Extensions.AI.DataContent);
    }

    [Fact]
    public async Task I1_a_command_is_acknowledged_at_once_while_the_model_says_nothing_for_a_minute()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await BotBench.StartAsync(time: time);

        var interaction = await bench.Simulator.CommandAsync("ask", SimulatedWorld.ChannelId, options: [("prompt", "a cat"), ("kind", "picture")]);
        var call = await bench.Model.NextCallAsync();   // asked only after the acknowledgement
        Assert.Equal(5, (int)interaction.Answer!["type"]!);
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("", Text(interaction.Message!));
        call.Say("a cat: ").Media("started").Media("ready", file: ScriptedMedia.Png, caption: "A cat.").End();
        await DiscordSimulator.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return interaction.FollowUps.Count == 1;
            },
            "the picture");

        Assert.StartsWith("a cat:", Text(interaction.Message!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task I2_after_fourteen_minutes_of_work_the_answer_is_a_message_of_the_channel()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await BotBench.StartAsync(time: time);
        await bench.Simulator.CommandAsync("chat", SimulatedWorld.ChannelId, options: ("prompt", "x"));
        var call = await bench.Model.NextCallAsync();

        time.Advance(TimeSpan.FromMinutes(14));
        call.Say("late answer").End();
        await DiscordSimulator.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return bench.Shown.ContainsKey("late answer");
            },
            "the answer");

        Assert.Contains(bench.Answers(SimulatedWorld.ChannelId), message => Text(message).StartsWith("late answer", StringComparison.Ordinal));
        Assert.DoesNotContain(bench.Simulator.Requests, request => request.Path.Contains("/webhooks/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task I2_R4_a_follow_up_whose_answer_was_lost_is_there_once_whether_it_arrived_or_not(bool arrived)
    {
        await using var bench = await BotBench.StartAsync();
        var faults = 0;
        bench.Simulator.Fault = request =>
        {
            if (request.Method != "POST" || !request.Path.StartsWith("/webhooks/", StringComparison.Ordinal) || Interlocked.Increment(ref faults) > 1)
            {
                return null;
            }

            if (arrived)
            {
                bench.Simulator.Rest.Answer(request);   // done, and nobody hears of it
            }

            return new SimulatedAnswer(500);
        };
        bench.Model.Rule = call => call.Say("here: ").Media("started").Media("ready", file: ScriptedMedia.Png, caption: "A cat.").End();

        var interaction = await bench.Simulator.CommandAsync("draw", SimulatedWorld.ChannelId, options: ("prompt", "a cat"));
        await DiscordSimulator.UntilAsync(() => interaction.FollowUps.Count > 0 && bench.Bot.Runner.Running == 0, "the picture");

        Assert.Single(interaction.FollowUps);
        Assert.Equal(arrived ? 1 : 2, faults);
    }

    [Fact]
    public async Task DIS_1_the_command_of_a_message_asks_about_it_and_keeps_nothing_of_a_person_who_did_not_agree()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-discord-").FullName;
        await using var log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = folder }, TimeProvider.System);
        await using var bench = (await BotBench.StartAsync(log: log)).Echoing();
        await bench.Simulator.PressAsync("cs:v1:keep");
        await DiscordSimulator.UntilAsync(() => bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Keep, "consent");

        await AskAboutAsync(SimulatedWorld.BoId, "words of bo");
        await AskAboutAsync(SimulatedWorld.AnaId, "words of ana");

        Assert.Equal("words of ana", Assert.Single(await log.ReadAsync(log.KeyOf("discord", SimulatedWorld.AnaId))).Turn.Question);

        async Task AskAboutAsync(string author, string words)
        {
            var target = bench.Simulator.World.Message(SimulatedWorld.ChannelId, author, words);
            var interaction = await bench.Simulator.InteractAsync(
                2,
                new JsonObject
                {
                    ["id"] = "600000000000000002",
                    ["name"] = "Ask about this",
                    ["type"] = 3,
                    ["target_id"] = (string)target["id"]!,
                    ["resolved"] = new JsonObject { ["messages"] = new JsonObject { [(string)target["id"]!] = target.DeepClone() } },
                },
                SimulatedWorld.ChannelId);
            await DiscordSimulator.UntilAsync(
                () => interaction.Message is not null && Text(interaction.Message).Contains($"re: {words}", StringComparison.Ordinal)
                    && bench.Bot.Runner.Running == 0,
                "the answer");
        }
    }

    [Fact]
    public async Task I2_a_token_that_expired_falls_back_to_messages_of_the_channel()
    {
        await using var bench = await BotBench.StartAsync();
        var interaction = await bench.Simulator.CommandAsync("chat", SimulatedWorld.ChannelId, options: ("prompt", "x"));
        var call = await bench.Model.NextCallAsync();
        interaction.IsExpired = true;
        call.Say("late answer").End();

        await bench.AnsweredAsync("late answer", SimulatedWorld.ChannelId);
        Assert.Single(bench.Simulator.Requests, request => request.Path.Contains("/webhooks/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(400, 40060)]
    [InlineData(404, 10062)]
    public async Task I2_an_acknowledgement_that_is_too_late_or_twice_asks_the_model_nothing(int status, int code)
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        bench.Simulator.Fault = request => request.Path.EndsWith("/callback", StringComparison.Ordinal)
            ? SimulatedAnswer.Error(status, code, "no") : null;

        await bench.Simulator.CommandAsync("chat", options: ("prompt", "x"));
        await DiscordSimulator.UntilAsync(() => bench.Log.Lines.Any(line => line.Contains($"code {code}", StringComparison.Ordinal)), "the log");

        Assert.Empty(bench.Model.Calls);
        Assert.DoesNotContain(bench.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task I3_a_vote_is_kept_once_toggles_is_apart_from_others_and_works_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-discord-").FullName;
        await using var log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = folder }, TimeProvider.System);
        var simulator = await DiscordSimulator.StartAsync();
        var bench = (await BotBench.StartAsync(simulator, log)).Echoing();
        await bench.Simulator.PressAsync("cs:v1:keep");
        await DiscordSimulator.UntilAsync(() => bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Keep, "consent");
        Assert.False(bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Train);
        await bench.Simulator.SayAsync("hello");
        var turn = TurnOf(await bench.AnsweredAsync("re: hello"));

        await PressAsync(bench, $"fb:v1:up:{turn}", SimulatedWorld.AnaId);
        await VoteAsync(TurnVote.Good);
        await PressAsync(bench, $"fb:v1:up:{turn}", SimulatedWorld.BoId);
        await DiscordSimulator.UntilAsync(() => bench.Bot.Votes.Totals(turn) == (2, 0), "two votes");
        await PressAsync(bench, $"fb:v1:up:{turn}", SimulatedWorld.AnaId);
        await VoteAsync(TurnVote.None);
        await DiscordSimulator.UntilAsync(() => bench.Bot.Votes.Totals(turn) == (1, 0), "one vote");

        await bench.StopAsync();
        await using var second = await BotBench.StartAsync(simulator, log);
        await PressAsync(second, $"fb:v1:up:{turn}", SimulatedWorld.AnaId);
        await VoteAsync(TurnVote.Good);

        async Task VoteAsync(TurnVote expected)
        {
            TurnVote? seen = null;
            var person = log.KeyOf("discord", SimulatedWorld.AnaId);
            for (var i = 0; i < 400 && seen != expected; i++)
            {
                seen = (await log.ReadAsync(person)).Single().Vote;
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }

            Assert.Equal(expected, seen);
        }
    }

    [Fact]
    public async Task I4_thumbs_down_opens_a_form_whose_text_is_kept_and_whose_dismissal_leaves_the_vote()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        await bench.Simulator.SayAsync("hello");
        var turn = TurnOf(await bench.AnsweredAsync("re: hello"));

        var press = await PressAsync(bench, $"fb:v1:down:{turn}", SimulatedWorld.AnaId);
        Assert.Equal(9, (int)press.Answer!["type"]!);
        Assert.True(((string)press.Answer["data"]!["title"]!).Length <= 45);
        Assert.Equal((0, 1), bench.Bot.Votes.Totals(turn));

        var sent = await bench.Simulator.InteractAsync(5, new JsonObject
        {
            ["custom_id"] = (string)press.Answer["data"]!["custom_id"]!,
            ["components"] = new JsonArray(new JsonObject
            {
                ["type"] = 18,
                ["component"] = new JsonObject { ["type"] = 4, ["custom_id"] = "reason", ["value"] = "wrong cat" },
            }),
        });
        await DiscordSimulator.UntilAsync(() => sent.Answer is not null, "thanks");
        Assert.True(sent.IsPrivate);
        Assert.Equal((0, 1), bench.Bot.Votes.Totals(turn));
    }

    [Fact]
    public async Task DIS_4_reactions_to_an_answer_are_votes()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        await bench.Simulator.SayAsync("hello");
        var answer = await bench.AnsweredAsync("re: hello");
        var turn = TurnOf(answer);
        var reaction = new JsonObject
        {
            ["user_id"] = SimulatedWorld.AnaId,
            ["channel_id"] = SimulatedWorld.DirectId,
            ["message_id"] = (string)answer["id"]!,
            ["emoji"] = new JsonObject { ["id"] = null, ["name"] = "👎" },
        };

        await bench.Simulator.Gateway.PublishAsync("MESSAGE_REACTION_ADD", reaction);
        await DiscordSimulator.UntilAsync(() => bench.Bot.Votes.Totals(turn) == (0, 1), "a vote");
        await bench.Simulator.Gateway.PublishAsync("MESSAGE_REACTION_REMOVE", reaction);
        await DiscordSimulator.UntilAsync(() => bench.Bot.Votes.Totals(turn) == (0, 0), "no vote");
    }

    [Fact]
    public async Task I4_commands_are_put_when_they_changed_and_not_when_they_are_the_same()
    {
        var simulator = await DiscordSimulator.StartAsync();
        var first = await BotBench.StartAsync(simulator);
        await first.StopAsync();
        Assert.Single(simulator.RequestsTo("PUT /applications/"));

        await using var second = (await BotBench.StartAsync(simulator)).Echoing();
        await second.Simulator.SayAsync("hello");
        await second.AnsweredAsync("re: hello");

        Assert.Single(simulator.RequestsTo("PUT /applications/"));
        Assert.Equal(
            ["Ask about this", "ask", "chat", "consent", "describe", "draw", "export", "forget", "help", "new", "privacy", "sound", "video"],
            simulator.Rest.Commands!.Select(command => (string)command!["name"]!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("help", "I am an AI")]
    [InlineData("privacy", "Nothing from Discord trains a model")]
    [InlineData("consent", "not kept")]
    [InlineData("new", "A new conversation")]
    public async Task DIS_5_commands_about_oneself_answer_at_once_and_privately(string command, string text)
    {
        await using var bench = await BotBench.StartAsync();

        var interaction = await bench.Simulator.CommandAsync(command, SimulatedWorld.ChannelId);
        await DiscordSimulator.UntilAsync(() => interaction.Answer is not null, "an answer");

        Assert.True(interaction.IsPrivate);
        Assert.Contains(text, (string?)interaction.Answer!["data"]!["content"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task P1_nothing_is_written_before_consent_and_P2_forget_and_deletion_remove_what_is_kept()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-discord-").FullName;
        await using var log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = folder }, TimeProvider.System);
        await using var bench = (await BotBench.StartAsync(log: log)).Echoing();
        var person = log.KeyOf("discord", SimulatedWorld.AnaId);

        await bench.Simulator.SayAsync("planted-words-1");
        await bench.AnsweredAsync("re: planted-words-1");
        Assert.Empty(await log.ReadAsync(person));
        Assert.False(Holds(folder, "planted-words-1"));

        await bench.Simulator.PressAsync("cs:v1:keep");
        await DiscordSimulator.UntilAsync(() => bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Keep, "consent");
        var second = await bench.Simulator.SayAsync("planted-words-2");
        await bench.AnsweredAsync("re: planted-words-2");
        await bench.Simulator.SayAsync("planted-words-3");
        await bench.AnsweredAsync("re: planted-words-3");
        Assert.Equal(2, (await log.ReadAsync(person)).Count);
        Assert.Empty(await log.ReadTrainableAsync());

        var export = await bench.Simulator.CommandAsync("export");
        await DiscordSimulator.UntilAsync(() => export.Message is not null && export.Message["attachments"]!.AsArray().Count == 1, "the copy");
        Assert.True(export.IsPrivate);
        await bench.Simulator.DeleteAsync(second);
        await CountAsync(1);
        var forget = await bench.Simulator.CommandAsync("forget");
        await DiscordSimulator.UntilAsync(() => forget.Message is not null && Text(forget.Message).Contains("Erased: 1", StringComparison.Ordinal), "the answer");
        await CountAsync(0);

        async Task CountAsync(int expected)
        {
            var count = -1;
            for (var i = 0; i < 400 && count != expected; i++)
            {
                count = (await log.ReadAsync(person)).Count;
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }

            Assert.Equal(expected, count);
        }
    }

    [Fact]
    public async Task P2_being_removed_from_a_server_removes_its_turns_and_an_outage_does_not()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-discord-").FullName;
        await using var log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = folder }, TimeProvider.System);
        await using var bench = (await BotBench.StartAsync(log: log)).Echoing();
        var person = log.KeyOf("discord", SimulatedWorld.AnaId);
        await bench.Simulator.PressAsync("cs:v1:keep");
        await DiscordSimulator.UntilAsync(() => bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Keep, "consent");
        var thread = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> in the server", SimulatedWorld.ChannelId);
        await bench.AnsweredAsync("re: in the server", thread);
        await bench.Simulator.SayAsync("directly");
        await bench.AnsweredAsync("re: directly");

        await bench.Simulator.Gateway.PublishAsync(
            "GUILD_DELETE", new JsonObject { ["id"] = SimulatedWorld.GuildId, ["unavailable"] = true }, SimulatedWorld.GuildId);
        await bench.Simulator.SayAsync("still there");
        await bench.AnsweredAsync("re: still there");
        Assert.Equal(3, (await log.ReadAsync(person)).Count);
        await bench.Simulator.Gateway.PublishAsync("GUILD_DELETE", new JsonObject { ["id"] = SimulatedWorld.GuildId }, SimulatedWorld.GuildId);

        IReadOnlyList<LoggedTurn> left = [];
        for (var i = 0; i < 400 && left.Count != 2; i++)
        {
            left = await log.ReadAsync(person);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Equal(["directly", "still there"], left.Select(turn => turn.Turn.Question));
    }

    private static bool Holds(string folder, string words) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(file => Path.GetExtension(file) != ".lock").Any(file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return bytes.ToArray().AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(words)) >= 0;
        });

    private static async Task<SimulatedInteraction> PressAsync(BotBench bench, string id, string person)
    {
        var press = await bench.Simulator.PressAsync(id, person: person);
        await DiscordSimulator.UntilAsync(() => press.Answer is not null, $"an answer to {id}");
        return press;
    }
}
