using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Tests.Simulator;
using NextGpt.Conversations;
using static NextGpt.Bots.Discord.Tests.BotBench;

namespace NextGpt.Bots.Discord.Tests;

/// <summary>What a bot knows after its process ended: votes, deletions, departures and conversations find what is kept.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-discord-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Product", "DIS-4")]
    public async Task I3_a_reaction_after_a_restart_is_a_vote_and_a_second_press_takes_an_earlier_process_vote_back()
    {
        var simulator = await DiscordSimulator.StartAsync();
        string answer, turn;
        await using (var log = await OpenAsync())
        {
            var first = await KeepingAsync(simulator, log);
            await simulator.SayAsync("hello");
            var message = await first.AnsweredAsync("re: hello");
            (answer, turn) = ((string)message["id"]!, TurnOf(message));
            await LinkedAsync(log, new(TurnLinkKind.Answer, answer), 1);
            await first.StopAsync();
        }

        await using var again = await OpenAsync();
        var second = await StartAsync(simulator, again);
        await ReactAsync(simulator, answer, "👎", SimulatedWorld.BoId);
        await ReactAsync(simulator, answer, "👍", SimulatedWorld.AnaId);
        await DiscordSimulator.UntilAsync(() => VoteOn(again, turn) == TurnVote.Good, "the vote");
        await DiscordSimulator.UntilAsync(() => second.Bot.Votes.Totals(turn) == (1, 1), "both in the totals");
        await second.StopAsync();

        await using var third = await StartAsync(simulator, again);
        await simulator.PressAsync($"fb:v1:up:{turn}");
        await DiscordSimulator.UntilAsync(() => VoteOn(again, turn) == TurnVote.None, "no vote");
    }

    [Fact]
    [Trait("Product", "TRN-5")]
    public async Task P2_a_question_deleted_after_a_restart_is_removed_and_no_link_is_left()
    {
        var simulator = await DiscordSimulator.StartAsync();
        string question;
        await using (var log = await OpenAsync())
        {
            var first = await KeepingAsync(simulator, log);
            question = await simulator.SayAsync("planted-words-7");
            await first.AnsweredAsync("re: planted-words-7");
            await simulator.SayAsync("other");
            await first.AnsweredAsync("re: other");
            await first.StopAsync();
        }

        await using var again = await OpenAsync();
        await using var second = await StartAsync(simulator, again);
        Assert.Single(again.FindLinked("discord", new(TurnLinkKind.Question, question)));
        await simulator.DeleteAsync(question);

        await LinkedAsync(again, new(TurnLinkKind.Question, question), 0);
        Assert.Equal("other", Assert.Single(await again.ReadAsync(Ana(again))).Turn.Question);
    }

    [Fact]
    [Trait("Product", "PRI-8")]
    public async Task P2_leaving_a_server_after_a_restart_removes_its_turns_and_erased_people_leave_no_link()
    {
        var simulator = await DiscordSimulator.StartAsync();
        var place = new TurnLink(TurnLinkKind.Place, SimulatedWorld.GuildId);
        await using (var log = await OpenAsync())
        {
            var first = await KeepingAsync(simulator, log);
            await AskInServerAsync(first, "one", SimulatedWorld.AnaId);
            await simulator.PressAsync("cs:v1:keep", person: SimulatedWorld.BoId);
            await DiscordSimulator.UntilAsync(() => first.Kept.GetConsent("discord", SimulatedWorld.BoId).Keep, "consent of the other");
            await AskInServerAsync(first, "two", SimulatedWorld.BoId);
            await simulator.SayAsync("directly");
            await first.AnsweredAsync("re: directly");
            await LinkedAsync(log, place, 2);
            await first.StopAsync();
        }

        await using var again = await OpenAsync();
        await using var second = await StartAsync(simulator, again);
        await simulator.CommandAsync("forget", person: SimulatedWorld.BoId);
        await LinkedAsync(again, place, 1);
        await simulator.Gateway.PublishAsync("GUILD_DELETE", new JsonObject { ["id"] = SimulatedWorld.GuildId }, SimulatedWorld.GuildId);

        await LinkedAsync(again, place, 0);
        Assert.Equal("directly", Assert.Single(await again.ReadAsync(Ana(again))).Turn.Question);
        Assert.Empty(await again.ReadAsync(again.KeyOf("discord", SimulatedWorld.BoId)));
    }

    [Fact]
    [Trait("Product", "DIS-1")]
    public async Task C1_a_thread_goes_on_after_a_restart_with_what_is_kept_of_each_person_and_a_chain_of_replies_too()
    {
        var simulator = await DiscordSimulator.StartAsync();
        string thread, answer;
        await using (var log = await OpenAsync())
        {
            var first = await KeepingAsync(simulator, log);
            thread = await AskInServerAsync(first, "one", SimulatedWorld.AnaId);
            simulator.Rest.RefusesThreads = true;
            await simulator.SayAsync($"<@{SimulatedWorld.BotId}> chained", SimulatedWorld.OtherChannelId);
            answer = (string)(await first.AnsweredAsync("re: chained", SimulatedWorld.OtherChannelId))["id"]!;
            await LinkedAsync(log, new(TurnLinkKind.Answer, answer), 1);
            await first.StopAsync();
        }

        await using var again = await OpenAsync();
        await using var second = await StartAsync(simulator, again);
        await simulator.SayAsync($"<@{SimulatedWorld.BotId}> two", thread);
        await second.AnsweredAsync("re: two", thread);
        Assert.Equal(["one", "re: one", "two"], second.Model.Calls[^1].Messages.TakeLast(3).Select(message => message.Text));
        await simulator.SayAsync($"<@{SimulatedWorld.BotId}> three", thread, SimulatedWorld.BoId);
        await second.AnsweredAsync("re: three", thread);
        Assert.DoesNotContain(second.Model.Calls[^1].Messages, message => message.Text.Contains("one", StringComparison.Ordinal));
        await simulator.SayAsync($"<@{SimulatedWorld.BotId}> four", SimulatedWorld.OtherChannelId, replyTo: answer);
        await second.AnsweredAsync("re: four", SimulatedWorld.OtherChannelId);
        Assert.Equal(["chained", "re: chained", "four"], second.Model.Calls[^1].Messages.TakeLast(3).Select(message => message.Text));
    }

    [Fact]
    public async Task P1_before_consent_no_file_of_the_log_changes_but_the_ledger_of_message_keys()
    {
        await using var log = await OpenAsync();
        await using var bench = (await BotBench.StartAsync(log: log)).Echoing();
        var before = Snapshot();

        await bench.Simulator.SayAsync("planted-words-9");
        await bench.AnsweredAsync("re: planted-words-9");
        await bench.Simulator.PressAsync($"fb:v1:up:{TurnOf(bench.Answers()[^1])}");
        await DiscordSimulator.UntilAsync(() => bench.Bot.Votes.Totals(TurnOf(bench.Answers()[^1])) == (1, 0), "the vote in the totals");

        Assert.NotEmpty(before);
        Assert.Equal(before, Snapshot());

        Dictionary<string, string> Snapshot() => Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)
            .Where(file => !file.StartsWith(Path.Combine(_folder, "messages"), StringComparison.Ordinal) && Path.GetExtension(file) != ".lock")
            .ToDictionary(file => file, file =>
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(stream));
            });
    }

    private Task<ConversationLog> OpenAsync() =>
        ConversationLog.OpenAsync(new ConversationOptions { Folder = _folder }, TimeProvider.System);

    private static async Task<BotBench> StartAsync(DiscordSimulator simulator, ConversationLog log) =>
        (await BotBench.StartAsync(simulator, log)).Echoing();

    private static async Task<BotBench> KeepingAsync(DiscordSimulator simulator, ConversationLog log)
    {
        var bench = await StartAsync(simulator, log);
        await simulator.PressAsync("cs:v1:keep");
        await DiscordSimulator.UntilAsync(() => bench.Kept.GetConsent("discord", SimulatedWorld.AnaId).Keep, "consent");
        return bench;
    }

    private static async Task<string> AskInServerAsync(BotBench bench, string text, string person)
    {
        var thread = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> {text}", SimulatedWorld.ChannelId, person);
        await bench.AnsweredAsync($"re: {text}", thread);
        return thread;
    }

    private static Task ReactAsync(DiscordSimulator simulator, string message, string emoji, string person) =>
        simulator.Gateway.PublishAsync("MESSAGE_REACTION_ADD", new JsonObject
        {
            ["user_id"] = person,
            ["channel_id"] = SimulatedWorld.DirectId,
            ["message_id"] = message,
            ["emoji"] = new JsonObject { ["id"] = null, ["name"] = emoji },
        });

    private static Task LinkedAsync(ConversationLog log, TurnLink link, int turns) =>
        DiscordSimulator.UntilAsync(() => log.FindLinked("discord", link).Count == turns, $"{turns} turns of {link.Kind}");

    private static PersonKey Ana(ConversationLog log) => log.KeyOf("discord", SimulatedWorld.AnaId);

    private static TurnVote? VoteOn(ConversationLog log, string turn) => log.ReadTurn(Ana(log), turn)?.Vote;
}
