using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>By keyboard, by ear, on a narrow screen, light and dark (WEB-1).</summary>
public sealed class AccessibilityTests(Browser browser)
{
    private const string WideAnswer = """
        # A heading

        A paragraph with `code` and [a link](https://example.com/a/very/long/address/that/does/not/fit?on=one&line=of&a=phone).

        | one | two | three | four | five | six | seven |
        |---|---|---|---|---|---|---|
        | wide | wide | wide | wide | wide | wide | wide |

        ```
        a line of code that is far longer than a telephone is wide and must scroll inside its own box
        ```

        ![a picture](https://example.com/picture.png) aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        """;

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 360)]
    [Trait("Id", "WEB-1")]
    public async Task Every_state_keeps_the_accessibility_rules_and_fits_the_window(ColorScheme scheme, int width)
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server, options: new()
        {
            ColorScheme = scheme,
            ViewportSize = new() { Width = width, Height = 740 },
        });
        await ana.GoAsync();
        await CheckAsync("empty");
        await ana.AskAsync("Show me everything.");
        var call = await server.Model.NextCallAsync();
        await Expect(ana.Turns.First.GetByText("Thinking…")).ToBeVisibleAsync();
        await CheckAsync("waiting");
        call.Say(WideAnswer);
        await Expect(ana.LastAnswer.GetByText("Picture not loaded")).ToBeVisibleAsync();
        await CheckAsync("streaming");
        call.End();
        await ana.Button("Answer again").ClickAsync();
        (await server.Model.NextCallAsync()).Say(WideAnswer).End();
        await Expect(ana.Page.GetByLabel("Version 2 of 2")).ToBeVisibleAsync();
        await CheckAsync("answered, two versions");

        await ana.Button("Bad answer").ClickAsync();
        await Expect(ana.Page.GetByText("What was wrong?")).ToBeVisibleAsync();
        await CheckAsync("reason form");
        await ana.Page.GetByLabel("A better answer").FillAsync("Better.");
        await ana.Button("Save").ClickAsync();
        await Expect(ana.Turns.First).ToContainTextAsync("Your correction");
        await CheckAsync("corrected");
        await ana.Button("Edit the question").ClickAsync();
        await CheckAsync("edit form");
        await ana.Page.Keyboard.PressAsync("Escape");

        await ana.Page.Locator(".under [data-act=data]").ClickAsync();
        await CheckAsync("data dialog");
        await ana.Button("Erase everything").First.ClickAsync();
        await CheckAsync("data dialog, erase?");
        await ana.Page.Keyboard.PressAsync("Escape");
        await ana.Button("Rename the conversation").ClickAsync();
        await CheckAsync("rename dialog");
        await ana.Page.Keyboard.PressAsync("Escape");
        await ana.Button("Delete the conversation").ClickAsync();
        await CheckAsync("confirm dialog");
        await ana.Page.Keyboard.PressAsync("Escape");
        if (width < 500)
        {
            await ana.Button("Conversations").ClickAsync();
            await CheckAsync("side bar");
            await ana.Page.Keyboard.PressAsync("Escape");
            await Expect(ana.Button("Conversations")).ToBeFocusedAsync();
        }

        await ana.AskAsync(new string('w', 8_001));
        await Expect(ana.Alert).ToBeVisibleAsync();
        await CheckAsync("refused");
        await ana.AskAsync("Fail.");
        (await server.Model.NextCallAsync()).Fail(new InvalidOperationException("scripted"));
        await Expect(ana.Button("Ask again")).ToBeVisibleAsync();
        await CheckAsync("failed");

        await ana.GoAsync("/account");
        await CheckAsync("account");
        server.PersonCalled("Somebody with a long name, forty letters");
        await ana.GoAsync("/people");
        await ana.Button("Make a link").ClickAsync();
        await CheckAsync("people");
        await ana.Profile.ClearCookiesAsync();
        await ana.GoAsync("/login");
        await CheckAsync("sign in");
        await ana.GoAsync($"/join/{server.Accounts.Invite(isAdmin: false)}");
        await CheckAsync("join");
        await ana.GoAsync("/join/unknown");
        await CheckAsync("unknown link");
        ana.AssertNoFaults();

        async Task CheckAsync(string state)
        {
            // Colours do not depend on the width: the two cases together see every state in both schemes.
            await ana.AssertAccessibleAsync($"{state}, {scheme}, {width} px");
            await ana.AssertNoSidewaysScrollAsync();
        }
    }

    [Fact]
    [Trait("Id", "WEB-1")]
    public async Task Everything_can_be_done_with_the_keyboard_alone()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        var keyboard = ana.Page.Keyboard;
        await Expect(ana.Question).ToBeFocusedAsync();
        await keyboard.TypeAsync("A line");
        await keyboard.PressAsync("Shift+Enter");
        await keyboard.TypeAsync("and another");
        await keyboard.PressAsync("Enter");
        var call = await server.Model.NextCallAsync();
        Assert.Equal("A line\nand another", call.Question);
        call.Say("Begun");
        await Expect(ana.LastAnswer).ToHaveTextAsync("Begun");
        await Expect(ana.Question).ToBeFocusedAsync();
        await keyboard.PressAsync("Escape");
        await Expect(ana.Turns.First).ToContainTextAsync("Stopped; what was there stands.");
        Assert.True(call.Stopped.IsCancellationRequested);

        // Back from the box: remove, bad, good, again, copy, edit.
        await TabToAsync("Bad answer", backwards: true);
        await keyboard.PressAsync("Enter");
        await Expect(ana.Page.GetByLabel("Not true")).ToBeFocusedAsync();
        await keyboard.PressAsync("ArrowRight");
        await Expect(ana.Page.GetByLabel("Beside the point")).ToBeCheckedAsync();
        await TabToAsync("Save");
        await keyboard.PressAsync("Enter");
        await Expect(ana.Button("Change reason or correction")).ToBeFocusedAsync();

        await TabToAsync("Edit the question", backwards: true);
        await keyboard.PressAsync("Enter");
        await Expect(ana.Page.GetByLabel("Your question, in a new version")).ToBeFocusedAsync();
        await keyboard.PressAsync("Escape");
        await Expect(ana.Button("Edit the question")).ToBeFocusedAsync();

        var skip = ana.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to the message box" });
        await TabToAsync("Your data not kept", backwards: true);
        await ReachAsync(skip, "Shift+Tab");
        await Expect(skip).ToBeInViewportAsync();
        await keyboard.PressAsync("Enter");
        await Expect(ana.Question).ToBeFocusedAsync();
        await TabToAsync("Your data not kept", backwards: true);
        await keyboard.PressAsync("Enter");
        await Expect(ana.Page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await keyboard.PressAsync("Escape");
        await Expect(ana.Page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await Expect(ana.Page.Locator(".side [data-act=data]")).ToBeFocusedAsync();
        ana.AssertNoFaults();

        Task TabToAsync(string name, bool backwards = false) => ReachAsync(ana.Button(name), backwards ? "Shift+Tab" : "Tab");

        async Task ReachAsync(ILocator wanted, string key)
        {
            for (var steps = 0; steps < 30; steps++)
            {
                await keyboard.PressAsync(key);
                if (await wanted.EvaluateAllAsync<bool>("all => all.includes(document.activeElement)"))
                {
                    return;
                }
            }

            Assert.Fail($"{wanted} is not reached with {key}.");
        }
    }

    [Fact]
    [Trait("Id", "WEB-1")]
    public async Task Colours_follow_the_system_until_the_person_chooses_and_the_choice_stays()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server, options: new() { ColorScheme = ColorScheme.Dark });
        await ana.GoAsync();
        var dark = await BackgroundAsync();
        await ana.Page.GetByLabel("Light", new() { Exact = true }).CheckAsync(new() { Force = true });
        var light = await BackgroundAsync();
        Assert.NotEqual(dark, light);
        await ana.Page.ReloadAsync();
        Assert.Equal(light, await BackgroundAsync());
        await Expect(ana.Page.GetByLabel("Light", new() { Exact = true })).ToBeCheckedAsync();
        await ana.Page.GetByLabel("Auto").CheckAsync(new() { Force = true });
        Assert.Equal(dark, await BackgroundAsync());
        ana.AssertNoFaults();

        Task<string> BackgroundAsync() =>
            ana.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
    }

    [Fact]
    [Trait("Id", "WEB-1")]
    public async Task Motion_is_left_out_where_the_person_asks_for_less()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(
            browser, server, options: new() { ReducedMotion = ReducedMotion.Reduce });
        await ana.GoAsync();
        await ana.AskAsync("Move?");
        var call = await server.Model.NextCallAsync();
        await Expect(ana.Turns).ToHaveCountAsync(1);
        Assert.Equal(0, await ana.Page.EvaluateAsync<int>("document.getAnimations().length"));
        await ana.Page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.NoPreference });
        Assert.NotEqual(0, await ana.Page.EvaluateAsync<int>("document.getAnimations().length"));
        call.End();
    }
}
