using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>How the bot introduces itself.</summary>
internal sealed record GatewayIdentity
{
    /// <summary>The secret; never shown, not even by <see cref="ToString"/>.</summary>
    public required string Token { get; init; }

    /// <summary>The events it wants.</summary>
    public required GatewayIntents Intents { get; init; }

    /// <summary>Sent on the upgrade, too.</summary>
    public required string UserAgent { get; init; }

    /// <summary>One of this many connections.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Whether the connection is compressed (<c>zlib-stream</c>).</summary>
    public bool Compress { get; init; } = true;

    /// <summary>Shown below the bot's name; null shows nothing.</summary>
    public string? Presence { get; init; }

    /// <summary>The payload of Identify.</summary>
    public JsonObject Identify(int shard)
    {
        var identify = new JsonObject
        {
            ["token"] = Token,
            ["intents"] = (int)Intents,
            ["properties"] = new JsonObject
            {
                ["os"] = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "macos" : "linux",
                ["browser"] = "nextgpt",
                ["device"] = "nextgpt",
            },
        };
        if (Shards > 1)
        {
            identify["shard"] = new JsonArray(shard, Shards);
        }

        if (!string.IsNullOrEmpty(Presence))
        {
            identify["presence"] = new JsonObject
            {
                ["since"] = null,
                ["status"] = "online",
                ["afk"] = false,
                ["activities"] = new JsonArray(
                    new JsonObject { ["name"] = "Custom Status", ["type"] = 4, ["state"] = Presence }),
            };
        }

        return identify;
    }

    /// <summary>The payload of Resume.</summary>
    public JsonObject Resume(string sessionId, long? sequence) =>
        new() { ["token"] = Token, ["session_id"] = sessionId, ["seq"] = sequence };

    /// <inheritdoc/>
    public override string ToString() => $"bot with intents {(int)Intents}";
}
