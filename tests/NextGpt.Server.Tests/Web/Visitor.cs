using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace NextGpt.Server.Tests.Web;

/// <summary>Somebody at a browser; what the page did wrong meanwhile is noted.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    private readonly List<string> _faults = [];
    private readonly WebServer _server;
    private readonly IBrowserContext _profile;

    private Visitor(WebServer server, IBrowserContext profile, IPage page)
    {
        (_server, _profile, Page) = (server, profile, page);
        Page.PageError += (_, error) => Note($"script error: {error}");
        Page.Console += (_, message) =>
        {
            // A lost connection is logged by the browser itself; tests that cut it mean to.
            if (message.Type == "error" && !message.Text.Contains("ERR_", StringComparison.Ordinal)
                && !message.Text.Contains("Failed to load resource", StringComparison.Ordinal))
            {
                Note($"console: {message.Text}");
            }
        };
        Page.Request += (_, request) =>
        {
            // A picture that is about to be sent is shown from the page's own memory.
            if (!request.Url.Replace("blob:", "", StringComparison.Ordinal)
                .StartsWith(_server.Address.ToString(), StringComparison.Ordinal))
            {
                Note($"request to another origin: {request.Url}");
            }
        };
    }

    public IPage Page { get; }

    public IBrowserContext Profile => _profile;

    public ILocator Question => Page.GetByLabel("Your message");

    public ILocator Turns => Page.Locator(".turn");

    public ILocator LastAnswer => Page.Locator(".turn").Last.Locator(".answer");

    public ILocator Send => Page.Locator("#send");

    public ILocator Alert => Page.Locator("#alert");

    public ILocator Status => Page.GetByRole(AriaRole.Status);

    public static async Task<Visitor> ComeAsync(
        Browser browser, WebServer server, string? name = "Ana", BrowserNewContextOptions? options = null)
    {
        options = new BrowserNewContextOptions(options ?? new())
        {
            BaseURL = server.Address.ToString(),
            ReducedMotion = options?.ReducedMotion ?? ReducedMotion.Reduce,
        };
        var profile = await browser.NewProfileAsync(options);
        if (name is not null)
        {
            await profile.AddCookiesAsync([server.SessionOf(server.PersonCalled(name))]);
        }

        await profile.AddInitScriptAsync(
            "addEventListener('securitypolicyviolation', e => console.error('content policy: ' + e.violatedDirective + ' ' + e.blockedURI))");
        return new Visitor(server, profile, await profile.NewPageAsync());
    }

    public Task GoAsync(string path = "/") => Page.GotoAsync(path);

    /// <summary>Types a question and sends it with Enter.</summary>
    public async Task AskAsync(string question)
    {
        await Question.FillAsync(question);
        await Question.PressAsync("Enter");
    }

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Nothing failed, nothing was refused by the policy, nothing left the origin.</summary>
    public void AssertNoFaults()
    {
        lock (_faults)
        {
            Assert.Empty(_faults);
        }
    }

    /// <summary>No violation of the accessibility rules on the page as it stands.</summary>
    /// <param name="state">What the page shows, for the message.</param>
    /// <param name="rules">Only these rules; none is all.</param>
    public async Task AssertAccessibleAsync(string state, params string[] rules)
    {
        var result = await Page.RunAxe(rules.Length == 0 ? null : new() { RunOnly = new() { Type = "rule", Values = [.. rules] } });
        Assert.True(
            result.Violations.Length == 0,
            state + ": " + string.Join("; ", result.Violations.Select(violation =>
                $"{violation.Id} ({violation.Help}) at {string.Join(" and ", violation.Nodes.Select(node => node.Target + " " + node.Html))}")));
    }

    /// <summary>Nothing is wider than the window.</summary>
    public async Task AssertNoSidewaysScrollAsync() => Assert.Equal(
        await Page.EvaluateAsync<int>("document.documentElement.clientWidth"),
        await Page.EvaluateAsync<int>(
            "Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('#thread, .side, .dock, dialog[open], main')].map(e => e.getBoundingClientRect().width + e.scrollWidth - e.clientWidth))"));

    public async ValueTask DisposeAsync() => await _profile.CloseAsync();

    private void Note(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }
    }
}
