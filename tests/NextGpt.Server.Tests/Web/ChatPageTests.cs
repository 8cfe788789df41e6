using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>Talking: stream, stop, again, edit, versions, copy, resume (WEB-2).</summary>
public sealed class ChatPageTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task An_answer_is_seen_while_it_comes_and_announced_once_when_whole()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Page.EvaluateAsync(
            """
            window.announcements = [];
            new MutationObserver(() => announcements.push(document.querySelector('#announcer').textContent))
              .observe(document.querySelector('#announcer'), { childList: true, characterData: true, subtree: true });
            """);

        await ana.AskAsync("What is the capital of France?");
        var call = await server.Model.NextCallAsync();
        Assert.Equal("What is the capital of France?", call.Question);
        await Expect(ana.Turns).ToHaveCountAsync(1);
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "true");
        await Expect(ana.Turns.First.GetByText("Thinking…")).ToBeVisibleAsync();

        call.Say("The capital ");
        await Expect(ana.LastAnswer).ToHaveTextAsync("The capital");
        await Expect(ana.Turns.First.GetByText("Thinking…")).ToBeHiddenAsync();
        call.Say("of France is **Paris**.");
        await Expect(ana.LastAnswer.Locator("strong")).ToHaveTextAsync("Paris");
        await Expect(ana.Send).ToHaveAccessibleNameAsync("Stop the answer");
        Assert.Empty(await ana.Page.EvaluateAsync<string[]>("announcements"));

        call.End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(ana.Send).ToHaveAccessibleNameAsync("Send");
        await Expect(ana.Turns.First).ToContainTextAsync("scripted-1 · seed");
        await Expect(ana.Turns.First).ToContainTextAsync("Not kept");
        await Expect(ana.Page.Locator("#announcer")).ToHaveTextAsync("The AI answered: The capital of France is Paris.");
        Assert.Single(await ana.Page.EvaluateAsync<string[]>("announcements"));
        await Expect(ana.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/c/[0-9a-f]{32}$"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "AID-1")]
    public async Task The_header_says_that_an_AI_answers_and_which_and_examples_begin_a_conversation()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await Expect(ana.Page.GetByRole(AriaRole.Banner)).ToContainTextAsync("An AI answers; it can be wrong. scripted-1");

        await ana.Button("What is the opposite of hot?").ClickAsync();
        (await server.Model.NextCallAsync()).Say("Cold.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Cold.");
        await Expect(ana.Page.Locator("#empty")).ToHaveCountAsync(0);
        await Expect(ana.Page.Locator("#title")).ToHaveTextAsync("What is the opposite of hot?");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "TRN-3")]
    public async Task Stopping_frees_the_model_and_what_was_there_stands()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Count to a million.");
        var call = await server.Model.NextCallAsync();
        call.Say("One, two");
        await Expect(ana.LastAnswer).ToHaveTextAsync("One, two");

        await ana.Button("Stop the answer").ClickAsync();

        await Expect(ana.Turns.First).ToContainTextAsync("Stopped; what was there stands.");
        await Expect(ana.LastAnswer).ToHaveTextAsync("One, two");
        Assert.True(call.Stopped.IsCancellationRequested);
        await Expect(ana.Send).ToHaveAccessibleNameAsync("Send");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Answering_again_makes_a_version_and_both_can_be_seen()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Say a word.");
        (await server.Model.NextCallAsync()).Say("First.").End();
        await ana.Button("Answer again").ClickAsync();
        var call = await server.Model.NextCallAsync();
        Assert.Equal("Say a word.", Assert.Single(call.Messages).Text);   // not told of the answer it replaces
        Assert.NotNull(call.Options.Temperature);                           // or a greedy default would repeat itself
        call.Say("Second.").End();

        await Expect(ana.LastAnswer).ToHaveTextAsync("Second.");
        await Expect(ana.Turns).ToHaveCountAsync(1);
        await Expect(ana.Page.GetByLabel("Version 2 of 2")).ToBeVisibleAsync();

        await ana.Button("Earlier version").ClickAsync();
        await Expect(ana.LastAnswer).ToHaveTextAsync("First.");
        await Expect(ana.Button("Later version")).ToBeFocusedAsync();
        await ana.Page.ReloadAsync();
        await Expect(ana.LastAnswer).ToHaveTextAsync("First.");
        await ana.Button("Later version").ClickAsync();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Second.");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Editing_a_question_branches_and_each_branch_remembers_its_own_words()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("I like red.");
        (await server.Model.NextCallAsync()).Say("Red is warm.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Red is warm.");
        await ana.AskAsync("What do I like?");
        (await server.Model.NextCallAsync()).Say("Red.").End();
        await Expect(ana.Turns.Nth(1).Locator(".answer")).ToHaveTextAsync("Red.");

        await ana.Turns.First.GetByRole(AriaRole.Button, new() { Name = "Edit the question" }).ClickAsync();
        await ana.Page.GetByLabel("Your question, in a new version").FillAsync("I like blue.");
        await ana.Button("Ask").ClickAsync();
        (await server.Model.NextCallAsync()).Say("Blue is cool.").End();
        await Expect(ana.Turns).ToHaveCountAsync(1);
        await Expect(ana.LastAnswer).ToHaveTextAsync("Blue is cool.");
        await ana.AskAsync("What do I like?");
        var call = await server.Model.NextCallAsync();
        Assert.Equal(
            ["I like blue.", "Blue is cool.", "What do I like?"], call.Messages.Select(message => message.Text));
        call.Say("Blue.").End();
        await Expect(ana.Turns.Nth(1).Locator(".answer")).ToHaveTextAsync("Blue.");

        await ana.Button("Earlier version").ClickAsync();
        await Expect(ana.Turns.First.Locator(".bubble")).ToHaveTextAsync("I like red.");
        await Expect(ana.Turns.Nth(1).Locator(".answer")).ToHaveTextAsync("Red.");
        await ana.AskAsync("And again?");
        call = await server.Model.NextCallAsync();
        Assert.Equal(
            ["I like red.", "Red is warm.", "What do I like?", "Red.", "And again?"],
            call.Messages.Select(message => message.Text));
        call.Say("Still red.").End();
        await Expect(ana.Turns.Nth(2).Locator(".answer")).ToHaveTextAsync("Still red.");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Copying_gives_the_Markdown_and_code_alone()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.Profile.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await ana.GoAsync();
        await ana.AskAsync("Code, please.");
        (await server.Model.NextCallAsync()).Say("Use **this**:\n\n```\nx = 1\n```").End();
        await ana.Button("Copy the answer").ClickAsync();
        await Expect(ana.Status).ToHaveTextAsync("The answer was copied.");
        Assert.Equal(
            "Use **this**:\n\n```\nx = 1\n```", await ana.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        await ana.Button("Copy the code").ClickAsync();
        await Expect(ana.Status).ToHaveTextAsync("The code was copied.");
        Assert.Equal("x = 1\n", await ana.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Reloading_during_an_answer_resumes_it()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Tell me a story.");
        var call = await server.Model.NextCallAsync();
        call.Say("Once upon");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon");

        await ana.Page.ReloadAsync();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon");
        await Expect(ana.Send).ToHaveAccessibleNameAsync("Stop the answer");
        call.Say(" a time.");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon a time.");
        await ana.GoAsync("/");   // and elsewhere meanwhile
        call.Say(" The end.").End();
        await ana.Page.GetByRole(AriaRole.Link, new() { Name = "Tell me a story." }).ClickAsync();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon a time. The end.");
        Assert.Single(server.Model.Calls);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task A_lost_network_is_said_and_the_answer_goes_on_where_it_was()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Tell me a story.");
        var call = await server.Model.NextCallAsync();
        call.Say("Once upon");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon");

        await ana.Profile.SetOfflineAsync(true);
        await Expect(ana.Turns.First).ToContainTextAsync("The connection is lost; trying again…");
        call.Say(" a time").Say(" there was");
        await ana.Profile.SetOfflineAsync(false);
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon a time there was");
        await Expect(ana.Turns.First.GetByText("The connection is lost")).ToBeHiddenAsync();
        call.Say(" a king.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon a time there was a king.");
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        Assert.Single(server.Model.Calls);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task A_server_that_restarts_during_an_answer_is_said_and_the_question_can_be_asked_again()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("Tell me a story.");
        (await server.Model.NextCallAsync()).Say("Once upon");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon");

        await ana.Profile.SetOfflineAsync(true);   // a crash says nothing; the router's farewell must not arrive
        await server.CrashAsync();
        await using var restarted = await WebServer.StartAsync(server);
        await ana.Profile.SetOfflineAsync(false);
        await Expect(ana.Turns.First).ToContainTextAsync("The server was restarted while it answered");

        await ana.Button("Ask again").ClickAsync();
        var call = await restarted.Model.NextCallAsync();
        Assert.Equal("Tell me a story.", Assert.Single(call.Messages).Text);
        call.Say("Once upon a time.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Once upon a time.");
        await Expect(ana.Turns).ToHaveCountAsync(1);
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "PRI-1")]
    public async Task After_a_restart_a_page_left_open_goes_on_and_says_what_was_forgotten()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("I am Ana.");
        (await server.Model.NextCallAsync()).Say("Hello Ana.").End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await server.CrashAsync();
        await using var restarted = await WebServer.StartAsync(server);

        await ana.AskAsync("Who am I?");
        var call = await restarted.Model.NextCallAsync();
        Assert.Equal("Who am I?", Assert.Single(call.Messages).Text);
        call.Say("I do not know.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("I do not know.");
        await Expect(ana.Turns.Last).ToContainTextAsync("The messages before this one were not kept and have been forgotten");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "QUE-2")]
    public async Task While_others_are_answered_the_place_in_the_queue_is_seen()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var bob = await Visitor.ComeAsync(browser, server, "Bob");
        await ana.GoAsync();
        await bob.GoAsync();
        await ana.AskAsync("Long one.");
        var first = await server.Model.NextCallAsync();
        await bob.AskAsync("Short one.");
        await Expect(bob.Turns.First).ToContainTextAsync("Thinking…");

        await server.AdvanceUntilAsync(TimeSpan.FromSeconds(5), bob.Turns.First.GetByText("you are next, in about"));
        first.Say("Done.").End();
        (await server.Model.NextCallAsync()).Say("Short.").End();
        await Expect(bob.LastAnswer).ToHaveTextAsync("Short.");
        bob.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task A_refused_question_shows_the_sentence_with_its_reference_and_keeps_the_words()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        var tooLong = new string('a', 8_001);
        await ana.AskAsync(tooLong);
        await Expect(ana.Alert).ToContainTextAsync("The message has 8,001 characters, at most 8,000 are allowed; shorten it. (ref ");
        await Expect(ana.Question).ToHaveValueAsync(tooLong);
        await ana.Button("Dismiss").ClickAsync();
        await Expect(ana.Alert).ToBeHiddenAsync();

        await ana.AskAsync("Fail, please.");
        (await server.Model.NextCallAsync()).Fail(new InvalidOperationException("scripted"));
        await Expect(ana.Turns.First).ToContainTextAsync("Something failed on our side; the operator has been told.");
        await Expect(ana.Turns.First).ToContainTextAsync("(ref ");
        await ana.Button("Ask again").ClickAsync();
        (await server.Model.NextCallAsync()).Say("Fine now.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Fine now.");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task Conversations_are_listed_named_searched_and_deleted()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("About the sea");
        (await server.Model.NextCallAsync()).Say("Waves and salt.").End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await ana.Page.GetByRole(AriaRole.Link, new() { Name = "New conversation" }).ClickAsync();
        await ana.AskAsync("About the mountains");
        (await server.Model.NextCallAsync()).Say("Snow and rock.").End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        var list = ana.Page.GetByRole(AriaRole.Navigation, new() { Name = "Your conversations" }).GetByRole(AriaRole.Link);
        await Expect(list).ToHaveCountAsync(2);

        await ana.Button("Rename the conversation").ClickAsync();
        await ana.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("  Peaks  ");
        await ana.Page.Keyboard.PressAsync("Enter");
        await Expect(ana.Page.Locator("#title")).ToHaveTextAsync("Peaks");
        await Expect(list.GetByText("Peaks")).ToBeVisibleAsync();

        await ana.Page.GetByLabel("Search your conversations").FillAsync("SALT");
        await Expect(list).ToHaveCountAsync(1);
        await Expect(list).ToContainTextAsync("About the sea");
        await ana.Page.GetByLabel("Search your conversations").FillAsync("nowhere");
        await Expect(ana.Page.GetByText("Nothing of yours has these words.")).ToBeVisibleAsync();

        await ana.Button("Delete the conversation").ClickAsync();
        await ana.Button("Delete").ClickAsync();
        await Expect(ana.Page).ToHaveURLAsync(server.Address.ToString());
        await Expect(list).ToHaveCountAsync(1);
        await Expect(list).ToContainTextAsync("About the sea");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-5")]
    public async Task A_turn_can_be_removed_and_the_model_forgets_it()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        foreach (var (question, answer) in new[] { ("One.", "Uno."), ("Two.", "Due."), ("Three.", "Tre.") })
        {
            await ana.AskAsync(question);
            (await server.Model.NextCallAsync()).Say(answer).End();
            await Expect(ana.LastAnswer).ToHaveTextAsync(answer);
            await Expect(ana.Turns.Last).ToHaveAttributeAsync("aria-busy", "false");
        }

        await ana.Turns.Nth(1).GetByRole(AriaRole.Button, new() { Name = "Remove this turn" }).ClickAsync();
        await ana.Button("Remove").ClickAsync();
        await Expect(ana.Turns).ToHaveCountAsync(2);
        await Expect(ana.Page.GetByText("Due.")).ToHaveCountAsync(0);
        await ana.AskAsync("Four.");
        var call = await server.Model.NextCallAsync();
        Assert.Equal(["One.", "Uno.", "Three.", "Tre.", "Four."], call.Messages.Select(message => message.Text));
        call.Say("Quattro.").End();
        await Expect(ana.LastAnswer).ToHaveTextAsync("Quattro.");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-5")]
    public async Task A_bad_answer_gets_a_vote_a_reason_and_a_correction_in_its_place()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.AskAsync("What is the capital of Australia?");
        (await server.Model.NextCallAsync()).Say("Sydney.").End();
        await ana.Button("Bad answer").ClickAsync();
        await Expect(ana.Button("Bad answer")).ToHaveAttributeAsync("aria-pressed", "true");
        await ana.Page.GetByLabel("Not true").CheckAsync(new() { Force = true });
        await ana.Page.GetByLabel("In your words").FillAsync("It is not the largest city.");
        await Expect(ana.Page.GetByLabel("A better answer")).ToHaveValueAsync("Sydney.");
        await ana.Page.GetByLabel("A better answer").FillAsync("**Canberra**.");
        await ana.Button("Save").ClickAsync();
        await Expect(ana.Turns.First.Locator(".prose strong")).ToHaveTextAsync("Canberra");
        await Expect(ana.Turns.First).ToContainTextAsync("Your correction");

        await ana.Page.ReloadAsync();
        await ana.Button("Change reason or correction").ClickAsync();
        await Expect(ana.Page.GetByLabel("Not true")).ToBeCheckedAsync();
        await Expect(ana.Page.GetByLabel("In your words")).ToHaveValueAsync("It is not the largest city.");
        await ana.Button("Cancel").ClickAsync();
        await ana.Button("Good answer").ClickAsync();
        await Expect(ana.Button("Good answer")).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(ana.Button("Bad answer")).ToHaveAttributeAsync("aria-pressed", "false");
        await ana.Button("Good answer").ClickAsync();
        await Expect(ana.Button("Good answer")).ToHaveAttributeAsync("aria-pressed", "false");
        ana.AssertNoFaults();
    }
}
