using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>An interaction that waits for its answer.</summary>
internal sealed class SimulatedInteraction(string id, string token, string channel, string person, DateTimeOffset at)
{
    public string Id => id;

    public string Token => token;

    public string Channel => channel;

    public string Person => person;

    public DateTimeOffset At => at;

    /// <summary>The first answer, and when.</summary>
    public JsonNode? Answer { get; set; }

    public DateTimeOffset? AnsweredAt { get; set; }

    public bool IsPrivate => ((int?)Answer?["data"]?["flags"] & 64) == 64;

    /// <summary>The message that the answer became.</summary>
    public JsonObject? Message { get; set; }

    public List<JsonObject> FollowUps { get; } = [];

    /// <summary>Later calls are answered 404 (10015), as after fifteen minutes.</summary>
    public bool IsExpired { get; set; }
}

/// <summary>The REST side of the simulator, as strict as Discord where a client could err.</summary>
internal sealed class SimulatedRest(DiscordSimulator simulator)
{
    private readonly ConcurrentDictionary<string, SimulatedInteraction> _interactions = new();
    private readonly ConcurrentDictionary<string, JsonObject> _byNonce = new();
    private readonly ConcurrentQueue<Func<Task>> _events = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Left, DateTimeOffset Until)> _buckets = [];

    /// <summary>Requests per window of one channel's messages.</summary>
    public (int Count, TimeSpan Window) Bucket { get; set; } = (1_000, TimeSpan.FromSeconds(1));

    /// <summary>Messages that would have pinged somebody.</summary>
    public List<string> Pings { get; } = [];

    /// <summary>First lines of the bot's messages that carry votes: the answer is whole.</summary>
    public ConcurrentDictionary<string, byte> Whole { get; } = new();

    /// <summary>Threads cannot be made.</summary>
    public bool RefusesThreads { get; set; }

    /// <summary>The set of commands, as last put.</summary>
    public JsonArray? Commands { get; private set; }

    public IReadOnlyList<SimulatedInteraction> Interactions => [.. _interactions.Values];

    /// <summary>The bot's messages in a place, oldest first, as they stand.</summary>
    public IReadOnlyList<JsonObject> MessagesOfBot(string channel) =>
        [.. simulator.World.Messages.Values.Where(message => (string?)message["channel_id"] == channel
            && (string?)message["author"]!["id"] == SimulatedWorld.BotId).OrderBy(message => (string?)message["id"], StringComparer.Ordinal)];

    public SimulatedInteraction Begin(string channel, string person)
    {
        var interaction = new SimulatedInteraction(
            simulator.World.NewId(), $"token-{simulator.World.NewId()}", channel, person, simulator.Time.GetUtcNow());
        return _interactions[interaction.Token] = interaction;
    }

    public IEnumerable<Func<Task>> TakeEvents()
    {
        while (_events.TryDequeue(out var next))
        {
            yield return next;
        }
    }

    public SimulatedAnswer Answer(SimulatedRequest request)
    {
        if (request.Path.StartsWith("/attachments/", StringComparison.Ordinal))
        {
            return simulator.Files.TryGetValue(request.Path, out var file)
                ? new SimulatedAnswer(200) { Bytes = file.Bytes, Headers = new() { ["Content-Type"] = file.ContentType } }
                : new SimulatedAnswer(404);
        }

        if (!request.Headers.GetValueOrDefault("User-Agent", "").StartsWith("DiscordBot (", StringComparison.Ordinal))
        {
            return SimulatedAnswer.Error(403, 40333, "internal network error");
        }

        var parts = request.Path.Trim('/').Split('/');
        var isOpen = parts[0] is "interactions" or "webhooks";
        if (!isOpen && request.Headers.GetValueOrDefault("Authorization") != $"Bot {DiscordSimulator.Token}")
        {
            return SimulatedAnswer.Error(401, 0, "401: Unauthorized");
        }

        var answer = (request.Method, parts) switch
        {
            ("GET", ["gateway", "bot"]) => GatewayBot(),
            ("GET", ["users", "@me"]) => new SimulatedAnswer(200, SimulatedWorld.User(SimulatedWorld.BotId)),
            ("GET", ["applications", "@me"]) or ("GET", ["oauth2", "applications", "@me"]) =>
                new SimulatedAnswer(200, new JsonObject { ["id"] = SimulatedWorld.AppId, ["name"] = "nextgpt", ["flags"] = 0 }),
            ("GET", ["channels", var id]) => simulator.World.Channels.TryGetValue(id, out var channel)
                ? new SimulatedAnswer(200, channel.DeepClone()) : SimulatedAnswer.Error(404, 10003, "Unknown Channel"),
            ("POST", ["users", "@me", "channels"]) => Direct(request),
            ("POST", ["channels", var id, "typing"]) => Known(id, new SimulatedAnswer(204)),
            ("POST", ["channels", var id, "messages"]) => Create(request, id),
            ("PATCH", ["channels", var id, "messages", var message]) => Edit(request, id, message),
            ("DELETE", ["channels", _, "messages", var message]) => Delete(message),
            ("POST", ["channels", var id, "messages", var message, "threads"]) => Thread(request, id, message),
            ("PUT", ["applications", SimulatedWorld.AppId, "commands"]) => PutCommands(request),
            ("GET", ["applications", SimulatedWorld.AppId, "commands"]) => new SimulatedAnswer(200, Commands?.DeepClone() ?? new JsonArray()),
            ("POST", ["interactions", var id, var token, "callback"]) => Callback(request, id, token),
            ("PATCH", ["webhooks", SimulatedWorld.AppId, var token, "messages", var which]) => EditAnswer(request, token, which),
            ("POST", ["webhooks", SimulatedWorld.AppId, var token]) => FollowUp(request, token),
            _ => SimulatedAnswer.Error(404, 0, "404: Not Found"),
        };
        return Limited(request, parts, answer);
    }

    /// <summary>Adds the headers of the bucket, or refuses when it is empty.</summary>
    private SimulatedAnswer Limited(SimulatedRequest request, string[] parts, SimulatedAnswer answer)
    {
        if (parts is not ["channels", var channel, "messages", ..])
        {
            return answer;
        }

        var key = $"{request.Method} {channel}";
        lock (_gate)
        {
            var now = simulator.Time.GetUtcNow();
            var (left, until) = _buckets.TryGetValue(key, out var known) && known.Until > now
                ? known : (Bucket.Count, now + Bucket.Window);
            var after = (until - now).TotalSeconds;
            _buckets[key] = (Math.Max(0, left - 1), until);
            var headers = new Dictionary<string, string>
            {
                ["X-RateLimit-Bucket"] = $"bucket-{request.Method}",
                ["X-RateLimit-Limit"] = Bucket.Count.ToString(CultureInfo.InvariantCulture),
                ["X-RateLimit-Remaining"] = Math.Max(0, left - 1).ToString(CultureInfo.InvariantCulture),
                ["X-RateLimit-Reset-After"] = after.ToString("0.000", CultureInfo.InvariantCulture),
                ["X-RateLimit-Reset"] = until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            };
            if (left > 0)
            {
                return answer with { Headers = headers };
            }

            var refused = SimulatedAnswer.TooMany(after);
            foreach (var (name, value) in headers)
            {
                refused.Headers[name] = value;
            }

            return refused;
        }
    }

    private SimulatedAnswer GatewayBot() => new(200, new JsonObject
    {
        ["url"] = simulator.GatewayAddress.ToString(),
        ["shards"] = simulator.Gateway.Shards,
        ["session_start_limit"] = new JsonObject
        {
            ["total"] = 1_000,
            ["remaining"] = simulator.Gateway.RemainingStarts,
            ["reset_after"] = 14_400_000,
            ["max_concurrency"] = simulator.Gateway.MaxConcurrency,
        },
    });

    private SimulatedAnswer Known(string channel, SimulatedAnswer answer) =>
        simulator.World.Channels.ContainsKey(channel) ? answer : SimulatedAnswer.Error(404, 10003, "Unknown Channel");

    private SimulatedAnswer Direct(SimulatedRequest request) =>
        (string?)request.Body?["recipient_id"] == SimulatedWorld.AnaId
            ? new SimulatedAnswer(200, simulator.World.Channels[SimulatedWorld.DirectId].DeepClone())
            : SimulatedAnswer.Error(403, 50007, "Cannot send messages to this user");

    private SimulatedAnswer? Wrong(SimulatedRequest request, JsonNode? body, bool mayBeEmpty)
    {
        var content = (string?)body?["content"] ?? "";
        if (content.Length > 2_000)
        {
            return SimulatedAnswer.Error(400, 50035, "Invalid Form Body: content must be 2000 or fewer in length.");
        }

        if (content.Length == 0 && request.Files.Count == 0 && !mayBeEmpty && body?["components"] is not JsonArray { Count: > 0 })
        {
            return SimulatedAnswer.Error(400, 50006, "Cannot send an empty message");
        }

        if (request.Files.Any(file => file.Bytes.Length > 10 * 1024 * 1024))
        {
            return SimulatedAnswer.Error(413, 40005, "Request entity too large");
        }

        if (body?["allowed_mentions"]?["parse"] is not JsonArray { Count: 0 }
            && (content.Contains("@everyone", StringComparison.Ordinal) || content.Contains("<@", StringComparison.Ordinal)))
        {
            lock (Pings)
            {
                Pings.Add(content);
            }
        }

        return null;
    }

    private SimulatedAnswer Create(SimulatedRequest request, string channel)
    {
        if (!simulator.World.Channels.ContainsKey(channel))
        {
            return SimulatedAnswer.Error(404, 10003, "Unknown Channel");
        }

        if (Wrong(request, request.Body, mayBeEmpty: false) is { } wrong)
        {
            return wrong;
        }

        var nonce = (string?)request.Body!["nonce"];
        if (nonce is { Length: > 25 })
        {
            return SimulatedAnswer.Error(400, 50035, "Invalid Form Body: nonce");
        }

        if (nonce is not null && (bool?)request.Body["enforce_nonce"] == true && _byNonce.TryGetValue($"{channel} {nonce}", out var before))
        {
            return new SimulatedAnswer(200, before.DeepClone());
        }

        var message = simulator.World.Message(
            channel, SimulatedWorld.BotId, (string?)request.Body["content"] ?? "",
            (string?)request.Body["message_reference"]?["message_id"],
            new JsonArray([.. request.Files.Select(file => simulator.Attach(channel, file))]));
        message["components"] = request.Body["components"]?.DeepClone() ?? new JsonArray();
        message["nonce"] = nonce;
        NoteWhole(message);
        if (nonce is not null)
        {
            _byNonce[$"{channel} {nonce}"] = message;
        }

        var told = message.DeepClone();
        _events.Enqueue(() => simulator.TellAsync("MESSAGE_CREATE", told));
        return new SimulatedAnswer(200, message.DeepClone());
    }

    private SimulatedAnswer Edit(SimulatedRequest request, string channel, string id)
    {
        if (!simulator.World.Messages.TryGetValue(id, out var message) || (string?)message["channel_id"] != channel)
        {
            return SimulatedAnswer.Error(404, 10008, "Unknown Message");
        }

        if ((string?)message["author"]!["id"] != SimulatedWorld.BotId)
        {
            return SimulatedAnswer.Error(403, 50005, "Cannot edit a message authored by another user");
        }

        if (Wrong(request, request.Body, mayBeEmpty: request.Body?["content"] is null) is { } wrong)
        {
            return wrong;
        }

        Apply(message, request.Body!);
        var told = message.DeepClone();
        _events.Enqueue(() => simulator.TellAsync("MESSAGE_UPDATE", told));
        return new SimulatedAnswer(200, message.DeepClone());
    }

    private void NoteWhole(JsonObject message)
    {
        if (message["components"]!.ToJsonString().Contains("fb:v1", StringComparison.Ordinal))
        {
            Whole[((string?)message["content"] ?? "").Split('\n')[0]] = 0;
        }
    }

    private void Apply(JsonObject message, JsonNode body)
    {
        if (body["content"] is { } content)
        {
            message["content"] = (string?)content;
        }

        if (body["components"] is { } components)
        {
            message["components"] = components.DeepClone();
        }

        message["edited_timestamp"] = simulator.World.Now();
        NoteWhole(message);
    }

    private SimulatedAnswer Delete(string id)
    {
        simulator.World.Messages.TryRemove(id, out _);
        return new SimulatedAnswer(204);
    }

    private SimulatedAnswer Thread(SimulatedRequest request, string channel, string message)
    {
        if (RefusesThreads)
        {
            return SimulatedAnswer.Error(403, 50013, "Missing Permissions");
        }

        if (simulator.World.Channels.ContainsKey(message))
        {
            return SimulatedAnswer.Error(400, 160004, "A thread has already been created for this message");
        }

        var name = (string?)request.Body?["name"] ?? "";
        if (name.Length is 0 or > 100)
        {
            return SimulatedAnswer.Error(400, 50035, "Invalid Form Body: name");
        }

        var thread = new JsonObject
        {
            ["id"] = message,
            ["type"] = 11,
            ["guild_id"] = SimulatedWorld.GuildId,
            ["parent_id"] = channel,
            ["name"] = name,
            ["owner_id"] = SimulatedWorld.BotId,
            ["last_message_id"] = null,
            ["message_count"] = 0,
            ["member_count"] = 2,
            ["rate_limit_per_user"] = 0,
            ["flags"] = 0,
            ["total_message_sent"] = 0,
            ["thread_metadata"] = new JsonObject
            {
                ["archived"] = false,
                ["auto_archive_duration"] = 1_440,
                ["archive_timestamp"] = simulator.World.Now(),
                ["locked"] = false,
            },
        };
        simulator.World.Channels[message] = thread;
        var told = thread.DeepClone();
        told["newly_created"] = true;
        _events.Enqueue(() => simulator.Gateway.PublishAsync("THREAD_CREATE", told, SimulatedWorld.GuildId));
        return new SimulatedAnswer(201, thread.DeepClone());
    }

    private SimulatedAnswer PutCommands(SimulatedRequest request)
    {
        foreach (var command in request.Body!.AsArray())
        {
            var isText = (int?)command!["type"] is null or 1;
            var name = (string?)command["name"] ?? "";
            if (name.Length is 0 or > 32 || (isText && (name.Any(char.IsUpper) || (string?)command["description"] is not { Length: > 0 and <= 100 })))
            {
                return SimulatedAnswer.Error(400, 50035, "Invalid Form Body");
            }
        }

        Commands = (JsonArray)request.Body.DeepClone();
        return new SimulatedAnswer(200, Commands.DeepClone());
    }

    private SimulatedAnswer Callback(SimulatedRequest request, string id, string token)
    {
        if (!_interactions.TryGetValue(token, out var interaction) || interaction.Id != id
            || simulator.Time.GetUtcNow() - interaction.At > TimeSpan.FromSeconds(3))
        {
            return SimulatedAnswer.Error(404, 10062, "Unknown interaction");
        }

        if (interaction.Answer is not null)
        {
            return SimulatedAnswer.Error(400, 40060, "Interaction has already been acknowledged.");
        }

        var data = request.Body!["data"];
        if ((int)request.Body["type"]! == 4 && Wrong(request, data, mayBeEmpty: false) is { } wrong)
        {
            return wrong;
        }

        interaction.AnsweredAt = simulator.Time.GetUtcNow();
        if ((int)request.Body["type"]! is 4 or 5)
        {
            interaction.Message = simulator.World.Message(
                interaction.Channel, SimulatedWorld.BotId, (string?)data?["content"] ?? "");
            interaction.Message["components"] = data?["components"]?.DeepClone() ?? new JsonArray();
        }

        interaction.Answer = request.Body.DeepClone();
        return new SimulatedAnswer(204);
    }

    private SimulatedAnswer EditAnswer(SimulatedRequest request, string token, string which)
    {
        if (!_interactions.TryGetValue(token, out var interaction) || interaction.IsExpired || interaction.Message is null)
        {
            return SimulatedAnswer.Error(404, 10015, "Unknown Webhook");
        }

        if (Wrong(request, request.Body, mayBeEmpty: false) is { } wrong)
        {
            return wrong;
        }

        var message = which == "@original" ? interaction.Message : interaction.FollowUps.First(one => (string?)one["id"] == which);
        Apply(message, request.Body!);
        foreach (var file in request.Files)
        {
            message["attachments"]!.AsArray().Add(simulator.Attach(interaction.Channel, file));
        }

        return new SimulatedAnswer(200, message.DeepClone());
    }

    private SimulatedAnswer FollowUp(SimulatedRequest request, string token)
    {
        if (!_interactions.TryGetValue(token, out var interaction) || interaction.IsExpired)
        {
            return SimulatedAnswer.Error(404, 10015, "Unknown Webhook");
        }

        if (Wrong(request, request.Body, mayBeEmpty: false) is { } wrong)
        {
            return wrong;
        }

        var message = simulator.World.Message(
            interaction.Channel, SimulatedWorld.BotId, (string?)request.Body!["content"] ?? "", null,
            new JsonArray([.. request.Files.Select(file => simulator.Attach(interaction.Channel, file))]));
        message["components"] = request.Body["components"]?.DeepClone() ?? new JsonArray();
        message["interaction_metadata"] = new JsonObject
        {
            ["id"] = interaction.Id,
            ["type"] = 2,
            ["user"] = SimulatedWorld.User(interaction.Person),
            ["authorizing_integration_owners"] = new JsonObject(),
            ["original_response_message_id"] = (string?)interaction.Message?["id"],
        };
        lock (interaction.FollowUps)
        {
            interaction.FollowUps.Add(message);
        }

        var told = message.DeepClone();
        _events.Enqueue(() => simulator.TellAsync("MESSAGE_CREATE", told));

        return new SimulatedAnswer(200, message.DeepClone());
    }
}
