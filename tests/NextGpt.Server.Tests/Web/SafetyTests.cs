using System.Net;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>Nothing a person or the model writes runs, loads or leaves (WEB-6, THR-2); nobody sees another's words (THR-10).</summary>
public sealed class SafetyTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-6")]
    public async Task Hostile_text_from_person_and_model_runs_nothing_loads_nothing_and_breaks_nothing()
    {
        await using var server = await WebServer.StartAsync(settings: ("NextGpt:Turns:MaxCharacters", "100000"));
        await using var ana = await Visitor.ComeAsync(browser, server);
        ana.Page.Dialog += (_, dialog) => Assert.Fail($"A dialog opened: {dialog.Message}");
        await ana.GoAsync();
        var shallow = HostileText.All.Where(text => text.Length < 400).ToList();   // a deep one turns the whole into plain text
        var all = string.Join("\n\n", shallow);
        await ana.Question.FillAsync(all);
        await ana.Send.ClickAsync();
        var call = await server.Model.NextCallAsync();
        foreach (var hostile in shallow)
        {
            call.Say(hostile).Say("\n\n");
        }

        call.Say("Safe **end**.").End();
        await Expect(ana.LastAnswer.Locator("strong").GetByText("end")).ToBeVisibleAsync();
        await AssertHarmlessAsync();

        // Each alone, so that none hides behind an unclosed fence of another.
        foreach (var hostile in HostileText.All)
        {
            await ana.Question.FillAsync(hostile);
            await ana.Send.ClickAsync();
            (await server.Model.NextCallAsync()).Say(hostile).End();
            await Expect(ana.Turns.Last).ToHaveAttributeAsync("aria-busy", "false");
            await Expect(ana.Send).ToHaveAccessibleNameAsync("Send");
        }

        await AssertHarmlessAsync();
        await ana.Page.ReloadAsync();
        await AssertHarmlessAsync();

        async Task AssertHarmlessAsync()
        {
            Assert.Null(await ana.Page.EvaluateAsync<object?>("window.__hit ?? null"));
            Assert.Equal(0, await ana.Page.Locator(
                ".turns :is(script, img, iframe, object, embed, style, link, meta, base, svg:not(.tools svg, .code svg), form, input, [style], [src], [srcset])").CountAsync());
            Assert.Equal(0, await ana.Page.Locator(".turns *").EvaluateAllAsync<int>(
                "all => all.filter(e => [...e.attributes].some(a => a.name.startsWith('on') || /^\\s*(javascript|data|vbscript):/i.test(a.value) && a.name === 'href')).length"));
            await Expect(ana.Question).ToBeVisibleAsync();
            ana.AssertNoFaults();
        }
    }

    [Fact]
    [Trait("Id", "WEB-6")]
    public async Task Every_page_has_the_strict_policy_and_no_script_or_style_of_its_own()
    {
        await using var server = await WebServer.StartAsync();
        server.PersonCalled("Ana");
        using var client = new HttpClient { BaseAddress = server.Address };
        foreach (var path in new[] { "/login", "/join/unknown" })
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(answer.Headers.CacheControl?.NoStore);
            var html = await answer.Content.ReadAsStringAsync();
            Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
            Assert.DoesNotMatch("<script(?![^>]* src=)", html);
            Assert.DoesNotMatch(" on[a-z]+=", html);
        }
    }

    [Fact]
    [Trait("Id", "WEB-1")]
    public async Task Assets_come_from_the_program_and_may_be_kept_by_browsers_for_good()
    {
        await using var server = await WebServer.StartAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        foreach (var (name, type) in new[] { ("app.css", "text/css"), ("app.js", "text/javascript"), ("icon.svg", "image/svg+xml") })
        {
            using var answer = await client.GetAsync(new Uri(NextGpt.Server.Web.Asset.PathOf(name), UriKind.Relative));
            Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
            Assert.Contains("immutable", answer.Headers.CacheControl?.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("http://", (await answer.Content.ReadAsStringAsync())
                .Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.DoesNotContain("https://", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var missing = await client.GetAsync(new Uri("/assets/x/appsettings.json", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    [Trait("Id", "THR-10")]
    public async Task Anothers_conversation_and_turn_are_not_there_for_anybody_else()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var bob = await Visitor.ComeAsync(browser, server, "Bob");
        await ana.GoAsync();
        await ana.AskAsync("My secret is blue.");
        var call = await server.Model.NextCallAsync();
        call.Say("I will not tell.");
        await Expect(ana.LastAnswer).ToHaveTextAsync("I will not tell.");
        var conversation = new Uri(ana.Page.Url).AbsolutePath;
        var turn = await ana.Turns.First.GetAttributeAsync("data-turn");

        await bob.GoAsync(conversation);
        await Expect(bob.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("This conversation is gone");
        await bob.GoAsync();
        await Expect(bob.Page.GetByText("Your conversations will stand here.")).ToBeVisibleAsync();
        foreach (var (method, path) in new[]
        {
            ("GET", $"/chat/turns/{turn}/events"), ("POST", $"/chat/turns/{turn}/stop"), ("DELETE", $"/chat/turns/{turn}"),
            ("DELETE", $"/chat{conversation.Replace("/c/", "/conversations/", StringComparison.Ordinal)}"),
        })
        {
            Assert.Equal(404, await bob.Page.EvaluateAsync<int>(
                """
                async ([method, path]) => (await fetch(path, { method, headers: { 'x-token': document.querySelector('meta[name=token]').content } })).status
                """,
                new[] { method, path }));
        }

        Assert.DoesNotContain("secret", await bob.Page.EvaluateAsync<string>(
            $"async () => await (await fetch('/chat{conversation.Replace("/c/", "/conversations/", StringComparison.Ordinal)}/thread')).text()"),
            StringComparison.Ordinal);
        Assert.False(call.Stopped.IsCancellationRequested);
        call.End();
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false");
        await bob.Page.GetByLabel("Search your conversations").FillAsync("secret");
        await Expect(bob.Page.GetByText("Nothing of yours has these words.")).ToBeVisibleAsync();
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task Changes_without_the_token_or_a_session_are_refused_in_a_sentence()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        var refused = await ana.Page.EvaluateAsync<string>(
            "async () => { const r = await fetch('/chat/erase', { method: 'POST' }); return r.status + ' ' + (await r.json()).error.message; }");
        Assert.StartsWith("400 This page is out of date; reload it and try again.", refused, StringComparison.Ordinal);

        await ana.Profile.ClearCookiesAsync(new() { Name = "nextgpt.session" });
        var unknown = await ana.Page.EvaluateAsync<string>(
            "async () => { const r = await fetch('/chat/erase', { method: 'POST' }); return r.status + ' ' + (await r.json()).error.code; }");
        Assert.Equal("401 unauthorized", unknown);
        await ana.AskAsync("Am I still here?");
        await Expect(ana.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/login"));
        Assert.Empty(server.Model.Calls);
    }
}
