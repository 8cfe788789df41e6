using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.AppPackage;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Bots.Teams.Tests.Connector;
using NextGpt.Bots.Teams.Tests.Inbound;
using NextGpt.Host.Tests;

namespace NextGpt.Bots.Teams.Tests.Bot;

public sealed class PrivacyAndMediaTests
{
    [Fact]
    public async Task A4_a_refused_token_is_renewed_once_and_never_goes_to_links_of_content()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        world.Service.Rule = (call, _) => Task.FromResult(call.Authorization == "token-1" ? FakeService.Answer(401) : null);

        await world.SayAsync("Hello", "groupChat");
        await world.MessagesAsync(2);
        await world.SettleAsync();

        Assert.Equal(["token-1", "token-2"], world.Service.Messages.Select(call => call.Authorization));
    }

    [Fact]
    public async Task C1_AID_1_an_installation_is_welcomed_once_although_two_activities_tell_of_it()
    {
        await using var world = await TeamsWorld.StartAsync();
        await world.PostAsync(world.Activity("installationUpdate").With("action", "add"));
        await world.PostAsync(world.Activity("conversationUpdate")
            .With("membersAdded", new JsonArray(new JsonObject { ["id"] = "28:bot" })));
        await world.MessagesAsync(1);
        await world.SettleAsync();

        Assert.Contains("an AI", Assert.Single(world.Service.Messages).Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("messageDelete", "softDeleteMessage")]
    [InlineData("messageUpdate", "editMessage")]
    public async Task C1_TRN_5_a_deleted_or_edited_question_leaves_the_log(string type, string what)
    {
        await using var world = await ConsentedAsync();
        await world.SayAsync("Remember the heron", id: "q1");
        await world.UntilAsync(() => Kept(world) == 1);

        await world.PostAsync(world.Activity(type, id: "q1").With("channelData", new JsonObject { ["eventType"] = what }));
        await world.UntilAsync(() => Kept(world) == 0);
    }

    [Fact]
    public async Task C1_TEA_5_removing_the_bot_erases_what_was_said_in_the_conversation()
    {
        await using var world = await ConsentedAsync();
        await world.SayAsync("Remember the heron");
        await world.UntilAsync(() => Kept(world) == 1);

        await world.PostAsync(world.Activity("installationUpdate").With("action", "remove"));
        await world.UntilAsync(() => Kept(world) == 0);
    }

    [Fact]
    public async Task P1_PRI_1_nothing_is_kept_before_consent_and_forgetting_leaves_nothing()
    {
        await using var world = await TeamsWorld.StartAsync(withLog: true);
        world.Model.Rule = call => call.Say("A secret egret.").End();
        await world.SayAsync("Where is the heron?");
        await world.MessagesAsync(1);
        await world.SettleAsync();
        Assert.Equal(0, Kept(world));
        Assert.False(OnDisk(world, "heron") || OnDisk(world, "egret"));

        await world.Kept.SetConsentAsync(TeamsBot.Surface, "p1", keep: true, train: false);
        await world.SayAsync("Where is the heron now?");
        await world.UntilAsync(() => Kept(world) == 1);
        await world.SayAsync("/forget");
        await world.UntilAsync(() => world.Service.Messages.Any(call => call.Text.StartsWith("Erased: 1", StringComparison.Ordinal)));

        Assert.Equal(0, Kept(world));
        Assert.False(OnDisk(world, "heron") || OnDisk(world, "egret"));
    }

    [Fact]
    public async Task TEA_4_without_the_tenants_word_consent_is_not_offered_and_an_older_one_ends()
    {
        await using var world = await TeamsWorld.StartAsync(
            withLog: true, new() { ["NextGpt:Teams:Tenants:0:Keeping"] = "false" });
        world.Model.Rule = call => call.Say("Hi").End();
        await world.Kept.SetConsentAsync(TeamsBot.Surface, "p1", keep: true, train: false);

        await world.SayAsync("Hello");
        await world.MessagesAsync(1);
        await world.SayAsync("/consent");
        await world.MessagesAsync(2);

        Assert.False(world.Kept.GetConsent(TeamsBot.Surface, "p1").Keep);
        Assert.Contains("has not allowed", world.Service.Messages[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K2_PRI_2_switches_count_only_on_the_persons_own_card_with_readable_values()
    {
        await using var world = await TeamsWorld.StartAsync(withLog: true);
        await world.SayAsync("/consent");
        await world.MessagesAsync(1);
        var content = world.Service.Messages[0].Body!["attachments"]![0]!["content"]!;
        var mark = (string)content["actions"]![0]!["data"]!["mark"]!;
        Assert.All(content["body"]!.AsArray().Where(item => (string?)item!["type"] == "Input.Toggle"),
            item => Assert.Equal("false", (string?)item!["value"]));

        Assert.Equal(400, await ExecuteAsync(world, "p2", mark, "true"));
        Assert.Equal(400, await ExecuteAsync(world, "p1", "made up", "true"));
        Assert.Equal(400, await ExecuteAsync(world, "p1", mark, "perhaps"));
        Assert.False(world.Kept.GetConsent(TeamsBot.Surface, "p1").Keep);
        Assert.Equal(200, await ExecuteAsync(world, "p1", mark, "true"));
        Assert.True(world.Kept.GetConsent(TeamsBot.Surface, "p1").Keep);

        await world.PostAsync(world.Activity("message").With("value", new JsonObject
        {
            ["act"] = "consent",
            ["mark"] = mark,
            ["keep"] = "false",
        }));
        await world.UntilAsync(() => !world.Kept.GetConsent(TeamsBot.Surface, "p1").Keep);
    }

    [Theory]
    [InlineData("""{"feedbackText":"too short"}""", true)]
    [InlineData("too short", false)]
    public async Task K1_a_vote_counts_in_both_encodings_and_is_answered_with_an_empty_object(string feedback, bool named)
    {
        await using var world = await ConsentedAsync();
        await world.SayAsync("Hello");
        await world.UntilAsync(() => Kept(world) == 1);
        await world.SettleAsync();
        var vote = world.Activity("invoke").With("name", "message/submitAction").With("value", new JsonObject
        {
            ["actionName"] = "feedback",
            ["actionValue"] = new JsonObject { ["reaction"] = "dislike", ["feedback"] = feedback },
        });
        if (named)
        {
            vote["replyToId"] = (string?)world.Service.Messages[0].Body!["id"];
        }

        var answer = await world.PostAsync(vote);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("{}", await answer.Content.ReadAsStringAsync());
        Assert.Contains("too short", Export(world), StringComparison.Ordinal);
    }

    [Fact]
    public async Task F1_TEA_6_a_file_is_fetched_without_the_token_and_an_inline_picture_with_it()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => call.Say("Seen").End();
        world.Service.Rule = (call, _) => Task.FromResult(call.Method == "GET"
            ? new HttpResponseMessage { Content = new ByteArrayContent(ScriptedMedia.Png) } : null);
        await world.PostAsync(WithFiles(
            world, "https://x.sharepoint.com/file?key=1", "https://smba.trafficmanager.net/emea/v3/attachments/1/views/original"));
        await world.MessagesAsync(1);

        var gets = world.Service.Calls.Where(call => call.Method == "GET").ToList();
        Assert.Null(gets[0].Authorization);
        Assert.Equal("token-1", gets[1].Authorization);
        Assert.Equal(2, world.Media.Read.Count);
    }

    [Theory]
    [InlineData("https://evil.example/a.png", "png", "not read from")]
    [InlineData("http://x.sharepoint.com/a.png", "png", "not read from")]
    [InlineData("https://x.sharepoint.com/redirect", "png", "not read from")]
    [InlineData("https://x.sharepoint.com/huge", "png", "larger than 1 MiB")]
    [InlineData("https://x.sharepoint.com/gone", "png", "expired")]
    [InlineData("https://x.sharepoint.com/a.png", "wav", "bytes are")]
    public async Task F1_what_must_not_be_read_is_said_and_not_read(string address, string type, string sentence)
    {
        await using var world = await TeamsWorld.StartAsync(settings: new() { ["NextGpt:Teams:MaxFileMegabytes"] = "1" });
        world.Model.Rule = call => call.Say("Seen").End();
        world.Service.Rule = (call, _) => Task.FromResult(call.Method != "GET" ? null : call.Address.AbsolutePath switch
        {
            "/redirect" => new HttpResponseMessage(HttpStatusCode.Redirect) { Headers = { Location = new Uri("https://evil.example/a") } },
            "/huge" => new HttpResponseMessage { Content = new ByteArrayContent(new byte[1_100_000]) },
            "/gone" => FakeService.Answer(403),
            _ => new HttpResponseMessage { Content = new ByteArrayContent(ScriptedMedia.Png) },
        });

        await world.PostAsync(WithFiles(world, address, null, type));
        await world.MessagesAsync(1);

        Assert.Contains(sentence, world.Service.Messages[0].Text, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Service.Calls, call => call.Address.Host == "evil.example");
    }

    [Fact]
    public async Task F2_TEA_2_a_picture_comes_after_the_text_in_a_card_with_alternative_text()
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => Medium(call, "image", ScriptedMedia.Png, "image/png");
        await world.SayAsync("Draw");
        await world.MessagesAsync(2);

        var card = world.Service.Messages[1].Body!["attachments"]![0]!["content"]!;
        Assert.Equal("1.5", (string?)card["version"]);
        Assert.Equal("a heron", (string?)card["body"]![0]!["altText"]);
        Assert.StartsWith("data:image/png;base64,", (string?)card["body"]![0]!["url"], StringComparison.Ordinal);
        Assert.Null(world.Service.Messages[0].Card);
    }

    [Fact]
    public async Task F2_TEA_2_a_sound_in_a_group_is_behind_a_link_that_expires()
    {
        await using var world = await TeamsWorld.StartAsync(
            settings: new() { ["NextGpt:Teams:PublicAddress"] = "https://bot.example.org" });
        world.Model.Rule = call => Medium(call, "audio", ScriptedMedia.Wav, "audio/wav");
        await world.SayAsync("Play", "groupChat");
        await world.MessagesAsync(2);
        var link = (string)world.Service.Messages[1].Body!["attachments"]![0]!["content"]!["actions"]![0]!["url"]!;

        Assert.Equal(HttpStatusCode.OK, (await world.GetAsync(link)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await world.GetAsync(link[..^3] + "000")).StatusCode);
        world.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.NotFound, (await world.GetAsync(link)).StatusCode);
    }

    [Theory]
    [InlineData("accept", "p1", 1)]
    [InlineData("decline", "p1", 0)]
    [InlineData("accept", "p2", 0)]
    public async Task F3_TEA_2_an_offered_file_is_uploaded_once_and_only_for_its_person(string action, string person, int uploads)
    {
        await using var world = await TeamsWorld.StartAsync();
        world.Model.Rule = call => Medium(call, "audio", ScriptedMedia.Wav, "audio/wav");
        await world.SayAsync("Play");
        await world.MessagesAsync(2);
        var offer = world.Service.Messages[1].Body!["attachments"]![0]!["content"]!["acceptContext"]!;

        for (var i = 0; i < 2; i++)
        {
            var answer = await world.PostAsync(world.Activity("invoke", person: person).With("name", "fileConsent/invoke")
                .With("value", new JsonObject
                {
                    ["action"] = action,
                    ["context"] = offer.DeepClone(),
                    ["uploadInfo"] = new JsonObject { ["uploadUrl"] = "https://x.sharepoint.com/up", ["contentUrl"] = "https://x.sharepoint.com/f" },
                }));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await world.SettleAsync();
        var puts = world.Service.Calls.Where(call => call.Method == "PUT").ToList();
        Assert.Equal(uploads, puts.Count);
        Assert.All(puts, put => Assert.Null(put.Authorization));
    }

    [Fact]
    public async Task F3_a_large_file_is_uploaded_in_pieces()
    {
        var time = TimeProvider.System;
        var service = new FakeService(time, new FakeIssuer(time));
        using var http = new HttpClient(service);
        var transfer = new FileTransfer(http, new NoToken(), new TeamsOptions(), time);

        Assert.True(await transfer.WriteAsync("https://x.sharepoint.com/up", new byte[4_000_000]));
        Assert.False(await transfer.WriteAsync("https://evil.example/up", new byte[4]));

        Assert.Equal(["bytes 0-3276799/4000000", "bytes 3276800-3999999/4000000"], service.Calls.Select(call => call.Range));
    }

    [Theory]
    [InlineData("10.0.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:192.168.0.1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("52.112.0.1", true)]
    [InlineData("2603:1063::1", true)]
    public void F1_THR_9_only_addresses_of_the_public_internet_are_connected_to(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public void The_app_package_holds_a_manifest_and_two_icons_of_the_right_size()
    {
        using var file = new MemoryStream();
        TeamsAppPackage.Write(
            new TeamsOptions { AppId = FakeIssuer.AppId, PublicAddress = "https://bot.example.org" }, "1.2.3", file);
        using var zip = new ZipArchive(file);
        var manifest = JsonNode.Parse(zip.GetEntry("manifest.json")!.Open())!;

        Assert.Equal(FakeIssuer.AppId, (string?)manifest["bots"]![0]!["botId"]);
        Assert.True((bool)manifest["bots"]![0]!["supportsFiles"]!);
        Assert.Equal("bot.example.org", (string?)manifest["validDomains"]![0]);
        Assert.Equal([192, 32], new[] { "color.png", "outline.png" }.Select(name =>
        {
            using var bytes = new MemoryStream();
            zip.GetEntry(name)!.Open().CopyTo(bytes);
            return (int)bytes.ToArray()[19];   // the low byte of the width
        }));
    }

    private static void Medium(ScriptedCall call, string kind, byte[] file, string type)
    {
        call.Say("Look.").Media("started", kind).Media("completed", kind, file: file, type: type, caption: "a heron").End();
    }

    private static JsonObject WithFiles(TeamsWorld world, string download, string? inline, string type = "png")
    {
        var files = new JsonArray(new JsonObject
        {
            ["contentType"] = "application/vnd.microsoft.teams.file.download.info",
            ["name"] = $"a.{type}",
            ["content"] = new JsonObject { ["downloadUrl"] = download, ["fileType"] = type },
        });
        if (inline is not null)
        {
            files.Add(new JsonObject { ["contentType"] = "image/*", ["contentUrl"] = inline });
        }

        return world.Activity("message").With("text", "Look").With("attachments", files);
    }

    private static async Task<int> ExecuteAsync(TeamsWorld world, string person, string mark, string keep)
    {
        var answer = await world.PostAsync(world.Activity("invoke", person: person).With("name", "adaptiveCard/action")
            .With("value", new JsonObject
            {
                ["action"] = new JsonObject
                {
                    ["verb"] = "consent",
                    ["data"] = new JsonObject { ["mark"] = mark, ["keep"] = keep },
                },
            }));
        return (int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["statusCode"]!;
    }

    private static async Task<TeamsWorld> ConsentedAsync()
    {
        var world = await TeamsWorld.StartAsync(withLog: true);
        world.Model.Rule = call => call.Say("Hi").End();
        await world.Kept.SetConsentAsync(TeamsBot.Surface, "p1", keep: true, train: false);
        return world;
    }

    private static long Kept(TeamsWorld world) => world.TurnsInLog;

    private static string Export(TeamsWorld world)
    {
        using var file = new MemoryStream();
        world.Kept.ExportAsync(TeamsBot.Surface, "p1", file).GetAwaiter().GetResult();
        using var zip = new ZipArchive(file);
        return string.Join('\n', zip.Entries.Select(entry => new StreamReader(entry.Open()).ReadToEnd()));
    }

    private static bool OnDisk(TeamsWorld world, string word) => Directory
        .EnumerateFiles(world.Folder, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetExtension(path) != ".lock").Any(path =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var text = new StreamReader(file, System.Text.Encoding.Latin1);
            return text.ReadToEnd().Contains(word, StringComparison.OrdinalIgnoreCase);
        });
}
