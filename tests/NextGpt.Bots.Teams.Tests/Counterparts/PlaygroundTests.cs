using System.Net;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Host.Tests;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>
/// The cases of teams.md 12 that are marked R, against a channel that others wrote. They share one playground and one bot
/// and go one after the other; each waits for words of its own.
/// </summary>
public sealed class PlaygroundTests : IClassFixture<PlaygroundWorld>, IAsyncLifetime
{
    private readonly PlaygroundWorld _world;

    public PlaygroundTests(PlaygroundWorld world)
    {
        NodeProgram.SkipUnlessInstalled();
        _world = world;
        Model.Rule = call => call.Say($"Answer to {call.Question}.").End();
    }

    private Playground Playground => _world.Playground;

    private ScriptedChatClient Model => _world.Model;

    /// <summary>Every test begins with nothing kept and nothing allowed.</summary>
    public async ValueTask InitializeAsync() => await _world.Kept.EraseAsync(TeamsBot.Surface, Playground.MyLastingId);

    public async ValueTask DisposeAsync() => await _world.Kept.SetConsentAsync(
        TeamsBot.Surface, Playground.MyLastingId, keep: false, train: false);

    [Fact]
    public async Task C1_AID_1_an_installation_is_welcomed_once_and_a_removal_erases()
    {
        await Playground.InstallAsync(Playground.Personal);
        await _world.ShownAsync("an AI");
        await AllowAsync();
        await Playground.SayAsync("c1 remember the heron");
        await _world.UntilAsync(() => _world.TurnsInLog == 1, "the kept turn");
        Assert.Single(
            Playground.Messages(), message => message.ToJsonString().Contains("a research model that errs", StringComparison.Ordinal));

        await Playground.CustomAsync("installationUpdate", new JsonObject { ["action"] = "remove" });
        await _world.UntilAsync(() => _world.TurnsInLog == 0, "the erasure");
    }

    [Theory]
    [InlineData("messageUpdate", "editMessage")]
    [InlineData("messageDelete", "softDeleteMessage")]
    public async Task C1_TRN_5_an_edited_or_deleted_question_leaves_the_log(string type, string what)
    {
        await AllowAsync();
        await Playground.CustomAsync("message", new JsonObject { ["id"] = $"q-{type}", ["text"] = $"remember {type}" });
        await _world.UntilAsync(() => _world.TurnsInLog == 1, "the kept turn");
        await _world.ShownAsync($"Answer to remember {type}.");

        await Playground.CustomAsync(
            type, new JsonObject { ["id"] = $"q-{type}", ["channelData"] = new JsonObject { ["eventType"] = what } });
        await _world.UntilAsync(() => _world.TurnsInLog == 0, "the removal");
    }

    [Fact]
    public async Task S1_TEA_1_a_personal_answer_grows_on_the_page_and_ends_with_label_and_thumbs()
    {
        Model.Rule = null;
        await Playground.SayAsync("s1 tell me");
        var call = await CallAsync("s1 tell me");
        call.Say("One ");
        await _world.ShownAsync("One ");
        call.Say("two ");
        await _world.ShownAsync("One two ");
        call.Say("three.").End();
        var final = await _world.ShownAsync("One two three.");
        await _world.UntilAsync(
            () => Playground.Messages().Any(message => Text(message).StartsWith("One two three.", StringComparison.Ordinal)
                && (string?)message["streamEntity"]?["streamType"] == "final"),
            "the end of the stream");

        var id = (string?)final["messageId"];
        var states = Playground.Shown.Where(item => (string?)item["message"]?["messageId"] == id).Select(item => item["message"]!).ToList();
        var texts = states.Where(message => (string?)message["streamEntity"]?["streamType"] != "informative").Select(Text).ToList();
        Assert.All(texts.Zip(texts.Skip(1)), pair => Assert.StartsWith(pair.First, pair.Second, StringComparison.Ordinal));
        Assert.NotNull(states[^1]["aiEntity"]);
        Assert.True((bool?)states[^1]["feedbackLoopEnabled"]);
    }

    [Fact]
    public async Task S2_TEA_1_in_a_group_the_mention_brings_one_message_and_no_stream()
    {
        await Playground.SayAsync("<at>NextGpt</at> s2 what is 3 &lt; 5", Playground.Group, ("NextGpt", "28:bot"));
        var said = await _world.ShownAsync("Answer to s2 what is 3", Playground.Group);

        Assert.Contains(Model.Calls, call => call.Question == "s2 what is 3 < 5");   // C2
        Assert.Null(said["streamEntity"]);
        Assert.Single(Playground.Messages(Playground.Group), message => Text(message).Contains("s2 what", StringComparison.Ordinal));
    }

    [Fact]
    public async Task C2_other_mentions_stay_as_names_and_the_models_markup_is_inert()
    {
        Model.Rule = call => call.Say("c2 I ask <at>Everybody</at>.").End();
        await Playground.SayAsync(
            "<at>NextGpt</at> c2 ask <at>Megan Bowen</at>", Playground.Group, ("NextGpt", "28:bot"), ("Megan Bowen", "user-id-1"));
        var said = await _world.ShownAsync("c2 I ask", Playground.Group);

        Assert.Contains(Model.Calls, call => call.Question == "c2 ask Megan Bowen");
        Assert.DoesNotContain("<at>", Text(said), StringComparison.Ordinal);
        Assert.Empty(said["mentions"]?.AsArray() ?? []);
    }

    [Fact]
    public async Task F2_TEA_2_a_picture_is_shown_in_a_card_and_a_sound_and_a_clip_behind_links()
    {
        Model.Rule = call => call.Say("f2 look.")
            .Media("started", "image").Media("completed", "image", file: ScriptedMedia.Png, caption: "f2 a heron")
            .Media("started", "audio", 1).Media("completed", "audio", 1, file: ScriptedMedia.Wav, type: "audio/wav", caption: "f2 a bell")
            .Media("started", "video", 2).Media("completed", "video", 2, file: ScriptedMedia.Mp4, type: "video/mp4", caption: "f2 a ball")
            .End();
        await Playground.SayAsync("f2 all of it");

        var picture = CardOf(await _world.ShownAsync("f2 a heron"));
        var image = picture["body"]!.AsArray().Single(item => (string?)item!["type"] == "Image")!;
        Assert.Equal("f2 a heron", (string?)image["altText"]);
        Assert.StartsWith("data:image/png;base64,", (string?)image["url"], StringComparison.Ordinal);
        foreach (var caption in (string[])["f2 a bell", "f2 a ball"])
        {
            var card = CardOf(await _world.ShownAsync(caption));
            Assert.StartsWith("https://bot.example.org/teams/media/", (string?)card["actions"]![0]!["url"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task K1_a_vote_of_the_page_is_kept_with_its_words()
    {
        await AllowAsync();
        await Playground.SayAsync("k1 hello");
        await _world.UntilAsync(() => _world.TurnsInLog == 1, "the kept turn");
        await EndOfStreamAsync("Answer to k1 hello.");

        var answer = await Playground.VoteAsync("dislike", "k1 too short");

        Assert.Equal("{}", (answer ?? new JsonObject()).ToJsonString());
        await _world.UntilAsync(() => Exported().Contains("k1 too short", StringComparison.Ordinal), "the vote");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task K2_PRI_2_the_pages_switches_count_and_forged_ones_do_not(bool submits)
    {
        await Playground.SayAsync("/consent");
        var shown = await _world.ShownAsync("What may be done with your conversations?");
        var data = CardOf(shown)["actions"]![0]!["data"]!.DeepClone().AsObject();
        var card = (string)shown["messageId"]!;

        await Playground.PressAsync(card, ValueOf(data, "made up"), submits);
        if (submits)
        {
            await _world.ShownAsync("not yours or too old");
        }

        Assert.False(_world.Kept.GetConsent(TeamsBot.Surface, Playground.MyLastingId).Keep);
        await Playground.PressAsync(card, ValueOf(data, null), submits);
        await _world.UntilAsync(() => _world.Kept.GetConsent(TeamsBot.Surface, Playground.MyLastingId).Keep, "the consent");

        JsonObject ValueOf(JsonObject own, string? forged)
        {
            var filled = own.DeepClone().AsObject();
            filled["keep"] = "true";
            filled["mark"] = forged ?? (string?)own["mark"];
            return submits ? filled : new JsonObject
            {
                ["action"] = new JsonObject { ["type"] = "Action.Execute", ["verb"] = "consent", ["data"] = filled },
            };
        }
    }

    [Fact]
    public async Task K2_a_reaction_is_a_vote_that_counts_once_and_is_taken_back()
    {
        await AllowAsync();
        await Playground.SayAsync("k2 hello");
        await _world.UntilAsync(() => _world.TurnsInLog == 1, "the kept turn");
        var id = (string?)(await EndOfStreamAsync("Answer to k2 hello."))["messageId"];

        for (var i = 0; i < 2; i++)
        {
            await Playground.CustomAsync("messageReaction", new JsonObject
            {
                ["replyToId"] = id,
                ["reactionsAdded"] = new JsonArray(new JsonObject { ["type"] = "like" }),
            });
        }

        await _world.UntilAsync(() => Exported().Contains("\"good\"", StringComparison.OrdinalIgnoreCase), "the vote");
        await Playground.CustomAsync("messageReaction", new JsonObject
        {
            ["replyToId"] = id,
            ["reactionsRemoved"] = new JsonArray(new JsonObject { ["type"] = "like" }),
        });
        await _world.UntilAsync(() => !Exported().Contains("\"good\"", StringComparison.OrdinalIgnoreCase), "the vote's end");
    }

    [Fact]
    public async Task F3_TEA_2_an_offered_file_is_uploaded_once_without_a_token_and_a_declined_one_is_dropped()
    {
        await AllowAsync();
        await Playground.SayAsync("/export");
        var offer = ContentOf(await _world.ShownAsync("file.consent"))["acceptContext"]!;
        for (var i = 0; i < 2; i++)
        {
            await Playground.CustomAsync("invoke", Decision("accept", offer));
        }

        await Playground.CustomAsync("invoke", Decision("accept", new JsonObject { ["offer"] = "unknown" }));
        await _world.ShownAsync("file.info");
        var upload = Assert.Single(_world.Uploads);
        Assert.Equal($"bytes 0-{upload.Bytes - 1}/{upload.Bytes}", upload.Range);
        Assert.Null(upload.Authorization);

        var before = Playground.Messages().Count;
        await Playground.SayAsync("/export");
        await _world.UntilAsync(() => Playground.Messages().Count > before, "the second offer");
        var second = ContentOf(Playground.Messages()[^1])["acceptContext"]!;
        await Playground.CustomAsync("invoke", Decision("decline", second));
        await _world.ShownAsync("the file is dropped");
        Assert.Single(_world.Uploads);

        JsonObject Decision(string action, JsonNode context) => new()
        {
            ["name"] = "fileConsent/invoke",
            ["value"] = new JsonObject
            {
                ["action"] = action,
                ["context"] = context.DeepClone(),
                ["uploadInfo"] = new JsonObject
                {
                    ["uploadUrl"] = new Uri(_world.Address, "/storage").ToString(),
                    ["contentUrl"] = "https://contoso.sharepoint.com/f",
                    ["name"] = "nextgpt-export.zip",
                    ["uniqueId"] = "1",
                    ["fileType"] = "zip",
                },
            },
        };
    }

    [Fact]
    public async Task B1_HEAD_is_answered_405_and_unknown_types_are_taken()
    {
        using var http = new HttpClient();
        using var head = new HttpRequestMessage(HttpMethod.Head, new Uri(_world.Address, "/api/messages"));
        using var answer = await http.SendAsync(head, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);

        await Playground.CustomAsync("never/heardOf", []);
        await Playground.SayAsync("b1 still there");
        await _world.ShownAsync("Answer to b1 still there.");
    }

    [Fact]
    public async Task B2_B3_the_same_activity_twice_is_answered_once_with_and_without_a_slash_while_the_model_blocks()
    {
        Model.Rule = call =>
        {
            if (!call.Question.Contains("block", StringComparison.Ordinal))
            {
                call.Say($"Answer to {call.Question}.").End();
            }
        };
        await Playground.CustomAsync("message", new JsonObject
        {
            ["text"] = "b2 block",
            ["conversation"] = new JsonObject { ["id"] = Playground.Group, ["conversationType"] = "groupChat", ["tenantId"] = Playground.Tenant },
        });
        var blocked = await CallAsync("b2 block");
        for (var i = 0; i < 2; i++)
        {
            await Playground.CustomAsync("message", new JsonObject
            {
                ["id"] = "b2-same",
                ["text"] = "b2 hello",
                ["serviceUrl"] = $"{Playground.ServiceUrl}/",
            });   // it returns only when the bot has taken it
        }

        blocked.Say("b2 free").End();
        await _world.ShownAsync("b2 free", Playground.Group);
        await EndOfStreamAsync("Answer to b2 hello.");
        Assert.Single(Playground.Messages(), message => Text(message).Contains("b2 hello", StringComparison.Ordinal));
        Assert.Single(Model.Calls, call => call.Question == "b2 hello");
    }

    [Fact]
    public async Task B4_a_conversation_that_the_channel_does_not_know_ends_nothing_else()
    {
        await Playground.CustomAsync("message", new JsonObject
        {
            ["text"] = "b4 lost",
            ["conversation"] = new JsonObject { ["id"] = "no-such-conversation", ["conversationType"] = "groupChat", ["tenantId"] = Playground.Tenant },
        });
        await CallAsync("b4 lost");
        await Playground.SayAsync("b4 still there");
        await _world.ShownAsync("Answer to b4 still there.");
    }

    [Fact]
    public async Task A3_what_the_playground_signs_with_a_public_word_is_refused_in_normal_mode()
    {
        var model = new ScriptedChatClient { Rule = call => call.Say("Never.").End() };
        await using var app = _world.Build(localMode: false, model, log: null);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await using var playground = await Playground.StartAsync(
            new Uri($"{app.Urls.First()}/api/messages"), imitating: "teams-ai-v2-dotnet");

        await playground.SayAsync("a3 believe me");
        await Task.Delay(500, TestContext.Current.CancellationToken);

        Assert.Empty(model.Calls);
        Assert.DoesNotContain(playground.Messages(), message => Text(message).Contains("Never", StringComparison.Ordinal));
    }

    private async Task AllowAsync() =>
        await _world.Kept.SetConsentAsync(TeamsBot.Surface, Playground.MyLastingId, keep: true, train: false);

    private async Task<ScriptedCall> CallAsync(string question)
    {
        ScriptedCall? found = null;
        await _world.UntilAsync(
            () => (found = Model.Calls.FirstOrDefault(call => call.Question == question)) is not null, $"the question \"{question}\"");
        return found!;
    }

    private async Task<JsonNode> EndOfStreamAsync(string text)
    {
        JsonNode? found = null;
        await _world.UntilAsync(
            () => (found = Playground.Messages().FirstOrDefault(message => Text(message).StartsWith(text, StringComparison.Ordinal)
                && (string?)message["streamEntity"]?["streamType"] == "final")) is not null,
            $"the end of \"{text}\"");
        return found!;
    }

    private string Exported()
    {
        using var file = new MemoryStream();
        _world.Kept.ExportAsync(TeamsBot.Surface, Playground.MyLastingId, file).GetAwaiter().GetResult();
        using var zip = new System.IO.Compression.ZipArchive(file);
        return string.Join('\n', zip.Entries.Select(entry => new StreamReader(entry.Open()).ReadToEnd()));
    }

    private static string Text(JsonNode message) => (string?)message["text"] ?? (string?)message["content"]?["text"] ?? "";

    private static JsonNode ContentOf(JsonNode message) => message["attachments"]![0]!["content"]!;

    private static JsonNode CardOf(JsonNode message) => ContentOf(message);
}
