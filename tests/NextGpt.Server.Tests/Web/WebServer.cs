using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Conversations;
using NextGpt.Host.Tests;
using NextGpt.Model;
using NextGpt.Server.Web.Accounts;

namespace NextGpt.Server.Tests.Web;

/// <summary>The real server on a free port, with a scripted model, a clock that stands, and a data folder of its own.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly string _folder;
    private readonly Faults _faults;
    private bool _ownsFolder;

    private WebServer(
        WebApplication app, ConversationLog? log, string folder, bool ownsFolder, ScriptedChatClient model,
        FakeTimeProvider time, Faults faults)
    {
        (Log, _faults) = (log, faults);
        (App, _folder, _ownsFolder, Model, Time) = (app, folder, ownsFolder, model, time);
        Address = new Uri(app.Urls.First());
    }

    public WebApplication App { get; }

    /// <summary>The log, if it was asked for.</summary>
    public ConversationLog? Log { get; }

    public ScriptedChatClient Model { get; }

    public FakeTimeProvider Time { get; }

    public Uri Address { get; }

    /// <summary>Warnings and errors of every log category so far.</summary>
    public IReadOnlyList<string> Warnings => _faults.Lines;

    public AccountStore Accounts => App.Services.GetRequiredService<AccountStore>();

    /// <summary>Starts it.</summary>
    /// <param name="before">A stopped server whose folder, port and people this one has: a restart.</param>
    /// <param name="keeps">Whether there is a log.</param>
    /// <param name="embeddedModel">Whether the real model answers instead of the scripted one.</param>
    /// <param name="media">Whether the model reads and makes pictures, sounds and clips, with scripted codecs.</param>
    /// <param name="generator">Stands for the network; everything around it is real. Null is the scripted chat client.</param>
    /// <param name="settings">Settings beside the usual ones.</param>
    public static async Task<WebServer> StartAsync(
        WebServer? before = null, bool keeps = false, bool embeddedModel = false, bool media = false,
        IGenerator? generator = null, params (string Key, string Value)[] settings)
    {
        var folder = before?._folder ?? Directory.CreateTempSubdirectory("nextgpt-web-").FullName;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:DataFolder"] = folder,
            ["NextGpt:Server:Address"] = before?.Address.ToString() ?? "http://127.0.0.1:0",
            ["Logging:LogLevel:Default"] = "Warning",
        }).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build();
        var model = new ScriptedChatClient();
        var faults = new Faults();
        var time = new FakeTimeProvider(before?.Time.GetUtcNow() ?? DateTimeOffset.UtcNow);
        var log = keeps
            ? await ConversationLog.OpenAsync(new ConversationOptions { Folder = Path.Combine(folder, "conversations") }, time)
            : null;
        var app = ServerApplication.Build(configuration, log, configure: services =>
        {
            if (generator is not null)
            {
                services.AddSingleton(generator);
            }
            else if (!embeddedModel)
            {
                services.AddSingleton<IChatClient>(model);
            }

            if (media)
            {
                services.AddScriptedMedia();
            }

            services.AddSingleton<TimeProvider>(time);
            services.AddSingleton<ILoggerProvider>(faults);
        });
        await app.StartAsync();
        if (embeddedModel)
        {
            await (app.Services.GetServices<IHostedService>().OfType<ModelWarmUp>().Single().ExecuteTask
                ?? throw new InvalidOperationException("A started service has its task."));
        }

        if (before is not null)
        {
            before._ownsFolder = false;
        }

        return new WebServer(app, log, folder, ownsFolder: true, model, time, faults);
    }

    /// <summary>The account with this name, made on demand; the first one is the admin's.</summary>
    public Account PersonCalled(string name) =>
        Accounts.Accounts.FirstOrDefault(account => account.Name == name)
        ?? Accounts.Accept(Accounts.InviteFirst() ?? Accounts.Invite(isAdmin: false), name, Password);

    /// <summary>The session cookie that signing in would set.</summary>
    public Microsoft.Playwright.Cookie SessionOf(Account account)
    {
        var cookie = App.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(Session.Scheme);
        var ticket = new AuthenticationTicket(
            Session.PrincipalOf(account),
            new AuthenticationProperties
            {
                IssuedUtc = Time.GetUtcNow(),
                ExpiresUtc = Time.GetUtcNow() + cookie.ExpireTimeSpan,
            },
            Session.Scheme);
        return new Microsoft.Playwright.Cookie
        {
            Name = cookie.Cookie.Name ?? "",
            Value = cookie.TicketDataFormat.Protect(ticket),
            Url = Address.ToString(),
            HttpOnly = true,
            SameSite = Microsoft.Playwright.SameSiteAttribute.Strict,
        };
    }

    /// <summary>Lets time pass in steps until something is seen: the server may set its timer a moment after we look.</summary>
    public async Task AdvanceUntilAsync(TimeSpan step, Microsoft.Playwright.ILocator seen)
    {
        for (var tries = 0; tries < 20 && !await seen.IsVisibleAsync(); tries++)
        {
            Time.Advance(step);
            try
            {
                await seen.WaitForAsync(new() { Timeout = 500 });
            }
            catch (TimeoutException)
            {
                // Not yet: another step.
            }
        }

        Assert.True(await seen.IsVisibleAsync(), "It was not seen, however long time went on.");
    }

    /// <summary>Ends it without grace, as a crash would; the folder stays for a restart.</summary>
    public async Task CrashAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await App.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // No grace was the point.
        }

        await App.DisposeAsync();
        if (Log is not null)
        {
            await Log.DisposeAsync();
        }
    }

    /// <summary>Whether these words stand in any file of the data folder.</summary>
    public bool FilesHave(string words)
    {
        var wanted = System.Text.Encoding.UTF8.GetBytes(words);
        return Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) != ".lock").Any(file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return bytes.GetBuffer().AsSpan(0, (int)bytes.Length).IndexOf(wanted) >= 0;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await CrashAsync();
        if (_ownsFolder)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Notes what went wrong in the server and says errors on the test's output.</summary>
    private sealed class Faults : ILoggerProvider
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = [];

        public IReadOnlyList<string> Lines => [.. _lines];

        public ILogger CreateLogger(string categoryName) => new Category(categoryName, _lines);

        public void Dispose()
        {
        }
    }

    private sealed class Category(string name, System.Collections.Concurrent.ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            lines.Enqueue($"{logLevel} {name}: {formatter(state, exception)} {exception}");
            if (logLevel >= LogLevel.Error)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{formatter(state, exception)} {exception}");
            }
        }
    }
}
