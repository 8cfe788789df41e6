using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>A server with channels and people, in the shapes that Discord documents (and discord.js insists on).</summary>
internal sealed class SimulatedWorld(TimeProvider time)
{
    public const string GuildId = "900000000000000001";
    public const string ChannelId = "900000000000000010";
    public const string OtherChannelId = "900000000000000011";
    public const string DirectId = "900000000000000020";
    public const string BotId = "800000000000000001";
    public const string AppId = "800000000000000002";
    public const string AnaId = "700000000000000001";
    public const string BoId = "700000000000000002";

    private long _ids = 1_500_000_000_000_000_000;

    /// <summary>Messages by id, as last seen.</summary>
    public ConcurrentDictionary<string, JsonObject> Messages { get; } = new();

    /// <summary>Channels and threads by id.</summary>
    public ConcurrentDictionary<string, JsonObject> Channels { get; } = new()
    {
        [ChannelId] = TextChannel(ChannelId, "general"),
        [OtherChannelId] = TextChannel(OtherChannelId, "other"),
        [DirectId] = new JsonObject
        {
            ["id"] = DirectId,
            ["type"] = 1,
            ["last_message_id"] = null,
            ["flags"] = 0,
            ["recipients"] = new JsonArray(User(AnaId)),
        },
    };

    public string NewId() => Interlocked.Increment(ref _ids).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static JsonObject User(string id) => new()
    {
        ["id"] = id,
        ["username"] = id switch { BotId => "nextgpt", AnaId => "ana", BoId => "bo", _ => $"user{id[^3..]}" },
        ["discriminator"] = "0",
        ["global_name"] = null,
        ["avatar"] = null,
        ["bot"] = id == BotId,
        ["system"] = false,
        ["flags"] = 0,
        ["public_flags"] = 0,
    };

    public static JsonObject Ready(SimulatedSession session, Uri gateway, JsonNode? shard) => new()
    {
        ["v"] = 10,
        ["user"] = User(BotId),
        ["guilds"] = new JsonArray(new JsonObject { ["id"] = GuildId, ["unavailable"] = true }),
        ["session_id"] = session.Id,
        ["session_type"] = "normal",
        ["resume_gateway_url"] = gateway.ToString(),
        ["shard"] = shard ?? new JsonArray(0, 1),
        ["application"] = new JsonObject { ["id"] = AppId, ["flags"] = 0 },
        ["user_settings"] = new JsonObject(),
        ["relationships"] = new JsonArray(),
        ["private_channels"] = new JsonArray(),
        ["presences"] = new JsonArray(),
        ["guild_join_requests"] = new JsonArray(),
        ["geo_ordered_rtc_regions"] = new JsonArray(),
        ["_trace"] = new JsonArray("simulator"),
    };

    public JsonObject Guild() => new()
    {
        ["id"] = GuildId,
        ["name"] = "Simulated",
        ["icon"] = null,
        ["splash"] = null,
        ["discovery_splash"] = null,
        ["owner_id"] = AnaId,
        ["afk_channel_id"] = null,
        ["afk_timeout"] = 300,
        ["verification_level"] = 0,
        ["default_message_notifications"] = 0,
        ["explicit_content_filter"] = 0,
        ["roles"] = new JsonArray(new JsonObject
        {
            ["id"] = GuildId,
            ["name"] = "@everyone",
            ["color"] = 0,
            ["hoist"] = false,
            ["position"] = 0,
            ["permissions"] = "2248473465835073",
            ["managed"] = false,
            ["mentionable"] = false,
            ["flags"] = 0,
            ["colors"] = new JsonObject { ["primary_color"] = 0, ["secondary_color"] = null, ["tertiary_color"] = null },
        }),
        ["emojis"] = new JsonArray(),
        ["features"] = new JsonArray(),
        ["mfa_level"] = 0,
        ["application_id"] = null,
        ["system_channel_id"] = null,
        ["system_channel_flags"] = 0,
        ["rules_channel_id"] = null,
        ["max_members"] = 500_000,
        ["vanity_url_code"] = null,
        ["description"] = null,
        ["banner"] = null,
        ["premium_tier"] = 0,
        ["premium_subscription_count"] = 0,
        ["preferred_locale"] = "en-US",
        ["public_updates_channel_id"] = null,
        ["nsfw_level"] = 0,
        ["stickers"] = new JsonArray(),
        ["premium_progress_bar_enabled"] = false,
        ["safety_alerts_channel_id"] = null,
        ["joined_at"] = "2026-01-01T00:00:00.000000+00:00",
        ["large"] = false,
        ["unavailable"] = false,
        ["member_count"] = 3,
        ["voice_states"] = new JsonArray(),
        ["members"] = new JsonArray(Member(BotId), Member(AnaId)),
        ["channels"] = new JsonArray([.. Channels.Values.Where(channel => (int)channel["type"]! == 0).Select(channel => channel.DeepClone())]),
        ["threads"] = new JsonArray([.. Channels.Values.Where(channel => (int)channel["type"]! == 11).Select(channel => channel.DeepClone())]),
        ["presences"] = new JsonArray(),
        ["stage_instances"] = new JsonArray(),
        ["guild_scheduled_events"] = new JsonArray(),
        ["soundboard_sounds"] = new JsonArray(),
    };

    public static JsonObject Member(string id) => new()
    {
        ["user"] = User(id),
        ["nick"] = null,
        ["avatar"] = null,
        ["roles"] = new JsonArray(),
        ["joined_at"] = "2026-01-01T00:00:00.000000+00:00",
        ["premium_since"] = null,
        ["deaf"] = false,
        ["mute"] = false,
        ["flags"] = 0,
        ["pending"] = false,
        ["communication_disabled_until"] = null,
    };

    public bool IsDirect(string channelId) =>
        Channels.TryGetValue(channelId, out var channel) && (int?)channel["type"] == 1;

    /// <summary>A message as it is stored and told.</summary>
    public JsonObject Message(string channelId, string authorId, string content, string? replyTo = null, JsonArray? attachments = null)
    {
        var id = NewId();
        var message = new JsonObject
        {
            ["id"] = id,
            ["channel_id"] = channelId,
            ["author"] = User(authorId),
            ["content"] = content,
            ["timestamp"] = Now(),
            ["edited_timestamp"] = null,
            ["tts"] = false,
            ["mention_everyone"] = false,
            ["mentions"] = new JsonArray([.. new[] { BotId, AnaId, BoId }.Where(user => content.Contains($"<@{user}>", StringComparison.Ordinal)).Select(User)]),
            ["mention_roles"] = new JsonArray(),
            ["attachments"] = attachments ?? [],
            ["embeds"] = new JsonArray(),
            ["components"] = new JsonArray(),
            ["pinned"] = false,
            ["type"] = replyTo is null ? 0 : 19,
            ["flags"] = 0,
        };
        if (!IsDirect(channelId))
        {
            message["guild_id"] = GuildId;
        }

        if (replyTo is not null)
        {
            message["message_reference"] = new JsonObject { ["type"] = 0, ["message_id"] = replyTo, ["channel_id"] = channelId };
            message["referenced_message"] = Messages.TryGetValue(replyTo, out var earlier) ? earlier.DeepClone() : null;
        }

        Messages[id] = message;
        return message;
    }

    /// <summary>What a session without the privileged intent sees of a message.</summary>
    public static JsonNode Seen(JsonNode message, SimulatedSession session)
    {
        var seen = (JsonObject)message.DeepClone();
        var isForUs = message["guild_id"] is null
            || (string?)message["author"]!["id"] == BotId
            || message["mentions"]!.AsArray().Any(mention => (string?)mention!["id"] == BotId)
            || (session.Intents & (1 << 15)) != 0;
        if (!isForUs)
        {
            seen["content"] = "";
            seen["attachments"] = new JsonArray();
            seen["embeds"] = new JsonArray();
            seen["components"] = new JsonArray();
        }

        return seen;
    }

    public string Now() => time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff+00:00", System.Globalization.CultureInfo.InvariantCulture);

    private static JsonObject TextChannel(string id, string name) => new()
    {
        ["id"] = id,
        ["type"] = 0,
        ["guild_id"] = GuildId,
        ["name"] = name,
        ["position"] = 0,
        ["topic"] = null,
        ["nsfw"] = false,
        ["last_message_id"] = null,
        ["parent_id"] = null,
        ["rate_limit_per_user"] = 0,
        ["flags"] = 0,
        ["permission_overwrites"] = new JsonArray(),
    };
}
