using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>The whole bot in local mode on a port of this machine, with the playground at its other end, on the real clock.</summary>
public sealed class PlaygroundWorld : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"teams-{Guid.NewGuid():N}");
    private WebApplication _app = null!;
    private ConversationLog _log = null!;

    internal Playground Playground { get; private set; } = null!;

    internal ScriptedChatClient Model { get; } = new();

    internal KeptTurns Kept => _app.Services.GetRequiredService<KeptTurns>();

    internal long TurnsInLog => _log.GetStats().Turns;

    internal Uri Address { get; private set; } = null!;

    /// <summary>What was put into the storage that stands for OneDrive: range and size.</summary>
    internal ConcurrentQueue<(string? Range, int Bytes, string? Authorization)> Uploads { get; } = [];

    public async ValueTask InitializeAsync()
    {
        if (!NodeProgram.IsInstalled)
        {
            return;   // the tests skip themselves
        }

        _log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = _folder }, TimeProvider.System);
        _app = Build(localMode: true, Model, _log);
        await _app.StartAsync();
        Address = new Uri(_app.Urls.First());
        Playground = await Playground.StartAsync(new Uri(Address, "/api/messages"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is null)
        {
            return;
        }

        await Playground.DisposeAsync();
        await _app.DisposeAsync();
        await _log.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Waits until something holds, at most half a minute.</summary>
    internal async Task UntilAsync(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(
                Environment.TickCount64 < deadline,
                $"{what} did not come; shown: {string.Join("\n", Playground.Shown.TakeLast(8).Select(item => item.ToJsonString()))}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The message that the page shows and that holds this text or card.</summary>
    internal async Task<JsonNode> ShownAsync(string words, string conversation = Playground.Personal)
    {
        JsonNode? found = null;
        await UntilAsync(
            () => (found = Playground.Messages(conversation).LastOrDefault(
                message => message.ToJsonString(Readable).Contains(words, StringComparison.Ordinal))) is not null,
            $"\"{words}\"");
        return found!;
    }

    internal static System.Text.Json.JsonSerializerOptions Readable { get; } =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A bot on a port of its own; the storage that stands for OneDrive lies beside it.</summary>
    internal WebApplication Build(bool localMode, IChatClient model, ConversationLog? log)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:Teams:Enabled"] = "true",
            ["NextGpt:Teams:LocalMode"] = localMode ? "true" : "false",
            ["NextGpt:Teams:AppId"] = "11111111-2222-3333-4444-555555555555",
            ["NextGpt:Teams:StreamInterval"] = "00:00:01",
            ["NextGpt:Teams:Tenants:0:Id"] = Playground.Tenant,
            ["NextGpt:Teams:Tenants:0:Keeping"] = "true",
            ["NextGpt:Teams:PublicAddress"] = "https://bot.example.org",
            ["NextGpt:Teams:CallTimeout"] = "00:00:05",
        });
        if (log is not null)
        {
            builder.Services.AddSingleton(log);
        }

        var media = new ScriptedMedia();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(model);
        builder.Services.AddSingleton<IMediaReader>(media).AddSingleton<IMediaWriter>(media);
        builder.Services.AddSingleton(new ModelSenses(
            [MediaKind.Image, MediaKind.Audio, MediaKind.Video], [MediaKind.Image, MediaKind.Audio, MediaKind.Video]));
        builder.Services.AddNextGptHost().AddNextGptTeams();
        var app = builder.Build();
        app.MapNextGptTeams(listensOnlyHere: true);
        app.MapPut("/storage", async (HttpContext context) =>
        {
            using var bytes = new MemoryStream();
            await context.Request.Body.CopyToAsync(bytes);
            Uploads.Enqueue((
                context.Request.Headers.ContentRange, (int)bytes.Length, context.Request.Headers.Authorization));
        });
        return app;
    }
}
