using System.IO.Compression;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Host.Tests;

namespace NextGpt.Bots.Teams.Tests.Bot;

/// <summary>What must be known after a restart: messages, conversations, tenants, offers.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task TEA_5_PRI_8_removal_after_a_restart_erases_everything_of_everybody_also_from_before_a_new_beginning()
    {
        await using var world = await AskedAsync(people: 2);
        await world.SayAsync("/new", "groupChat");
        await world.SayAsync("after the new beginning", "groupChat");
        await world.UntilAsync(() => world.TurnsInLog == 3);
        await world.SayAsync("elsewhere");
        await world.UntilAsync(() => world.TurnsInLog == 4);

        await world.RestartAsync();
        await world.PostAsync(world.Activity("installationUpdate", "groupChat", "p9").With("action", "remove"));
        await world.UntilAsync(() => world.TurnsInLog == 1);

        Assert.Null(world.Get<TeamsState>().Conversation("19:group"));
        Assert.NotNull(world.Get<TeamsState>().Conversation("a:p1"));
        Assert.DoesNotContain("19:group", await ReadStateAsync(world), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("messageDelete", "softDeleteMessage")]
    [InlineData("messageUpdate", "editMessage")]
    public async Task C1_TRN_5_after_a_restart_a_deleted_or_edited_question_still_leaves_the_log(string type, string what)
    {
        await using var world = await AskedAsync();
        await world.RestartAsync();

        await world.PostAsync(world.Activity(type, "groupChat", "p1", "q1").With("channelData", new JsonObject { ["eventType"] = what }));
        await world.UntilAsync(() => world.TurnsInLog == 0);
    }

    [Fact]
    public async Task K1_K2_after_a_restart_votes_and_reactions_find_their_turn_and_only_their_persons_count()
    {
        await using var world = await AskedAsync();
        await world.SettleAsync();
        await world.RestartAsync();
        JsonObject Reaction(string person) => world.Activity("messageReaction", "groupChat", person)
            .With("replyToId", "m-1").With("reactionsAdded", new JsonArray(new JsonObject { ["type"] = "like" }));

        await world.PostAsync(Reaction("p2"));
        await world.SettleAsync();
        Assert.DoesNotContain("Good", Export(world, "p1"), StringComparison.Ordinal);
        await world.PostAsync(Reaction("p1"));
        await world.UntilAsync(() => Export(world, "p1").Contains("Good", StringComparison.Ordinal));
        await world.PostAsync(world.Activity("invoke", "groupChat").With("name", "message/submitAction").With("replyToId", "m-1")
            .With("value", new JsonObject
            {
                ["actionName"] = "feedback",
                ["actionValue"] = new JsonObject { ["reaction"] = "dislike", ["feedback"] = "too late" },
            }));
        await world.UntilAsync(() => Export(world, "p1").Contains("too late", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_beginning_and_a_greeting_outlive_the_process()
    {
        await using var world = await AskedAsync();
        await world.PostAsync(world.Activity("installationUpdate", "groupChat").With("action", "add"));
        await world.SayAsync("/new", "groupChat");
        await world.UntilAsync(() => world.Service.Messages.Any(call => call.Text.StartsWith("A new conversation", StringComparison.Ordinal)));
        var name = world.Get<NextGpt.Bots.Teams.Bot.Conversations>().Of("19:group");
        var sent = world.Service.Messages.Count;

        await world.RestartAsync();
        await world.PostAsync(world.Activity("installationUpdate", "groupChat").With("action", "add-upgrade"));
        await world.SettleAsync();

        Assert.Equal(name, world.Get<NextGpt.Bots.Teams.Bot.Conversations>().Of("19:group"));
        Assert.Equal(sent, world.Service.Messages.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task F3_TEA_2_an_offer_from_before_a_restart_is_kept_where_the_turn_is_kept_and_else_given_up_in_words(bool isKept)
    {
        await using var world = await TeamsWorld.StartAsync(withLog: true);
        world.Model.Rule = call => call.Say("Listen.").Media("started", "audio")
            .Media("completed", "audio", file: ScriptedMedia.Wav, type: "audio/wav", caption: "a bell").End();
        if (isKept)
        {
            await world.Kept.SetConsentAsync(TeamsBot.Surface, "p1", keep: true, train: false);
        }

        await world.SayAsync("Play");
        await world.MessagesAsync(2);
        await world.SettleAsync();
        Assert.DoesNotContain("bell", await ReadStateAsync(world), StringComparison.Ordinal);   // ids, no content
        await world.RestartAsync();

        for (var i = 0; i < 2; i++)
        {
            await world.PostAsync(world.Activity("invoke").With("name", "fileConsent/invoke").With("value", new JsonObject
            {
                ["action"] = "accept",
                ["context"] = world.Service.Messages[1].Body!["attachments"]![0]!["content"]!["acceptContext"]!.DeepClone(),
                ["uploadInfo"] = new JsonObject { ["uploadUrl"] = "https://x.sharepoint.com/up", ["contentUrl"] = "https://x.sharepoint.com/f" },
            }));
        }

        await world.SettleAsync();
        Assert.Equal(isKept ? 1 : 0, world.Service.Calls.Count(call => call.Method == "PUT"));
        Assert.Equal(isKept, !world.Service.Messages.Any(call => call.Text.Contains("not here any more", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task TEA_5_off_boarding_a_tenant_exports_then_erases_all_of_it_with_a_report_and_others_stay()
    {
        await using var world = await AskedAsync(people: 2);
        const string other = "99999999-0000-0000-0000-000000000002";
        var stranger = world.Activity("message", "personal", "p7", "q7").With("text", "other tenant");
        stranger["conversation"]!["tenantId"] = other;
        await world.Kept.SetConsentAsync(TeamsBot.Surface, "p7", keep: true, train: false);
        await world.PostAsync(stranger);
        await world.UntilAsync(() => world.TurnsInLog == 3);
        await world.RestartAsync(OtherTenant);

        using var file = new MemoryStream();
        var exported = await world.Get<TenantOffboarding>().ExportAsync(TeamsWorld.Tenant, file);
        using var zip = new ZipArchive(file);
        Assert.Equal(["people/1.zip", "people/2.zip", "report.json"], zip.Entries.Select(entry => entry.FullName).Order());
        Assert.Equal((2, 1, 0), (exported.People, exported.Conversations, exported.Turns));

        var erased = await world.Get<TenantOffboarding>().EraseAsync(TeamsWorld.Tenant);
        Assert.Equal((2, 2, 1), (erased.Turns, erased.People, erased.Conversations));
        Assert.Equal(1, world.TurnsInLog);
        Assert.False(world.Kept.GetConsent(TeamsBot.Surface, "p1").Keep);
        Assert.True(world.Kept.GetConsent(TeamsBot.Surface, "p7").Keep);
        Assert.DoesNotContain("\"p1\"", await ReadStateAsync(world), StringComparison.Ordinal);
        Assert.Contains("\"p7\"", await ReadStateAsync(world), StringComparison.Ordinal);
        Assert.Equal(0, (await world.Get<TenantOffboarding>().EraseAsync(TeamsWorld.Tenant)).Turns);
    }

    [Fact]
    public async Task TEA_4_PRI_8_a_tenants_own_time_of_keeping_ends_its_turns_and_no_others()
    {
        await using var world = await AskedAsync();
        Dictionary<string, string?> week = new(OtherTenant) { ["NextGpt:Teams:Tenants:0:RetentionDays"] = "7" };
        await world.RestartAsync(week);
        world.Time.Advance(TimeSpan.FromDays(6));
        await world.UntilAsync(() => true);
        Assert.Equal(1, world.TurnsInLog);

        world.Time.Advance(TimeSpan.FromDays(1));
        await world.UntilAsync(() => world.TurnsInLog == 0, TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task P1_forgetting_takes_a_person_out_of_the_routing_table()
    {
        await using var world = await AskedAsync();
        Assert.Contains("\"p1\"", await ReadStateAsync(world), StringComparison.Ordinal);

        await world.SayAsync("/forget", "groupChat");
        await world.UntilAsync(() => world.TurnsInLog == 0);
        await world.MessagesAsync(2);

        Assert.DoesNotContain("\"p1\"", await ReadStateAsync(world), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_torn_line_of_the_routing_table_and_a_folder_that_cannot_be_written_end_nothing()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("teams-").FullName, "teams.state");
        await File.WriteAllTextAsync(file, """
            {"Person":"p1","Who":{"Tenant":"t"}}
            {"Person":"p2","Wh
            """);
        var state = new TeamsState(file, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        Assert.Equal(["p1"], state.Of("T").People);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        var key = state.Key;
        Assert.Equal(key, new TeamsState(file, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance).Key);
        var nowhere = new TeamsState("/dev/null/teams.state", TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        nowhere.AddPerson("p3", "t");
        Assert.Equal(["p3"], nowhere.Of("t").People);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    private static Dictionary<string, string?> OtherTenant => new()
    {
        ["NextGpt:Teams:Tenants:1:Id"] = "99999999-0000-0000-0000-000000000002",
        ["NextGpt:Teams:Tenants:1:Keeping"] = "true",
    };

    /// <summary>People of a group who allowed keeping, one kept turn each.</summary>
    private static async Task<TeamsWorld> AskedAsync(int people = 1)
    {
        var world = await TeamsWorld.StartAsync(withLog: true, OtherTenant);
        world.Model.Rule = call => call.Say("Hi").End();
        for (var i = 1; i <= people; i++)
        {
            await world.Kept.SetConsentAsync(TeamsBot.Surface, $"p{i}", keep: true, train: false);
            await world.SayAsync("Remember the heron", "groupChat", $"p{i}", $"q{i}");
            await world.UntilAsync(() => world.TurnsInLog == i);
        }

        await world.MessagesAsync(people);
        await world.SettleAsync();
        return world;
    }

    private static async Task<string> ReadStateAsync(TeamsWorld world) =>
        await File.ReadAllTextAsync(Path.Combine(world.Folder, "teams.state"));

    private static string Export(TeamsWorld world, string person)
    {
        using var file = new MemoryStream();
        world.Kept.ExportAsync(TeamsBot.Surface, person, file).GetAwaiter().GetResult();
        using var zip = new ZipArchive(file);
        return string.Join('\n', zip.Entries.Select(entry => new StreamReader(entry.Open()).ReadToEnd()));
    }
}
