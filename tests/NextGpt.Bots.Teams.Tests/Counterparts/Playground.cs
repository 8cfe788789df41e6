using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>
/// The Microsoft 365 Agents Playground: a channel that others wrote. It is spoken to as its page does, and what the page
/// would show is kept. Its telemetry is off, it opens no browser, and nobody but this machine can reach it.
/// </summary>
internal sealed class Playground : IAsyncDisposable
{
    public const string Personal = "personal-chat";
    public const string Group = "group-chat";
    public const string Tenant = "99999999-0000-0000-0000-000000000001";
    public const string Me = "user-id-0";
    public const string MyLastingId = "00000000-0000-0000-0000-000000000020";

    private readonly NodeProgram _program;
    private readonly HttpClient _http;
    private readonly ClientWebSocket _page = new();
    private readonly List<JsonNode> _shown = [];
    private readonly string _folder;
    private Task _watching = Task.CompletedTask;

    private Playground(NodeProgram program, HttpClient http, string folder) => (_program, _http, _folder) = (program, http, folder);

    /// <summary>Where the bot reaches it.</summary>
    public string ServiceUrl => $"{_http.BaseAddress}_connector";

    /// <summary>What its page would have shown, in order.</summary>
    public IReadOnlyList<JsonNode> Shown
    {
        get
        {
            lock (_shown)
            {
                return [.. _shown];
            }
        }
    }

    /// <summary>Starts it for a bot at an address.</summary>
    /// <param name="bot">Where activities arrive.</param>
    /// <param name="imitating">The library as which it behaves; null is its ordinary way.</param>
    public static async Task<Playground> StartAsync(Uri bot, string? imitating = null)
    {
        var folder = Directory.CreateTempSubdirectory("playground-").FullName;
        Dictionary<string, string> environment = new()
        {
            ["TEAMSAPPTESTER_BROWSER"] = "none",
            ["M365_AGENTS_PLAYGROUND_CONFIG_PATH"] = Path.Combine(NodeProgram.Folder, "playground.yml"),
            ["M365_AGENTS_PLAYGROUND_LOGFILE"] = Path.Combine(folder, "log"),
        };
        if (imitating is not null)
        {
            environment["M365_AGENTS_PLAYGROUND_TARGET_SDK"] = imitating;
        }

        var program = NodeProgram.Start(
            [
                "--require", "./loopback.cjs", "node_modules/@microsoft/m365agentsplayground/cli.js", "start",
                "-e", bot.ToString(), "-c", "msteams", "-p", "0", "--disable-telemetry",
            ],
            environment);
        var port = await program.ReadAsync("Listening on ");
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        var playground = new Playground(program, http, folder);
        // It listens before it is ready; its settings come when it is, and when it has seen the bot.
        await http.GetStringAsync("_internal/v1/config", TestContext.Current.CancellationToken);
        playground._page.Options.Proxy = null;
        await playground._page.ConnectAsync(
            new Uri($"ws://127.0.0.1:{port}/_ws_conversation/v1/conversations/stream"), CancellationToken.None);
        playground._watching = playground.WatchAsync();
        return playground;
    }

    /// <summary>Installs the bot in a conversation.</summary>
    public Task InstallAsync(string conversation) =>
        PostAsync($"_debug/conversation/{conversation}/installation", []);

    /// <summary>Writes a message as the page does.</summary>
    public Task SayAsync(string text, string conversation = Personal, params (string Name, string Id)[] mentions) => PostAsync(
        $"_conversation/v1/conversations/{conversation}/messages",
        new JsonObject
        {
            ["type"] = "text",
            ["text"] = text,
            ["textFormat"] = mentions.Length > 0 ? "xml" : "plain",
            ["from"] = new JsonObject { ["id"] = Me },
            ["mentions"] = new JsonArray([.. mentions.Select(mention => new JsonObject
            {
                ["text"] = $"<at>{mention.Name}</at>",
                ["mentioned"] = new JsonObject { ["id"] = mention.Id, ["name"] = mention.Name },
            })]),
        });

    /// <summary>Votes as the page's form does.</summary>
    public Task<JsonNode?> VoteAsync(string reaction, string words) => PostAsync("_conversation/v1/invoke", new JsonObject
    {
        ["name"] = "message/submitAction",
        ["from"] = new JsonObject { ["id"] = Me },
        ["conversation"] = new JsonObject { ["id"] = Personal },
        ["value"] = new JsonObject
        {
            ["actionName"] = "feedback",
            ["actionValue"] = new JsonObject { ["reaction"] = reaction, ["feedback"] = words },
        },
    });

    /// <summary>Presses a button of a card.</summary>
    public Task<JsonNode?> PressAsync(string card, JsonObject value, bool submits) => PostAsync(
        $"_conversation/v1/{(submits ? "submit" : "invoke")}",
        new JsonObject
        {
            ["name"] = "adaptiveCard/action",
            ["from"] = new JsonObject { ["id"] = Me },
            ["conversation"] = new JsonObject { ["id"] = Personal },
            ["replyToId"] = card,
            ["value"] = value,
        });

    /// <summary>Sends the bot an activity as it is, with what belongs to every activity where it is missing.</summary>
    public Task CustomAsync(string type, JsonObject more)
    {
        more["type"] = type;
        more["id"] ??= Guid.NewGuid().ToString();
        more["channelId"] ??= "msteams";
        more["serviceUrl"] ??= ServiceUrl;
        more["from"] ??= new JsonObject { ["id"] = Me, ["aadObjectId"] = MyLastingId };
        more["recipient"] ??= new JsonObject { ["id"] = "28:bot" };
        more["conversation"] ??= new JsonObject
        {
            ["id"] = Personal,
            ["conversationType"] = "personal",
            ["tenantId"] = Tenant,
        };
        return PostAsync("_internal/v1/customActivities", more);
    }

    /// <summary>Messages that the page shows in a conversation, as they are after every change.</summary>
    public IReadOnlyList<JsonNode> Messages(string conversation = Personal) =>
    [
        .. Shown.Where(item => (string?)item["action"] is "createMessage" or "updateMessage"
                && (string?)item["actionConversationId"] == conversation && (string?)item["message"]!["from"]?["id"] != Me)
            .Select(item => item["message"]!)
            .GroupBy(message => (string?)message["messageId"]).Select(changes => changes.Last()),
    ];

    public async ValueTask DisposeAsync()
    {
        _page.Abort();
        await _watching;
        _page.Dispose();
        _http.Dispose();
        await _program.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<JsonNode?> PostAsync(string route, JsonObject body)
    {
        using var answer = await _http.PostAsJsonAsync(route, body, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{route}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 || text[0] is not ('{' or '[') ? null : JsonNode.Parse(text);
    }

    private async Task WatchAsync()
    {
        var piece = new byte[64 * 1024];
        using var whole = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await _page.ReceiveAsync(piece, CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                whole.Write(piece, 0, part.Count);
                if (part.EndOfMessage)
                {
                    var item = JsonNode.Parse(Encoding.UTF8.GetString(whole.ToArray()))!;
                    whole.SetLength(0);
                    lock (_shown)
                    {
                        _shown.Add(item);
                    }
                }
            }
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It ends.
        }
    }
}
