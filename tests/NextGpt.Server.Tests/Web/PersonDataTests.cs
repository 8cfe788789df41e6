using System.IO.Compression;
using Microsoft.Playwright;
using NextGpt.Conversations;
using NextGpt.Host;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>Two switches, both off; votes, removal, export, erasure (WEB-5, PRI-1 to PRI-4).</summary>
public sealed class PersonDataTests(Browser browser)
{
    [Fact]
    [Trait("Id", "PRI-1")]
    public async Task Nothing_is_written_until_the_person_switches_keeping_on()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await AskAsync(ana, server, "The heron stands still.", "So does the reed.");
        await Expect(ana.Turns.First).ToContainTextAsync("Not kept");
        Assert.False(server.FilesHave("heron"));
        Assert.False(server.FilesHave("reed"));

        await OpenDataAsync(ana);
        await Expect(Keep(ana)).Not.ToBeCheckedAsync();
        await Expect(Train(ana)).Not.ToBeCheckedAsync();
        await Expect(Train(ana)).ToBeDisabledAsync();
        await Expect(ana.Page.Locator("#data")).ToContainTextAsync($"Text {ConsentText.Version}. You have not chosen yet.");
        await Keep(ana).CheckAsync();
        await Expect(ana.Status).ToHaveTextAsync("Your conversations are kept. They do not improve the model.");
        await Expect(Train(ana)).ToBeEnabledAsync();
        await Expect(Train(ana)).Not.ToBeCheckedAsync();
        await ana.Page.Keyboard.PressAsync("Escape");
        await AskAsync(ana, server, "The otter dives.", "The water closes.");
        await Expect(ana.Turns.Nth(1).Locator(".state")).ToHaveTextAsync("Kept");
        await Expect(ana.Turns.Nth(0).Locator(".state")).ToHaveTextAsync("Not kept");   // consent is not for what was before it
        Assert.True(server.FilesHave("otter"));
        Assert.False(server.FilesHave("heron"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-5")]
    public async Task The_second_switch_is_another_act_and_each_turn_shows_its_state()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await OpenDataAsync(ana);
        await Keep(ana).CheckAsync();
        await Expect(Train(ana)).ToBeEnabledAsync();
        await Train(ana).CheckAsync();
        await Expect(ana.Status).ToHaveTextAsync("Your conversations are kept and may improve the model.");
        await ana.Page.Keyboard.PressAsync("Escape");
        await AskAsync(ana, server, "What is a reed?", "A tall grass.");
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Kept, may teach");
        var person = server.Log!.KeyOf("web", server.PersonCalled("Ana").Id);
        Assert.Equal(new ConsentState(true, true, ConsentText.Version, server.Time.GetUtcNow()), server.Log.GetConsent(person));
        Assert.True(Assert.Single(await server.Log.ReadAsync(person, TestContext.Current.CancellationToken)).Trainable);

        await OpenDataAsync(ana);
        await Train(ana).UncheckAsync();
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Kept");
        Assert.False(Assert.Single(await server.Log.ReadAsync(person, TestContext.Current.CancellationToken)).Trainable);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-2")]
    public async Task Withdrawing_asks_once_and_erases_what_was_kept()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await OpenDataAsync(ana);
        await Keep(ana).CheckAsync();
        await Expect(ana.Page.Locator("#keeping-line")).ToHaveTextAsync("Your conversations are kept.");
        await ana.Page.Keyboard.PressAsync("Escape");
        await AskAsync(ana, server, "The heron stands still.", "So does the reed.");
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Kept");

        await OpenDataAsync(ana);
        await Keep(ana).UncheckAsync();
        await Expect(ana.Button("Switch off and erase")).ToBeFocusedAsync();
        await ana.AssertAccessibleAsync("withdraw?");
        await ana.Button("Leave it on").ClickAsync();
        await Expect(Keep(ana)).ToBeCheckedAsync();
        Assert.True(server.FilesHave("heron"));
        await Keep(ana).UncheckAsync();
        await ana.Button("Switch off and erase").ClickAsync();
        await Expect(ana.Status).ToHaveTextAsync("Nothing of yours is kept.");
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Not kept");
        Assert.False(server.FilesHave("heron"));
        await ana.Page.ReloadAsync();
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Not kept");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Kept_conversations_are_there_after_a_restart_and_go_on()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await OpenDataAsync(ana);
        await Keep(ana).CheckAsync();
        await Expect(ana.Page.Locator("#keeping-line")).ToHaveTextAsync("Your conversations are kept.");
        await ana.Page.Keyboard.PressAsync("Escape");
        await AskAsync(ana, server, "I live by the sea.", "That sounds lovely.");
        await ana.Button("Bad answer").ClickAsync();
        await ana.Page.GetByLabel("A better answer").FillAsync("By which sea?");
        await ana.Button("Save").ClickAsync();
        await Expect(ana.Turns.First).ToContainTextAsync("Your correction");
        var seed = await ana.Turns.First.Locator(".facts").TextContentAsync();
        var person = server.Log!.KeyOf("web", server.PersonCalled("Ana").Id);
        var kept = Assert.Single(await server.Log.ReadAsync(person, TestContext.Current.CancellationToken));
        Assert.Equal((TurnVote.Bad, null, "By which sea?"), (kept.Vote, kept.VoteReason, kept.Correction));

        await server.CrashAsync();
        await using var restarted = await WebServer.StartAsync(server, keeps: true);
        await ana.GoAsync();
        await ana.Page.GetByLabel("Search your conversations").FillAsync("lovely");
        await ana.Page.GetByRole(AriaRole.Link, new() { Name = "I live by the sea. kept" }).ClickAsync();
        await Expect(ana.Turns.First).ToContainTextAsync("By which sea?");
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Kept");
        Assert.StartsWith(
            string.Join(" · ", (seed ?? "").Split(" · ")[..2]), await ana.Turns.First.Locator(".facts").TextContentAsync(),
            StringComparison.Ordinal);
        await ana.AskAsync("Where do I live?");
        var call = await restarted.Model.NextCallAsync();
        Assert.Equal(
            ["I live by the sea.", "That sounds lovely.", "Where do I live?"], call.Messages.Select(message => message.Text));
        call.Say("By the sea.").End();
        await Expect(ana.Turns.Nth(1).Locator(".answer")).ToHaveTextAsync("By the sea.");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-3")]
    public async Task The_export_holds_ones_own_words_and_erasing_leaves_none()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var bob = await Visitor.ComeAsync(browser, server, "Bob");
        foreach (var (visitor, question) in new[] { (ana, "The heron stands still."), (bob, "The otter dives.") })
        {
            await visitor.GoAsync();
            await OpenDataAsync(visitor);
            await Keep(visitor).CheckAsync();
            await Expect(visitor.Page.Locator("#keeping-line")).ToHaveTextAsync("Your conversations are kept.");
            await visitor.Page.Keyboard.PressAsync("Escape");
            await AskAsync(visitor, server, question, "Indeed.");
            await Expect(visitor.Turns.First.Locator(".state")).ToHaveTextAsync("Kept");
        }

        await OpenDataAsync(ana);
        var download = await ana.Page.RunAndWaitForDownloadAsync(() =>
            ana.Page.GetByRole(AriaRole.Link, new() { Name = "Export" }).ClickAsync());
        Assert.Matches("^nextgpt-[0-9-]{10}\\.zip$", download.SuggestedFilename);
        await using (var zip = await ZipFile.OpenReadAsync(await download.PathAsync(), TestContext.Current.CancellationToken))
        {
            var all = string.Concat(zip.Entries.Select(entry => new StreamReader(entry.Open()).ReadToEnd()));
            Assert.Contains("heron", all, StringComparison.Ordinal);
            Assert.DoesNotContain("otter", all, StringComparison.Ordinal);
        }

        await ana.Button("Erase everything").First.ClickAsync();
        await ana.Button("Erase everything").Last.ClickAsync();
        await Expect(ana.Page.GetByText("Your conversations will stand here.")).ToBeVisibleAsync();
        Assert.False(server.FilesHave("heron"));
        Assert.True(server.FilesHave("otter"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-4")]
    public async Task A_removed_turn_and_a_removed_person_are_gone_from_the_disk()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var bob = await Visitor.ComeAsync(browser, server, "Bob");
        await bob.GoAsync();
        await OpenDataAsync(bob);
        await Keep(bob).CheckAsync();
        await Expect(bob.Page.Locator("#keeping-line")).ToHaveTextAsync("Your conversations are kept.");
        await bob.Page.Keyboard.PressAsync("Escape");
        await AskAsync(bob, server, "The heron stands still.", "Indeed.");
        await AskAsync(bob, server, "The otter dives.", "Indeed.");
        await bob.Turns.First.GetByRole(AriaRole.Button, new() { Name = "Remove this turn" }).ClickAsync();
        await bob.Button("Remove").ClickAsync();
        await Expect(bob.Turns).ToHaveCountAsync(1);
        Assert.False(server.FilesHave("heron"));
        Assert.True(server.FilesHave("otter"));

        await ana.GoAsync("/people");
        await ana.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("Remove Bob") }).ClickAsync();
        await Expect(ana.Page.GetByText("Bob")).ToHaveCountAsync(0);
        Assert.False(server.FilesHave("otter"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-2")]
    public async Task A_new_text_asks_again_and_keeps_nothing_until_it_is_answered()
    {
        await using var server = await WebServer.StartAsync(keeps: true);
        var person = server.Log!.KeyOf("web", server.PersonCalled("Ana").Id);
        await server.Log.SetConsentAsync(person, keep: true, train: true, "1999-1", TestContext.Current.CancellationToken);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await AskAsync(ana, server, "The heron stands still.", "Indeed.");
        await Expect(ana.Turns.First.Locator(".state")).ToHaveTextAsync("Not kept");
        Assert.False(server.FilesHave("heron"));
        await OpenDataAsync(ana);
        await Expect(ana.Page.Locator("#data")).ToContainTextAsync("The text below has changed since you agreed");
        await Expect(Keep(ana)).Not.ToBeCheckedAsync();
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "DEG-1")]
    public async Task Without_a_log_the_page_says_so_and_chat_goes_on()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await AskAsync(ana, server, "Still there?", "Yes.");
        await OpenDataAsync(ana);
        await Expect(ana.Page.Locator("#data")).ToContainTextAsync("Turns are not being kept: no log is open.");
        await ana.Button("Erase everything").First.ClickAsync();
        await ana.Button("Erase everything").Last.ClickAsync();
        await Expect(ana.Page.GetByText("Your conversations will stand here.")).ToBeVisibleAsync();
        ana.AssertNoFaults();
    }

    private static ILocator Keep(Visitor visitor) => visitor.Page.GetByRole(AriaRole.Switch, new() { Name = "Keep my conversations" });

    private static ILocator Train(Visitor visitor) => visitor.Page.GetByRole(AriaRole.Switch, new() { Name = "Use them to improve the model" });

    private static async Task OpenDataAsync(Visitor visitor)
    {
        await visitor.Page.Locator(".under [data-act=data]").ClickAsync();
        await Expect(visitor.Page.Locator("#data")).ToBeVisibleAsync();
    }

    private static async Task AskAsync(Visitor visitor, WebServer server, string question, string answer)
    {
        await visitor.AskAsync(question);
        (await server.Model.NextCallAsync()).Say(answer).End();
        await Expect(visitor.LastAnswer).ToHaveTextAsync(answer);
        await Expect(visitor.Turns.Last).ToHaveAttributeAsync("aria-busy", "false");
    }
}
