using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Rest;

/// <summary>What a message says; what is not set is not sent.</summary>
internal sealed record OutgoingMessage
{
    /// <summary>At most 2,000 characters; null leaves it as it is.</summary>
    public string? Content { get; init; }

    /// <summary>Sent beside it.</summary>
    public IReadOnlyList<OutgoingFile> Files { get; init; } = [];

    /// <summary>Rows of buttons; null leaves them, an empty array removes them.</summary>
    public JsonArray? Components { get; init; }

    /// <summary>The message it replies to; if that is gone it is posted all the same.</summary>
    public string? ReplyTo { get; init; }

    /// <summary>Whoever sends the same nonce again gets the first message back (at most 25 characters).</summary>
    public string? Nonce { get; init; }

    /// <summary>Seen by the person alone; only as answer to an interaction.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Links are not unfolded: what a model writes loads nothing by itself (THR-2).</summary>
    private const int WithoutPreviews = 1 << 2;

    private const int ForOnePerson = 1 << 6;

    /// <summary>The payload. Nobody is ever pinged by what a model writes, on edits neither.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray(), ["replied_user"] = false },
        };
        if (Content is not null)
        {
            json["content"] = Content;
        }

        if (Components is not null)
        {
            json["components"] = Components.DeepClone();
        }

        if (Files.Count > 0)
        {
            json["attachments"] = new JsonArray([.. Files.Select((file, index) => new JsonObject
            {
                ["id"] = index, ["filename"] = file.Name, ["description"] = file.Description,
            })]);
        }

        if (ReplyTo is not null)
        {
            json["message_reference"] = new JsonObject { ["message_id"] = ReplyTo, ["fail_if_not_exists"] = false };
        }

        if (Nonce is not null)
        {
            (json["nonce"], json["enforce_nonce"]) = (Nonce, true);
        }

        json["flags"] = WithoutPreviews | (IsPrivate ? ForOnePerson : 0);
        return json;
    }

    /// <summary>A nonce for a part of a turn: the same whenever it is made.</summary>
    public static string NonceOf(string turnId, string part) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{turnId}/{part}")))[..24];
}

/// <summary>The calls of Discord's API that the bot makes.</summary>
internal sealed class DiscordApi(RestClient rest)
{
    private string _application = "";

    /// <summary>The application's id, known from READY.</summary>
    public string Application
    {
        get => Volatile.Read(ref _application);
        set => Volatile.Write(ref _application, value);
    }

    /// <summary>Where to connect and how often.</summary>
    public async Task<GatewayAddress> GetGatewayAsync(CancellationToken cancellationToken)
    {
        var answer = await rest.SendAsync(new RestRequest(HttpMethod.Get, "/gateway/bot"), cancellationToken);
        var starts = answer.Object("session_start_limit");
        return new GatewayAddress(
            new Uri(answer.Id("url")),
            (int)(answer.Number("shards") ?? 1),
            new SessionStarts(
                (int)(starts.Number("total") ?? 1_000),
                (int)(starts.Number("remaining") ?? 1_000),
                TimeSpan.FromMilliseconds(starts.Number("reset_after") ?? 0),
                (int)(starts.Number("max_concurrency") ?? 1)));
    }

    /// <summary>Posts a message; returns its id.</summary>
    public async Task<string> PostAsync(string channel, OutgoingMessage message, CancellationToken cancellationToken) =>
        (await rest.SendAsync(
            new RestRequest(HttpMethod.Post, "/channels/{0}/messages", channel)
            {
                Body = message.ToJson(),
                Files = message.Files,
                IsRepeatable = message.Nonce is not null,
            },
            cancellationToken)).Id("id");

    /// <summary>Changes a message of ours.</summary>
    public Task EditAsync(string channel, string message, OutgoingMessage changed, CancellationToken cancellationToken) =>
        rest.SendAsync(
            new RestRequest(HttpMethod.Patch, "/channels/{0}/messages/{1}", channel, message) { Body = changed.ToJson() },
            cancellationToken);

    /// <summary>Shows "is typing" for ten seconds.</summary>
    public Task TypeAsync(string channel, CancellationToken cancellationToken) =>
        rest.SendAsync(new RestRequest(HttpMethod.Post, "/channels/{0}/typing", channel), cancellationToken);

    /// <summary>Starts a thread from a message; it has the message's id, also if it was there before.</summary>
    public async Task<string> StartThreadAsync(string channel, string message, string name, CancellationToken cancellationToken)
    {
        try
        {
            var thread = await rest.SendAsync(
                new RestRequest(HttpMethod.Post, "/channels/{0}/messages/{1}/threads", channel, message)
                {
                    Body = new JsonObject { ["name"] = name, ["auto_archive_duration"] = 1_440 },
                },
                cancellationToken);
            return thread.Id("id");
        }
        catch (RestException refused) when (refused.Code == RestCode.ThreadExists)
        {
            return message;
        }
    }

    /// <summary>The conversation for direct messages with a person.</summary>
    public async Task<string> OpenDirectAsync(string person, CancellationToken cancellationToken) =>
        (await rest.SendAsync(
            new RestRequest(HttpMethod.Post, "/users/@me/channels") { Body = new JsonObject { ["recipient_id"] = person } },
            cancellationToken)).Id("id");

    /// <summary>The commands registered now.</summary>
    public async Task<IReadOnlyList<WireObject>> GetCommandsAsync(CancellationToken cancellationToken) =>
        (await rest.SendAsync(new RestRequest(HttpMethod.Get, "/applications/{0}/commands", Application), cancellationToken)).Items();

    /// <summary>Replaces the whole set of commands.</summary>
    public Task PutCommandsAsync(JsonArray commands, CancellationToken cancellationToken) =>
        rest.SendAsync(
            new RestRequest(HttpMethod.Put, "/applications/{0}/commands", Application) { Body = commands.DeepClone() },
            cancellationToken);

    /// <summary>The first answer to an interaction; must come within three seconds.</summary>
    public Task AnswerAsync(string interaction, string token, int type, JsonNode? data, CancellationToken cancellationToken) =>
        rest.SendAsync(
            new RestRequest(HttpMethod.Post, "/interactions/{0}/{1}/callback", interaction, token)
            {
                Body = data is null ? new JsonObject { ["type"] = type } : new JsonObject { ["type"] = type, ["data"] = data },
                IsInteraction = true,
            },
            cancellationToken);

    /// <summary>Changes the answer to an interaction, or a message that followed it.</summary>
    /// <param name="token">Of the interaction.</param>
    /// <param name="message"><c>@original</c> or the id of a follow-up.</param>
    /// <param name="changed">What it says now.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The message's own id.</returns>
    public async Task<string> EditAnswerAsync(string token, string message, OutgoingMessage changed, CancellationToken cancellationToken) =>
        (await rest.SendAsync(
            new RestRequest(HttpMethod.Patch, "/webhooks/{0}/{1}/messages/{2}", Application, token, message)
            {
                Body = changed.ToJson(),
                Files = changed.Files,
                IsInteraction = true,
            },
            cancellationToken)).Id("id");

    /// <summary>One more message after the answer to an interaction; returns its id.</summary>
    public async Task<string> FollowUpAsync(string token, OutgoingMessage message, CancellationToken cancellationToken) =>
        (await rest.SendAsync(
            new RestRequest(HttpMethod.Post, "/webhooks/{0}/{1}", Application, token)
            {
                Body = message.ToJson(),
                Files = message.Files,
                IsInteraction = true,
                IsRepeatable = false,
            },
            cancellationToken)).Id("id");

    /// <summary>Whether the token works: the bot's own name.</summary>
    public async Task<string> GetOwnNameAsync(CancellationToken cancellationToken) =>
        (await rest.SendAsync(new RestRequest(HttpMethod.Get, "/users/@me"), cancellationToken)).Id("username");
}
