using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Bots.Teams.Tests.Connector;
using NextGpt.Bots.Teams.Tests.Counterparts;
using NextGpt.Bots.Teams.Tests.Inbound;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Tests.Bot;

/// <summary>The whole bot against a service in this process, on a clock that the test moves.</summary>
internal sealed class TeamsWorld : IAsyncDisposable
{
    public const string Tenant = "99999999-0000-0000-0000-000000000001";

    private WebApplication _app = null!;
    private HttpClient _client = null!;
    private ConversationLog? _log;
    private int _ids;
    private IChatClient? _otherModel;
    private bool _realClock;

    private TeamsWorld(HttpMessageHandler? keys)
    {
        Issuer = new FakeIssuer(Time);
        Service = new FakeService(Time, keys ?? Issuer);
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public FakeIssuer Issuer { get; }

    public FakeService Service { get; }

    public ScriptedChatClient Model { get; } = new();

    public ScriptedMedia Media { get; } = new();

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public KeptTurns Kept => _app.Services.GetRequiredService<KeptTurns>();

    /// <summary>Kept turns; 0 without a log.</summary>
    public long TurnsInLog => _log?.GetStats().Turns ?? 0;

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"teams-{Guid.NewGuid():N}");

    public static async Task<TeamsWorld> StartAsync(
        bool withLog = false, Dictionary<string, string?>? settings = null, HttpMessageHandler? keys = null,
        IChatClient? model = null, bool onRealClock = false)
    {
        var world = new TeamsWorld(keys) { _otherModel = model, _realClock = onRealClock };
        await world.BeginAsync(withLog, settings);
        return world;
    }

    /// <summary>Ends the program and starts it again with the same files; what was in memory is gone.</summary>
    public async Task RestartAsync(Dictionary<string, string?>? settings = null)
    {
        var withLog = _log is not null;
        await EndAsync();
        await BeginAsync(withLog, settings);
    }

    private async Task BeginAsync(bool withLog, Dictionary<string, string?>? settings)
    {
        var world = this;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:Teams:Enabled"] = "true",
            ["NextGpt:Teams:AppId"] = FakeIssuer.AppId,
            ["NextGpt:Teams:Tenants:0:Id"] = Tenant,
            ["NextGpt:Teams:Tenants:0:Keeping"] = "true",
            ["NextGpt:Teams:StateFile"] = Path.Combine(world.Folder, "teams.state"),
            ["NextGpt:Turns:FirstTokenTimeout"] = "00:30:00",
            ["NextGpt:Turns:TurnTimeout"] = "00:30:00",
            ["NextGpt:Turns:QueueTimeout"] = "10:00:00",
            ["NextGpt:Turns:MaxPerPerson"] = "500",
            ["NextGpt:Turns:MaxPerGroup"] = "500",
            ["NextGpt:Turns:MaxWaiting"] = "500",
        });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        if (withLog)
        {
            world._log = await ConversationLog.OpenAsync(new ConversationOptions { Folder = world.Folder }, world.Time);
            builder.Services.AddSingleton(world._log);
        }

        builder.Services.AddSingleton(world._realClock ? TimeProvider.System : world.Time);
        builder.Services.AddSingleton(world._otherModel ?? world.Model);
        builder.Services.AddSingleton<IMediaReader>(world.Media).AddSingleton<IMediaWriter>(world.Media);
        builder.Services.AddSingleton(new ModelSenses(
            [MediaKind.Image, MediaKind.Audio, MediaKind.Video], [MediaKind.Image, MediaKind.Audio, MediaKind.Video]));
        builder.Services.AddNextGptHost().AddNextGptTeams();
        builder.Services.AddKeyedSingleton<HttpMessageHandler>(
            TeamsServiceCollectionExtensions.OutboundClient, world.Service);
        builder.Services.AddSingleton<ITokenSource, FixedToken>();
        world._app = builder.Build();
        world._app.MapNextGptTeams(listensOnlyHere: false);
        await world._app.StartAsync();
        world._client = world._app.GetTestClient();
    }

    /// <summary>Sends an activity as the service does.</summary>
    public async Task<HttpResponseMessage> PostAsync(JsonObject activity, string? token = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/messages")
        {
            Content = new StringContent(activity.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"Bearer {token ?? Issuer.Token(serviceUrl: (string?)activity["serviceUrl"])}");
        return await _client.SendAsync(request);
    }

    public Task<HttpResponseMessage> GetAsync(string address) => _client.GetAsync(new Uri(address).PathAndQuery);

    public Task<HttpResponseMessage> SayAsync(string text, string type = "personal", string person = "p1", string? id = null) =>
        PostAsync(Activity("message", type, person, id).With("text", text));

    public JsonObject Activity(string type, string conversation = "personal", string person = "p1", string? id = null) => new()
    {
        ["type"] = type,
        ["id"] = id ?? $"in-{Interlocked.Increment(ref _ids)}",
        ["channelId"] = "msteams",
        ["serviceUrl"] = "https://smba.trafficmanager.net/emea/",
        ["from"] = new JsonObject { ["id"] = $"29:{person}", ["aadObjectId"] = person },
        ["recipient"] = new JsonObject { ["id"] = "28:bot", ["name"] = "NextGpt" },
        ["conversation"] = new JsonObject
        {
            ["id"] = conversation switch
            {
                "personal" => $"a:{person}",
                "channel" => "19:x@thread.tacv2;messageid=5",
                _ => "19:group",
            },
            ["conversationType"] = conversation,
            ["tenantId"] = Tenant,
        },
    };

    /// <summary>Lets the clock run until something holds; fails when it does not within 20 real seconds.</summary>
    public async Task UntilAsync(Func<bool> condition, TimeSpan? step = null)
    {
        var deadline = Environment.TickCount64 + 20_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"nothing more happened; calls: {string.Join(
                " | ", Service.Calls.Select(call => $"{call.Method} {call.Type} {call.StreamType} {call.Text} {call.Card}"))}");
            Time.Advance(step ?? TimeSpan.FromMilliseconds(100));
            await Task.Delay(1);
        }
    }

    public Task MessagesAsync(int count) => UntilAsync(() => Service.Messages.Count >= count);

    /// <summary>Runs the clock on, to see that nothing more comes.</summary>
    public async Task SettleAsync()
    {
        for (var i = 0; i < 100; i++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1);
        }
    }

    private async Task EndAsync()
    {
        var closing = _app.DisposeAsync().AsTask();
        while (!closing.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }

        await closing;
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        await SchemaOracle.CheckAsync(Service.Calls.Select(call => call.Body).OfType<JsonObject>());
    }

    private sealed class FixedToken : ITokenSource
    {
        public Task<string?> GetAsync(bool fresh, CancellationToken cancellationToken = default) =>
            Task.FromResult<string?>(fresh ? "token-2" : "token-1");
    }
}

internal static class JsonWith
{
    public static JsonObject With(this JsonObject activity, string name, JsonNode? value)
    {
        activity[name] = value;
        return activity;
    }
}
