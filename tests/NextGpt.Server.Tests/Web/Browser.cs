using Microsoft.Playwright;
using NextGpt.Server.Tests.Web;

[assembly: AssemblyFixture(typeof(Browser))]

namespace NextGpt.Server.Tests.Web;

/// <summary>One headless Chromium for all tests; each test gets a profile of its own in it.</summary>
public sealed class Browser : IAsyncDisposable
{
    private const string Variable = "NEXTGPT_CHROMIUM";

    private readonly Lazy<Task<(IPlaywright Playwright, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>A fresh profile.</summary>
    public async Task<IBrowserContext> NewProfileAsync(BrowserNewContextOptions options)
    {
        var context = await (await _started.Value).Browser.NewContextAsync(options);
        context.SetDefaultTimeout(10_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            var (playwright, browser) = await _started.Value;
            await browser.CloseAsync();
            playwright.Dispose();
        }
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        var program = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : "/usr/bin/chromium";
        Assert.True(
            File.Exists(program),
            $"The tests of the web page need Chromium, and there is none at {program}. Install it (Debian: apt-get install "
            + $"chromium) or set {Variable} to its path.");
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = program,
            Headless = true,
            Args =
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
        return (playwright, browser);
    }
}
