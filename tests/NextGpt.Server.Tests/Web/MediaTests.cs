using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using NextGpt.Host.Tests;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>Files sent and media shown (WEB-3, WEB-4, TRN-4, LOG-3, PRI-3, PRI-4).</summary>
public sealed class MediaTests(Browser browser)
{
    private static readonly FilePayload Png = new() { Name = "cat.png", MimeType = "image/png", Buffer = ScriptedMedia.Png };

    private static readonly FilePayload Wav = new() { Name = "rain.wav", MimeType = "audio/wav", Buffer = ScriptedMedia.Wav };

    [Fact]
    [Trait("Id", "WEB-3")]
    public async Task Files_are_chosen_shown_removed_and_sent_with_the_question()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.Locator("#files").SetInputFilesAsync([Png, Wav]);
        await Expect(ana.Page.Locator("#attached li")).ToHaveTextAsync(["cat.png", "rain.wav"]);
        await ana.Button("Remove rain.wav").ClickAsync();
        await Expect(ana.Page.Locator("#attached li")).ToHaveCountAsync(1);

        await ana.AskAsync("What is this?");
        var call = await server.Model.NextCallAsync();
        Assert.Equal(2, call.Messages[^1].Contents.Count);
        await Expect(ana.Page.Locator("#attached")).ToBeHiddenAsync();
        var picture = ana.Turns.First.Locator(".files img");
        await Expect(picture).ToHaveAttributeAsync("alt", "cat.png");
        await Expect(picture).ToHaveJSPropertyAsync("complete", true);
        Assert.Equal(1, await picture.EvaluateAsync<int>("image => image.naturalWidth"));
        call.Say("A dot.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("A dot.");
        await Expect(picture).ToHaveCountAsync(1);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-3")]
    public async Task What_cannot_be_read_is_refused_before_it_is_uploaded_with_the_sentence_of_the_catalogue()
    {
        await using var server = await WebServer.StartAsync(media: true, settings: ("NextGpt:Turns:MaxFileMegabytes", "1"));
        await using var ana = await Visitor.ComeAsync(browser, server);
        var posts = new List<string>();
        ana.Page.Request += (_, request) =>
        {
            if (request.Method == "POST")
            {
                posts.Add(request.Url);
            }
        };
        await ana.GoAsync();

        await RefusedAsync("notes.pdf", "application/pdf", "%PDF-1.7"u8.ToArray(), "application/pdf is not supported; send PNG, JPEG,");
        await RefusedAsync("photo.png", "image/png", "PK\u0003\u0004"u8.ToArray(), "photo.png says PNG but its bytes are a ZIP file; send the real image.");
        await RefusedAsync("big.png", "image/png", [.. ScriptedMedia.Png, .. new byte[1_100_000]], "big.png has 1.0 MiB, the limit is 1; send a smaller one.");
        await RefusedAsync("none.png", "image/png", [], "none.png is empty; upload it again.");
        await ana.Page.Locator("#files").SetInputFilesAsync([Png, Png, Png, Png, Png]);
        await Expect(ana.Alert).ToContainTextAsync("5 files came, 4 are allowed; send the others in a second message.");
        Assert.Empty(posts);
        ana.AssertNoFaults();

        async Task RefusedAsync(string name, string type, byte[] bytes, string sentence)
        {
            await ana.Page.Locator("#files").SetInputFilesAsync(new FilePayload { Name = name, MimeType = type, Buffer = bytes });
            await Expect(ana.Alert).ToContainTextAsync(sentence);
            await Expect(ana.Page.Locator("#attached")).ToBeHiddenAsync();
        }
    }

    [Fact]
    [Trait("Id", "WEB-3")]
    public async Task Files_are_dropped_and_pasted()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.EvaluateAsync(
            """
            bytes => {
              const data = new DataTransfer();
              data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
              const room = document.querySelector('.room');
              room.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
              room.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
            }
            """,
            ScriptedMedia.Png.Select(value => (int)value).ToArray());
        await Expect(ana.Page.Locator("#attached li")).ToHaveTextAsync(["dropped.png"]);
        await ana.Page.EvaluateAsync(
            """
            bytes => {
              const data = new DataTransfer();
              data.items.add(new File([new Uint8Array(bytes)], 'pasted.png', { type: 'image/png' }));
              document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
            }
            """,
            ScriptedMedia.Png.Select(value => (int)value).ToArray());
        await Expect(ana.Page.Locator("#attached li")).ToHaveTextAsync(["dropped.png", "pasted.png"]);
        await ana.Send.ClickAsync();   // files alone are a question
        Assert.Equal(2, (await server.Model.NextCallAsync()).Messages[^1].Contents.OfType<DataContent>().Count());
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-4")]
    public async Task A_picture_is_seen_coming_stays_through_a_reload_and_has_its_caption_as_alternative_text()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Draw a red cat.");
        var call = await server.Model.NextCallAsync();
        call.Say("Here is a red cat.").Media("started");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Here is a red cat.");   // TRN-4: text first
        await Expect(ana.Turns.First.GetByText("Drawing a picture… 0 %")).ToBeVisibleAsync();
        await Expect(ana.Status).ToHaveTextAsync("Drawing a picture.");
        call.Media("progress", progress: 0.4);
        await Expect(ana.Turns.First.GetByRole(AriaRole.Progressbar, new() { Name = "Drawing a picture" })).ToHaveAttributeAsync("value", "40");
        await ana.Page.ReloadAsync();
        await Expect(ana.Turns.First.GetByText("Drawing a picture… 40 %")).ToBeVisibleAsync();

        call.Media("completed", file: ScriptedMedia.Png).Media("started", "audio", 1).Media("failed", "audio", 1, error: "no memory");
        var picture = ana.Turns.First.GetByRole(AriaRole.Img, new() { Name = "Here is a red cat." });
        await Expect(picture).ToBeVisibleAsync();
        await Expect(ana.Turns.First.GetByText(new Regex("I meant to add a sound here but could not make it"))).ToBeVisibleAsync();
        call.End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(picture).ToBeVisibleAsync();
        await Expect(ana.Page.Locator("#announcer")).ToHaveTextAsync(
            "The AI answered: Here is a red cat. A picture: Here is a red cat.");
        await ana.Page.ReloadAsync();
        await Expect(picture).ToBeVisibleAsync();
        Assert.Equal(1, await picture.EvaluateAsync<int>("image => image.naturalWidth"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-4")]
    public async Task A_sound_plays_in_the_page_and_can_be_saved()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Rain, please.");
        (await server.Model.NextCallAsync()).Media("completed", "audio", file: ScriptedMedia.Wav, type: "audio/wav", caption: "rain").End();

        var sound = ana.Turns.First.GetByLabel("rain");
        await Expect(sound).ToHaveJSPropertyAsync("duration", 0.25);
        var saved = await ana.Page.RunAndWaitForDownloadAsync(
            () => ana.Page.GetByRole(AriaRole.Link, new() { Name = "Save the sound" }).ClickAsync());
        Assert.Matches("^sound-[0-9a-f]{8}\\.wav$", saved.SuggestedFilename);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "TRN-7")]
    public async Task A_picture_can_be_demanded_and_answering_again_keeps_demand_and_files()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.GetByLabel("Answer with").SelectOptionAsync("A picture");
        await ana.Page.Locator("#files").SetInputFilesAsync(Png);
        await ana.AskAsync("Like this.");
        var first = await server.Model.NextCallAsync();
        first.Say("So.").Media("completed", file: ScriptedMedia.Png).End();
        await Expect(ana.Page.GetByLabel("Answer with")).ToHaveValueAsync("");
        await ana.Button("Answer again").ClickAsync();
        var again = await server.Model.NextCallAsync();

        foreach (var call in new[] { first, again })
        {
            Assert.Equal(["text", "image"], Assert.IsAssignableFrom<IEnumerable<string>>(call.Options.AdditionalProperties?["modalities"]));
            Assert.Single(call.Messages[^1].Contents.OfType<DataContent>());
        }

        await Expect(ana.Turns.First.Locator(".files img")).ToBeVisibleAsync();
        again.Say("Again.").Media("completed", file: ScriptedMedia.Png).End();
        await Expect(ana.Page.GetByLabel("Version 2 of 2")).ToBeVisibleAsync();
        ana.AssertNoFaults();
    }

    [Fact]
    public async Task A_model_of_text_alone_offers_neither_files_nor_media()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await Expect(ana.Button("Attach files")).ToHaveCountAsync(0);
        await Expect(ana.Page.GetByLabel("Answer with")).ToHaveCountAsync(0);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-4")]
    public async Task Links_of_media_need_the_owners_login_expire_and_give_nothing_but_the_medium()
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Rain, please.");
        (await server.Model.NextCallAsync()).Media("completed", "audio", file: ScriptedMedia.Wav, type: "audio/wav", caption: "rain").End();
        var link = await ana.Turns.First.GetByLabel("rain").GetAttributeAsync("src") ?? "";
        using var owner = ClientOf(server, "Ana");
        using var other = ClientOf(server, "Bob");
        using var nobody = new HttpClient { BaseAddress = server.Address };

        using var answer = await owner.GetAsync(new Uri(link, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("audio/wav", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("default-src 'none'; sandbox", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.StartsWith("inline; filename=\"sound-", answer.Content.Headers.ContentDisposition?.ToString(), StringComparison.Ordinal);
        Assert.True(answer.Headers.CacheControl?.Private);
        Assert.Equal(ScriptedMedia.Wav, await answer.Content.ReadAsByteArrayAsync());

        using var part = new HttpRequestMessage(HttpMethod.Get, link) { Headers = { Range = new RangeHeaderValue(4, 7) } };
        using var piece = await owner.SendAsync(part);
        Assert.Equal(HttpStatusCode.PartialContent, piece.StatusCode);
        Assert.Equal(ScriptedMedia.Wav[4..8], await piece.Content.ReadAsByteArrayAsync());

        using var save = await owner.GetAsync(new Uri(link + "&download=1", UriKind.Relative));
        Assert.Equal("attachment", save.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(other, link));                                  // not theirs
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(nobody, link));                             // not signed in
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(owner, Regex.Replace(link, "until=\\d", "until=9"))); // forged
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(owner, link.Split('?')[0]));
        server.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(owner, link));
        server.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(owner, link));                                  // expired

        static async Task<HttpStatusCode> StatusAsync(HttpClient client, string link)
        {
            using var answer = await client.GetAsync(new Uri(link, UriKind.Relative));
            return answer.StatusCode;
        }
    }

    [Fact]
    [Trait("Id", "PRI-4")]
    public async Task Kept_media_survive_a_restart_are_exported_and_erasing_removes_their_bytes()
    {
        byte[] made = [.. ScriptedMedia.Png, .. "the model made this"u8];
        var server = await WebServer.StartAsync(keeps: true, media: true);
        await using (var ana = await Visitor.ComeAsync(browser, server))
        {
            await server.App.Services.GetRequiredService<NextGpt.Host.KeptTurns>().SetConsentAsync(
                "web", server.PersonCalled("Ana").Id, keep: true, train: false, TestContext.Current.CancellationToken);
            await ana.GoAsync();
            await ana.Page.Locator("#files").SetInputFilesAsync(Wav);
            await ana.AskAsync("Draw what you hear.");
            (await server.Model.NextCallAsync()).Say("A heron.").Media("completed", file: made).End();
            await Expect(ana.Turns.First).ToContainTextAsync("Kept");
        }

        await server.CrashAsync();
        await using var after = await WebServer.StartAsync(server, keeps: true, media: true);
        await server.DisposeAsync();
        await using var back = await Visitor.ComeAsync(browser, after);
        await back.GoAsync();
        await back.Page.Locator("#chats a").First.ClickAsync();
        var picture = back.Turns.First.GetByRole(AriaRole.Img, new() { Name = "A heron." });
        await Expect(picture).ToBeVisibleAsync();
        Assert.Equal(1, await picture.EvaluateAsync<int>("image => image.naturalWidth"));
        await Expect(back.Turns.First.GetByLabel("Your sound")).ToHaveJSPropertyAsync("duration", 0.25);

        using var owner = ClientOf(after, "Ana");
        using var zip = new ZipArchive(await owner.GetStreamAsync(new Uri("/chat/export", UriKind.Relative)));
        var exported = zip.Entries.Where(entry => entry.FullName.StartsWith("media/", StringComparison.Ordinal)).ToList();
        Assert.Equal([".png", ".wav"], exported.Select(entry => Path.GetExtension(entry.Name)).Order());
        Assert.True(after.FilesHave("the model made this"));
        await after.App.Services.GetRequiredService<NextGpt.Host.KeptTurns>().EraseAsync(
            "web", after.PersonCalled("Ana").Id, TestContext.Current.CancellationToken);
        Assert.False(after.FilesHave("the model made this"));
        back.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-1")]
    public async Task Without_consent_no_byte_of_a_file_touches_the_disk()
    {
        await using var server = await WebServer.StartAsync(keeps: true, media: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.Locator("#files").SetInputFilesAsync(new FilePayload
        {
            Name = "cat.png",
            MimeType = "image/png",
            Buffer = [.. ScriptedMedia.Png, .. "a secret in the file"u8, .. new byte[200_000]],
        });
        await ana.AskAsync("What is this?");
        (await server.Model.NextCallAsync()).Media("completed", file: [.. ScriptedMedia.Png, .. "a secret in the answer"u8]).End();
        await Expect(ana.Turns.First).ToContainTextAsync("Not kept");

        Assert.False(server.FilesHave("a secret in the file"));
        Assert.False(server.FilesHave("a secret in the answer"));
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 360)]
    [Trait("Id", "WEB-1")]
    public async Task A_page_with_media_keeps_the_accessibility_rules_and_fits_the_window(ColorScheme scheme, int width)
    {
        await using var server = await WebServer.StartAsync(media: true);
        await using var ana = await Visitor.ComeAsync(browser, server, options: new()
        {
            ColorScheme = scheme,
            ViewportSize = new() { Width = width, Height = 740 },
        });
        await ana.GoAsync();
        await CheckAsync("empty");
        await ana.Page.Locator("#files").SetInputFilesAsync([Png, Wav, new FilePayload { Name = new string('n', 90) + ".png", MimeType = "image/png", Buffer = ScriptedMedia.Png }]);
        await CheckAsync("attached");
        await ana.AskAsync("Draw, sing, film.");
        var call = await server.Model.NextCallAsync();
        call.Say("Here.").Media("started").Media("progress", progress: 0.4);
        await Expect(ana.Turns.First.GetByText("Drawing a picture… 40 %")).ToBeVisibleAsync();
        await CheckAsync("under way");
        call.Media("completed", file: ScriptedMedia.Png)
            .Media("completed", "audio", 1, file: ScriptedMedia.Wav, type: "audio/wav", caption: "rain")
            .Media("failed", "video", 2, error: "no memory").End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(ana.Turns.First.GetByText(new Regex("I meant to add a clip"))).ToBeVisibleAsync();
        await CheckAsync("answered");
        ana.AssertNoFaults();

        async Task CheckAsync(string state)
        {
            await ana.AssertAccessibleAsync($"media, {state}, {scheme}, {width} px");
            await ana.AssertNoSidewaysScrollAsync();
        }
    }

    private static HttpClient ClientOf(WebServer server, string name)
    {
        var cookie = server.SessionOf(server.PersonCalled(name));
        var client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Add("Cookie", $"{cookie.Name}={cookie.Value}");
        return client;
    }
}
