using Microsoft.Extensions.DependencyInjection;
using NextGpt.Host;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>Names of conversations and what the page says of them (WEB-2, PRI-1).</summary>
public sealed class ConversationNameTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task The_name_of_a_kept_conversation_survives_a_restart_and_the_dialog_says_so()
    {
        var server = await WebServer.StartAsync(keeps: true);
        await using (var ana = await Visitor.ComeAsync(browser, server))
        {
            await server.App.Services.GetRequiredService<KeptTurns>().SetConsentAsync(
                "web", server.PersonCalled("Ana").Id, keep: true, train: false, TestContext.Current.CancellationToken);
            await AskAndRenameAsync(server, ana, "kept", "unkept");
            await Expect(ana.Status).ToHaveTextAsync("Renamed; the name is kept.");
            ana.AssertNoFaults();
        }

        await server.CrashAsync();
        await using var after = await WebServer.StartAsync(server, keeps: true);
        await server.DisposeAsync();
        await using var back = await Visitor.ComeAsync(browser, after);
        await back.GoAsync();
        await back.Page.Locator("#chats a").GetByText("Peaks").ClickAsync();
        await Expect(back.Page.Locator("#title")).ToHaveTextAsync("Peaks");
    }

    [Fact]
    [Trait("Id", "PRI-1")]
    public async Task The_name_of_a_conversation_that_is_not_kept_is_written_nowhere_and_the_dialog_says_so()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await AskAndRenameAsync(server, ana, "unkept", "kept");
        await Expect(ana.Status).ToHaveTextAsync("Renamed; the name is not kept.");
        Assert.False(server.FilesHave("Peaks"));
        ana.AssertNoFaults();
    }

    private static async Task AskAndRenameAsync(WebServer server, Visitor ana, string shown, string hidden)
    {
        await ana.GoAsync();
        await ana.AskAsync("What is the highest mountain?");
        (await server.Model.NextCallAsync()).Say("Everest.").End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await ana.Button("Rename the conversation").ClickAsync();
        await Expect(ana.Page.Locator($"[data-name={shown}]")).ToBeVisibleAsync();
        await Expect(ana.Page.Locator($"[data-name={hidden}]")).ToBeHiddenAsync();
        await ana.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Peaks");
        await ana.Page.Keyboard.PressAsync("Enter");
        await Expect(ana.Page.Locator("#title")).ToHaveTextAsync("Peaks");
    }
}
