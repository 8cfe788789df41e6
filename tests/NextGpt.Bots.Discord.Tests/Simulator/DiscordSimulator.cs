using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>
/// Discord on a loopback port: gateway, REST, CDN, one server with people who write and press. discord.js passes it too
/// (<c>SecondClientTests</c>), so that what our client is tested against is not our own idea of the protocol.
/// </summary>
internal sealed class DiscordSimulator : IAsyncDisposable
{
    public const string Token = "c2ltdWxhdGVk.dG9rZW4.planted-secret-1f3a9c";

    private readonly WebApplication _app;
    private readonly SimulatedRest _rest;
    private readonly ConcurrentQueue<SimulatedRequest> _requests = new();

    private DiscordSimulator(WebApplication app, TimeProvider time)
    {
        (_app, Time) = (app, time);
        World = new SimulatedWorld(time);
        Gateway = new SimulatedGateway(this);
        _rest = new SimulatedRest(this);
    }

    public TimeProvider Time { get; }

    public SimulatedWorld World { get; }

    public SimulatedGateway Gateway { get; }

    public SimulatedRest Rest => _rest;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public Uri ApiAddress => new(Address, "/api/v10/");

    public Uri GatewayAddress => new($"ws://{Address.Authority}/gateway");

    public Uri CdnAddress => new($"http://{Address.Authority}/");

    /// <summary>Files of the CDN by path.</summary>
    public ConcurrentDictionary<string, SimulatedFile> Files { get; } = new();

    /// <summary>Answers in place of the simulator; null lets it answer.</summary>
    public Func<SimulatedRequest, SimulatedAnswer?>? Fault { get; set; }

    public IReadOnlyList<SimulatedRequest> Requests => [.. _requests];

    public static async Task<DiscordSimulator> StartAsync(TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 64 * 1024 * 1024);
        var app = builder.Build();
        var simulator = new DiscordSimulator(app, time ?? TimeProvider.System);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.Run(simulator.ServeAsync);
        await app.StartAsync();
        simulator.Address = new Uri(app.Urls.First());
        return simulator;
    }

    /// <summary>Requests whose text begins so, for example <c>POST /channels/</c>.</summary>
    public IReadOnlyList<SimulatedRequest> RequestsTo(string start) =>
        [.. Requests.Where(request => request.ToString().StartsWith(start, StringComparison.Ordinal))];

    /// <summary>A person writes.</summary>
    public async Task<string> SayAsync(
        string content, string channel = SimulatedWorld.DirectId, string person = SimulatedWorld.AnaId, string? replyTo = null,
        params SimulatedFile[] files)
    {
        var attachments = new JsonArray([.. files.Select(file => Attach(channel, file))]);
        var message = World.Message(channel, person, content, replyTo, attachments);
        await TellAsync("MESSAGE_CREATE", message);
        return (string)message["id"]!;
    }

    public Task TellAsync(string name, JsonNode message) =>
        Gateway.PublishAsync(name, message.DeepClone(), (string?)message["guild_id"], SimulatedWorld.Seen);

    /// <summary>A person changes what they wrote.</summary>
    public async Task EditAsync(string messageId, string content)
    {
        var message = World.Messages[messageId];
        (message["content"], message["edited_timestamp"]) = (content, World.Now());
        await TellAsync("MESSAGE_UPDATE", message);
    }

    /// <summary>A person removes what they wrote.</summary>
    public async Task DeleteAsync(string messageId)
    {
        World.Messages.TryRemove(messageId, out var message);
        await Gateway.PublishAsync("MESSAGE_DELETE", new JsonObject
        {
            ["id"] = messageId,
            ["channel_id"] = (string?)message!["channel_id"],
            ["guild_id"] = (string?)message["guild_id"],
        });
    }

    /// <summary>A person uses a command, presses a button or sends a form.</summary>
    public async Task<SimulatedInteraction> InteractAsync(
        int type, JsonObject data, string channel = SimulatedWorld.DirectId, string person = SimulatedWorld.AnaId, JsonNode? message = null)
    {
        var interaction = _rest.Begin(channel, person);
        var told = new JsonObject
        {
            ["id"] = interaction.Id,
            ["application_id"] = SimulatedWorld.AppId,
            ["type"] = type,
            ["data"] = data,
            ["channel_id"] = channel,
            ["token"] = interaction.Token,
            ["version"] = 1,
            ["locale"] = "en-US",
            ["app_permissions"] = "0",
            ["entitlements"] = new JsonArray(),
            ["attachment_size_limit"] = 10 * 1024 * 1024,
            ["channel"] = World.Channels.TryGetValue(channel, out var place) ? place.DeepClone() : null,
            ["authorizing_integration_owners"] = new JsonObject(),
        };
        if (World.IsDirect(channel))
        {
            told["user"] = SimulatedWorld.User(person);
            told["context"] = 1;
        }
        else
        {
            told["guild_id"] = SimulatedWorld.GuildId;
            told["context"] = 0;
            var member = SimulatedWorld.Member(person);
            member["permissions"] = "0";
            told["member"] = member;
        }

        if (message is not null)
        {
            told["message"] = message.DeepClone();
        }

        await Gateway.PublishAsync("INTERACTION_CREATE", told, (string?)told["guild_id"]);
        return interaction;
    }

    public Task<SimulatedInteraction> CommandAsync(
        string name, string channel = SimulatedWorld.DirectId, string person = SimulatedWorld.AnaId,
        SimulatedFile? file = null, params (string Name, string Value)[] options)
    {
        var data = new JsonObject
        {
            ["id"] = "600000000000000001",
            ["name"] = name,
            ["type"] = 1,
            ["options"] = new JsonArray([.. options.Select(option =>
                new JsonObject { ["name"] = option.Name, ["type"] = 3, ["value"] = option.Value })]),
        };
        if (file is not null)
        {
            var attachment = Attach(channel, file);
            data["options"]!.AsArray().Add(new JsonObject { ["name"] = "file", ["type"] = 11, ["value"] = (string)attachment["id"]! });
            data["resolved"] = new JsonObject { ["attachments"] = new JsonObject { [(string)attachment["id"]!] = attachment } };
        }

        return InteractAsync(2, data, channel, person);
    }

    public Task<SimulatedInteraction> PressAsync(
        string customId, string channel = SimulatedWorld.DirectId, string person = SimulatedWorld.AnaId, JsonNode? message = null) =>
        InteractAsync(3, new JsonObject { ["custom_id"] = customId, ["component_type"] = 2 }, channel, person, message);

    /// <summary>Waits, in real time, until something holds.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what, int seconds = 30, int lookEveryMilliseconds = 5)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < end, $"Not within {seconds} s: {what}.");
            await Task.Delay(lookEveryMilliseconds, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in Gateway.Connections)
        {
            connection.Cut();
        }

        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    internal JsonObject Attach(string channel, SimulatedFile file)
    {
        var id = World.NewId();
        var path = $"attachments/{channel}/{id}/{file.Name}";
        Files[$"/{path}"] = file;
        return new JsonObject
        {
            ["id"] = id,
            ["filename"] = file.Name,
            ["size"] = file.Bytes.Length,
            ["content_type"] = file.ContentType,
            ["url"] = $"{CdnAddress}{path}?ex=66a0&is=66a0&hm=00ff",
            ["proxy_url"] = $"{CdnAddress}{path}",
            ["description"] = file.Description,
        };
    }

    private async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        if (path == "/gateway" || path == "/gateway/")
        {
            await Gateway.ServeAsync(context);
            return;
        }

        var request = await ReadAsync(context, path);
        _requests.Enqueue(request);
        var answer = Fault?.Invoke(request) ?? _rest.Answer(request);
        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            context.Response.Headers[name] = value;
        }

        if (answer.Bytes is not null)
        {
            await context.Response.Body.WriteAsync(answer.Bytes);
        }
        else if (answer.Body is not null)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer.Body.ToJsonString());
        }

        foreach (var next in _rest.TakeEvents())
        {
            await next();
        }
    }

    private async Task<SimulatedRequest> ReadAsync(HttpContext context, string path)
    {
        JsonNode? body = null;
        List<SimulatedFile> files = [];
        if (context.Request.HasFormContentType)
        {
            context.Features.Set<IFormFeature>(new FormFeature(context.Request, new FormOptions { MultipartBodyLengthLimit = 64_000_000 }));
            var form = await context.Request.ReadFormAsync();
            body = JsonNode.Parse(form["payload_json"].ToString());
            foreach (var file in form.Files.OrderBy(file => file.Name, StringComparer.Ordinal))
            {
                using var bytes = new MemoryStream();
                await file.CopyToAsync(bytes);
                var index = int.Parse(file.Name["files[".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
                var said = ((body?["attachments"] ?? body?["data"]?["attachments"]) as JsonArray)?
                    .FirstOrDefault(one => one!["id"]!.ToString() == index.ToString(System.Globalization.CultureInfo.InvariantCulture));
                files.Add(new SimulatedFile(file.FileName, file.ContentType, bytes.ToArray(), (string?)said?["description"]));
            }
        }
        else if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0)
        {
            body = await JsonNode.ParseAsync(context.Request.Body);
        }

        return new SimulatedRequest(
            context.Request.Method,
            path.StartsWith("/api/v10", StringComparison.Ordinal) ? path["/api/v10".Length..] : path,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body, files, Time.GetUtcNow());
    }
}
