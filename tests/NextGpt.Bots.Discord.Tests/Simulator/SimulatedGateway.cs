using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>The gateway of the simulator: hello, heartbeats, identify, resume, events; and the faults tests ask for.</summary>
internal sealed class SimulatedGateway(DiscordSimulator simulator)
{
    private readonly ConcurrentDictionary<string, SimulatedSession> _sessions = new();
    private readonly List<SimulatedConnection> _connections = [];
    private int _sessionCount;

    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    public bool AnswersHeartbeats { get; set; } = true;

    /// <summary>Close code instead of READY; null is none.</summary>
    public int? IdentifyCloseCode { get; set; }

    /// <summary>How often a Resume is answered with op 9 and this before it works; null works.</summary>
    public bool? ResumeRefusal { get; set; }

    /// <summary>Nothing is said after the upgrade.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Upgrades are answered with this status instead.</summary>
    public int? RefuseWith { get; set; }

    public int PieceBytes { get; set; }

    public int Shards { get; set; } = 1;

    public int MaxConcurrency { get; set; } = 1;

    public int RemainingStarts { get; set; } = 1_000;

    public IReadOnlyList<SimulatedConnection> Connections
    {
        get
        {
            lock (_connections)
            {
                return [.. _connections];
            }
        }
    }

    public IReadOnlyCollection<SimulatedSession> Sessions => [.. _sessions.Values];

    public IReadOnlyList<DateTimeOffset> IdentifiedAt => [.. Frames(2).Select(frame => frame.At)];

    public IReadOnlyList<(int Opcode, JsonNode? Data, DateTimeOffset At)> Frames(int opcode) =>
        [.. Connections.SelectMany(connection => Snapshot(connection)).Where(frame => frame.Opcode == opcode)];

    public static IReadOnlyList<(int Opcode, JsonNode? Data, DateTimeOffset At)> Snapshot(SimulatedConnection connection)
    {
        lock (connection.Received)
        {
            return [.. connection.Received];
        }
    }

    /// <summary>Tells every session; of a server's events those of its shard.</summary>
    public Task PublishAsync(string name, JsonNode data, string? guildId = null, Func<JsonNode, SimulatedSession, JsonNode>? per = null) =>
        Task.WhenAll(_sessions.Values
            .Where(session => session.Shard == Wire.Snowflake.ShardOf(guildId, Shards))
            .Select(session => session.PublishAsync(name, per?.Invoke(data, session) ?? data)));

    public async Task ServeAsync(HttpContext context)
    {
        if (RefuseWith is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var connection = new SimulatedConnection(
            socket, context.Request.Query["compress"] == "zlib-stream",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()),
            context.Request.QueryString.Value ?? "")
        { PieceBytes = PieceBytes };
        lock (_connections)
        {
            _connections.Add(connection);
        }

        try
        {
            if (!IsSilent)
            {
                await connection.SendAsync(10, new JsonObject
                {
                    ["heartbeat_interval"] = (long)HeartbeatInterval.TotalMilliseconds,
                    ["_trace"] = new JsonArray("simulator"),
                });
            }

            await ReadAsync(connection, socket);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client or the test cut the line.
        }

        if (connection.Session is { } session && session.Connection == connection)
        {
            session.Connection = null;
            if (connection.ClosedByClientWith is 1000 or 1001)
            {
                _sessions.TryRemove(session.Id, out _);
            }
        }
    }

    private async Task ReadAsync(SimulatedConnection connection, WebSocket socket)
    {
        var buffer = new byte[8_192];
        while (true)
        {
            var length = 0;
            WebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), CancellationToken.None);
                length += result.Count;
            }
            while (!result.EndOfMessage);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                connection.ClosedByClientWith = (int?)socket.CloseStatus;
                await connection.CloseAsync(1000);
                return;
            }

            if (length > 4_096)
            {
                await connection.CloseAsync(4002);
                return;
            }

            var frame = JsonNode.Parse(buffer.AsSpan(0, length))!;
            var (opcode, data) = ((int)frame["op"]!, frame["d"]);
            lock (connection.Received)
            {
                connection.Received.Add((opcode, data, simulator.Time.GetUtcNow()));
            }

            await AnswerAsync(connection, opcode, data);
        }
    }

    private async Task AnswerAsync(SimulatedConnection connection, int opcode, JsonNode? data)
    {
        switch (opcode)
        {
            case 1 when AnswersHeartbeats:
                await connection.SendAsync(11, null);
                break;
            case 2:
                await IdentifyAsync(connection, data!);
                break;
            case 6:
                await ResumeAsync(connection, data!);
                break;
        }
    }

    private async Task IdentifyAsync(SimulatedConnection connection, JsonNode data)
    {
        if (IdentifyCloseCode is { } code)
        {
            await connection.CloseAsync(code);
            return;
        }

        if ((string?)data["token"] != DiscordSimulator.Token)
        {
            await connection.CloseAsync(4004);
            return;
        }

        RemainingStarts--;
        var session = new SimulatedSession(
            $"session-{Interlocked.Increment(ref _sessionCount)}", (int)data["intents"]!, (int?)data["shard"]?[0] ?? 0)
        { Connection = connection };
        connection.Session = session;
        _sessions[session.Id] = session;
        await session.PublishAsync("READY", SimulatedWorld.Ready(session, simulator.GatewayAddress, data["shard"]?.DeepClone()));
        if (session.Shard == Wire.Snowflake.ShardOf(SimulatedWorld.GuildId, Shards))
        {
            await session.PublishAsync("GUILD_CREATE", simulator.World.Guild());
        }
    }

    private async Task ResumeAsync(SimulatedConnection connection, JsonNode data)
    {
        if (ResumeRefusal is { } refusal)
        {
            ResumeRefusal = null;
            await connection.SendAsync(9, JsonValue.Create(refusal));
            return;
        }

        if (!_sessions.TryGetValue((string?)data["session_id"] ?? "", out var session))
        {
            await connection.SendAsync(9, JsonValue.Create(false));
            return;
        }

        connection.Session = session;
        await session.ResumeAsync(connection, (long?)data["seq"] ?? 0);
    }
}
