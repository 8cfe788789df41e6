using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>The whole way once: browser, server, router, the embedded model.</summary>
public sealed class EmbeddedModelTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task The_embedded_model_answers_an_example_and_can_be_stopped()
    {
        await using var server = await WebServer.StartAsync(embeddedModel: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Button("What is the capital of France?").ClickAsync();
        await Expect(ana.LastAnswer).ToContainTextAsync("Paris", new() { Timeout = 60_000 });
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false", new() { Timeout = 60_000 });
        await Expect(ana.Turns.First.Locator(".facts")).ToContainTextAsync("SmolLM2");

        await ana.AskAsync("Tell me everything about the sea, in a thousand words.");
        await Expect(ana.Turns.Nth(1).Locator(".answer .block").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await ana.Button("Stop the answer").ClickAsync();
        await Expect(ana.Turns.Last).ToContainTextAsync("Stopped; what was there stands.");
        ana.AssertNoFaults();
    }
}
