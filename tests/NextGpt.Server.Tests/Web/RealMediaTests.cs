using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using NextGpt.Media;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>
/// Files and media through everything but the network: Chromium, page, host, chat service, and the codecs in processes of
/// their own (WEB-2, WEB-3, WEB-4, TRN-4).
/// </summary>
public sealed class RealMediaTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-3")]
    [Trait("Id", "WEB-4")]
    public async Task Real_files_are_read_and_a_picture_a_sound_and_a_clip_are_made_shown_and_played()
    {
        var painter = new PaintingGenerator();
        await using var server = await WebServer.StartAsync(generator: painter);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.Locator("#files").SetInputFilesAsync(await FilesAsync(server));
        await ana.Page.GetByLabel("Answer with").SelectOptionAsync("A picture");
        await ana.AskAsync("What are these?");
        await Expect(ana.LastAnswer).ToHaveTextAsync("I got a picture of 96 by 64, a sound of 1.0 s, a clip of 8 pictures.");
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        var asked = ana.Turns.First.Locator(".files");
        await Expect(asked.Locator("img")).ToHaveJSPropertyAsync("naturalWidth", 96);
        await Expect(asked.Locator("audio")).ToHaveJSPropertyAsync("duration", 1);
        Assert.True((await asked.Locator("audio").BoundingBoxAsync())!.Width > 150, "The player of the question collapsed.");
        await Expect(ana.Turns.First.Locator(".media img")).ToHaveJSPropertyAsync("naturalWidth", 256);

        await MakeAsync("A sound");
        await Expect(ana.Turns.Last.Locator(".media audio")).ToHaveJSPropertyAsync("duration", 1.5);
        Assert.True((await ana.Turns.Last.Locator(".media audio").BoundingBoxAsync())!.Width > 150, "The player collapsed.");

        painter.Gate = new TaskCompletionSource().Task;   // never: the answer has to be stopped
        await ana.Page.GetByLabel("Answer with").SelectOptionAsync("A clip");
        await ana.AskAsync("A clip, please.");
        await Expect(ana.Turns.Last.Locator(".making")).ToBeVisibleAsync();
        await ana.Page.ReloadAsync();   // while it is being made
        await Expect(ana.Turns.Last.Locator(".making")).ToContainTextAsync("50 %");
        await ana.Button("Stop the answer").ClickAsync();
        await Expect(ana.Turns.Last).ToContainTextAsync("Stopped; what was there stands.");
        painter.Gate = null;
        await ana.Turns.Last.GetByRole(AriaRole.Button, new() { Name = "Answer again", Exact = true }).ClickAsync();
        var clip = ana.Turns.Last.Locator(".media video, .media img");
        await Expect(clip).ToBeVisibleAsync();
        await Expect(ana.Turns.Last).ToHaveAttributeAsync("aria-busy", "false");
        var box = await clip.BoundingBoxAsync();
        Assert.True(box is { Width: >= 200, Height: >= 200 }, $"The clip is {box?.Width} by {box?.Height}.");
        if (await clip.EvaluateAsync<string>("medium => medium.localName") == "video")
        {
            await clip.EvaluateAsync("video => video.play()");
            await Expect(clip).Not.ToHaveJSPropertyAsync("currentTime", 0);
            await Expect(clip).ToHaveJSPropertyAsync("videoWidth", 64);
        }

        var link = await clip.GetAttributeAsync("src") ?? "";
        using var nobody = new HttpClient { BaseAddress = server.Address };
        using var refused = await nobody.GetAsync(new Uri(link, UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        server.Time.Advance(TimeSpan.FromMinutes(80));
        Assert.Equal(404, (await ana.Page.Context.APIRequest.GetAsync(new Uri(server.Address, link).ToString())).Status);
        ana.AssertNoFaults();

        async Task MakeAsync(string what)
        {
            await ana.Page.GetByLabel("Answer with").SelectOptionAsync(what);
            await ana.AskAsync($"{what}, please.");
            await Expect(ana.Turns.Last.Locator(".media figure")).ToBeVisibleAsync();
            await Expect(ana.Turns.Last).ToHaveAttributeAsync("aria-busy", "false");
        }
    }

    /// <summary>A picture, a sound and a clip, written by the server's own codecs.</summary>
    internal static async Task<IEnumerable<FilePayload>> FilesAsync(WebServer server)
    {
        var writer = server.App.Services.GetRequiredService<IMediaWriter>();
        var files = new List<FilePayload>();
        foreach (var (name, medium) in new (string, Medium)[]
        {
            ("ball", PaintingGenerator.Ball(96, 64, 0.5, 0.5)),
            ("two tones", PaintingGenerator.Tones(1)),
            ("rolling ball", PaintingGenerator.Rolling(8)),
        })
        {
            var file = await writer.WriteAsync(medium, mark: null);
            files.Add(new FilePayload
            {
                Name = $"{name}.{file.Format.Extension}",
                MimeType = file.Format.MediaType,
                Buffer = file.Bytes.ToArray(),
            });
        }

        return files;
    }
}
