using Microsoft.Playwright;
using NextGpt.Host.Tests;

namespace NextGpt.Server.Tests.Web;

/// <summary>Pictures of the page for people to look at. Run by name, with NEXTGPT_SHOTS set to a folder.</summary>
public sealed class WebShots(Browser browser)
{
    private const string LongAnswer = """
        Here is a short plan:

        1. **Boil** a litre of water.
        2. Add a pinch of salt, then the pasta.
        3. Wait *nine minutes* and taste.

        | what | how much |
        |---|---|
        | pasta | 120 g |
        | salt | 10 g |

        ```python
        def wait(minutes):
            return minutes * 60  # seconds
        ```

        See [this page](https://example.com/pasta?x=1) or look at ![a pot](https://example.com/pot.png).
        """;

    [Fact(Explicit = true)]
    public async Task Shots_of_every_state()
    {
        var folder = Environment.GetEnvironmentVariable("NEXTGPT_SHOTS") ?? Path.GetTempPath();
        Directory.CreateDirectory(folder);
        foreach (var (name, scheme, width, height) in new[]
        {
            ("light", ColorScheme.Light, 1280, 800), ("dark", ColorScheme.Dark, 1280, 800),
            ("360-light", ColorScheme.Light, 360, 740), ("360-dark", ColorScheme.Dark, 360, 740),
        })
        {
            await using var server = await WebServer.StartAsync();
            await using var ana = await Visitor.ComeAsync(browser, server, options: new()
            {
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = height },
            });
            await ana.GoAsync();
            await ShotAsync("empty");
            await ana.AskAsync("What is the capital of France?");
            (await server.Model.NextCallAsync()).Say("The capital of France is **Paris**.").End();
            await ana.Button("Copy the answer").WaitForAsync();
            await ana.AskAsync("How do I cook pasta for one? Give me the steps, a table of amounts and some code.");
            var call = await server.Model.NextCallAsync();
            await ShotAsync("waiting");
            call.Say(LongAnswer[..130]);
            await ana.LastAnswer.GetByText("nine").Or(ana.LastAnswer.Locator("li").Nth(1)).First.WaitForAsync();
            await ShotAsync("streaming");
            call.Say(LongAnswer[130..]).End();
            await ana.Turns.Nth(1).GetByRole(AriaRole.Button, new() { Name = "Copy the answer", Exact = true }).WaitForAsync();
            await ShotAsync("conversation");
            await ana.Turns.Nth(1).GetByRole(AriaRole.Button, new() { Name = "Bad answer", Exact = true }).ClickAsync();
            await ana.Page.GetByText("What was wrong?").WaitForAsync();
            await ShotAsync("rating");
            await ana.Page.Keyboard.PressAsync("Escape");
            await ana.Turns.Nth(0).GetByRole(AriaRole.Button, new() { Name = "Edit the question", Exact = true }).ClickAsync();
            await ShotAsync("edit");
            await ana.Page.Keyboard.PressAsync("Escape");
            await ana.Page.Locator("#keeping-line ~ button").ClickAsync();
            await ShotAsync("data");
            await ana.Button("Erase everything").First.ClickAsync();
            await ShotAsync("data-erase");
            await ana.Page.Keyboard.PressAsync("Escape");
            await ana.Button("Delete the conversation").ClickAsync();
            await ShotAsync("confirm");
            await ana.Page.Keyboard.PressAsync("Escape");
            if (width < 500)
            {
                await ana.Button("Conversations").ClickAsync();
                await ShotAsync("side");
                await ana.Page.Keyboard.PressAsync("Escape");
            }

            await ana.AskAsync("And one that fails?");
            (await server.Model.NextCallAsync()).Fail(new InvalidOperationException("scripted"));
            await ana.Button("Ask again").WaitForAsync();
            await ShotAsync("failed");
            await ana.GoAsync("/people");
            await ana.Button("Make a link").ClickAsync();
            await ShotAsync("people");
            await ana.Profile.ClearCookiesAsync();
            await ana.GoAsync("/login");
            await ShotAsync("login");
            await ana.GoAsync("/join/unknown");
            await ShotAsync("join-unknown");

            Task ShotAsync(string what) => ana.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{what}.png") });
        }
    }

    [Fact(Explicit = true)]
    public async Task Shots_of_media()
    {
        var folder = Environment.GetEnvironmentVariable("NEXTGPT_SHOTS") ?? Path.GetTempPath();
        Directory.CreateDirectory(folder);
        foreach (var (name, scheme, width, height) in new[]
        {
            ("light", ColorScheme.Light, 1280, 800), ("dark", ColorScheme.Dark, 1280, 800),
            ("360-light", ColorScheme.Light, 360, 740), ("360-dark", ColorScheme.Dark, 360, 740),
        })
        {
            await using var server = await WebServer.StartAsync(media: true);
            await using var ana = await Visitor.ComeAsync(browser, server, options: new()
            {
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = height },
            });
            await ana.GoAsync();
            var drawn = Convert.FromBase64String(await ana.Page.EvaluateAsync<string>(
                """
                () => {
                  const canvas = document.createElement('canvas');
                  canvas.width = canvas.height = 256;
                  const pen = canvas.getContext('2d');
                  pen.fillStyle = '#8ab6d6'; pen.fillRect(0, 0, 256, 256);
                  pen.fillStyle = '#c0392b'; pen.beginPath(); pen.arc(128, 140, 70, 0, 7); pen.fill();
                  return canvas.toDataURL('image/png').split(',')[1];
                }
                """));
            await ana.Page.Locator("#files").SetInputFilesAsync(
            [
                new FilePayload { Name = "red ball.png", MimeType = "image/png", Buffer = drawn },
                new FilePayload { Name = "rain on the roof.wav", MimeType = "audio/wav", Buffer = ScriptedMedia.Wav },
            ]);
            await ana.Page.GetByLabel("Answer with").SelectOptionAsync("A picture");
            await ShotAsync("media-attached");
            await ana.AskAsync("Draw what you see and hear.");
            var call = await server.Model.NextCallAsync();
            call.Say("Here is a red ball in the rain.").Media("started").Media("progress", progress: 0.4);
            await ana.Turns.First.GetByText("Drawing a picture… 40 %").WaitForAsync();
            await ShotAsync("media-under-way");
            call.Media("completed", file: drawn)
                .Media("completed", "audio", 1, file: ScriptedMedia.Wav, type: "audio/wav", caption: "rain on a tin roof")
                .Media("failed", "video", 2, error: "no memory").End();
            await ana.Button("Copy the answer").WaitForAsync();
            await ShotAsync("media-answered");
            await ana.Page.Locator("#files").SetInputFilesAsync(
                new FilePayload { Name = "notes.pdf", MimeType = "application/pdf", Buffer = "%PDF-1.7"u8.ToArray() });
            await ana.Alert.WaitForAsync();
            await ShotAsync("media-refused");

            Task ShotAsync(string what) => ana.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{what}.png") });
        }
    }

    [Fact(Explicit = true)]
    public async Task Shots_of_real_media()
    {
        var folder = Environment.GetEnvironmentVariable("NEXTGPT_SHOTS") ?? Path.GetTempPath();
        Directory.CreateDirectory(folder);
        foreach (var (name, scheme, width, height) in new[]
        {
            ("light", ColorScheme.Light, 1280, 900), ("dark", ColorScheme.Dark, 1280, 900),
            ("360-light", ColorScheme.Light, 360, 740), ("360-dark", ColorScheme.Dark, 360, 740),
        })
        {
            var painter = new PaintingGenerator();
            await using var server = await WebServer.StartAsync(keeps: true, generator: painter);
            await using var ana = await Visitor.ComeAsync(browser, server, options: new()
            {
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = height },
            });
            await ana.GoAsync();
            await ana.Page.Locator("#files").SetInputFilesAsync(await RealMediaTests.FilesAsync(server));
            await ShotAsync("real-attached");
            await AskAsync("A picture", "What are these? And draw me a ball.");
            await ShotAsync("real-asked-and-picture-end");
            await ana.Turns.First.Locator(".files").ScrollIntoViewIfNeededAsync();
            await ana.Page.EvaluateAsync("document.querySelector('#thread').scrollTop = 0");
            await ShotAsync("real-asked");
            await AskAsync("A sound", "Two tones, please.");
            await ShotAsync("real-sound");
            await AskAsync("A clip", "Now the ball, rolling.");
            await ana.Page.WaitForTimeoutAsync(400);   // the browser shows a first picture
            await ShotAsync("real-clip");
            painter.Gate = new TaskCompletionSource().Task;
            await ana.Page.GetByLabel("Answer with").SelectOptionAsync("A clip");
            await ana.AskAsync("And one that takes long.");
            await ana.Turns.Last.Locator(".making").WaitForAsync();
            await ShotAsync("real-making");
            await ana.Button("Stop the answer").ClickAsync();
            await ana.Turns.Last.GetByText("Stopped;").WaitForAsync();
            await ShotAsync("real-stopped");
            painter.Gate = null;
            await ana.Turns.Last.GetByRole(AriaRole.Button, new() { Name = "Answer again", Exact = true }).ClickAsync();
            await ana.Turns.Last.Locator(".media figure").WaitForAsync();
            await ana.Page.WaitForTimeoutAsync(400);
            await ShotAsync("real-again");
            await ana.Button("Rename the conversation").ClickAsync();
            await ShotAsync("rename");
            await ana.Page.Keyboard.PressAsync("Escape");

            async Task AskAsync(string make, string question)
            {
                var turn = ana.Turns.Nth(await ana.Turns.CountAsync());
                await ana.Page.GetByLabel("Answer with").SelectOptionAsync(make);
                await ana.AskAsync(question);
                await turn.Locator(".media figure").WaitForAsync();
                await turn.Locator(".tools .facts").WaitForAsync();
            }

            Task ShotAsync(string what) => ana.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{what}.png") });
        }
    }
}
