using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>
/// One connection of the bot, kept up for ever: hello, heartbeats, identify or resume, events, and whatever a lost
/// connection asks for.
/// </summary>
internal sealed partial class GatewayShard(
    int number, GatewayIdentity identity, IdentifyGate gate, Func<GatewayEvent, CancellationToken, ValueTask> sink,
    GatewayTiming timing, TimeProvider time, ILogger logger)
{
    private const int MostFaultsOfOurs = 3;
    private GatewaySession? _session;
    private long? _sequence;
    private bool _triedAfterTimeout;

    /// <summary>The session, while there is one.</summary>
    public GatewaySession? Session => _session;

    /// <summary>The last event's number.</summary>
    public long? Sequence => _sequence;

    /// <summary>True from READY or RESUMED until the connection is lost.</summary>
    public bool IsReady { get; private set; }

    /// <summary>From the last heartbeat to its acknowledgement; null before the first.</summary>
    public TimeSpan? Latency { get; private set; }

    /// <summary>Frames and events nobody here knows.</summary>
    public long Unknown { get; private set; }

    /// <summary>Runs until it is stopped; the session then ends and the bot is shown as offline.</summary>
    /// <exception cref="GatewayRefusedException">There is no point in trying again.</exception>
    public async Task RunAsync(Uri address, CancellationToken stop)
    {
        var (failures, faults) = (0, 0);
        while (!stop.IsCancellationRequested)
        {
            var end = await ConnectAsync(_session?.ResumeAddress ?? address, stop);
            IsReady = false;
            if (stop.IsCancellationRequested)
            {
                return;
            }

            LogLost(number, end.Code, end.Verdict);
            faults = CloseCode.IsOurFault(end.Code) ? faults + 1 : 0;
            if (end.Verdict == CloseVerdict.Stop || faults >= MostFaultsOfOurs)
            {
                throw new GatewayRefusedException(CloseCode.SentenceOf(end.Code), end.Code);
            }

            var verdict = end.Code == 4009 && _triedAfterTimeout ? CloseVerdict.NewSession : end.Verdict;
            _triedAfterTimeout = end.Code == 4009;
            if (verdict != CloseVerdict.Resume)
            {
                (_session, _sequence) = (null, null);
            }

            failures = end.Lived >= timing.LivedLong ? 0 : failures + 1;
            await PauseAsync(end.Pause ?? (verdict == CloseVerdict.NewSessionAfterPause ? timing.AfterRateLimit : Backoff(end, failures)), stop);
        }
    }

    private static async Task PauseQuietlyAsync(TimeSpan pause, TimeProvider time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(pause, time, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Shutdown; the caller looks.
        }
    }

    private Task PauseAsync(TimeSpan pause, CancellationToken stop) => PauseQuietlyAsync(pause, time, stop);

    /// <summary>None after the first loss of a connection that worked; then 1 s doubling to 60 s, full jitter.</summary>
    private TimeSpan Backoff(ConnectionEnd end, int failures) => end.Lived is not null && failures <= 1
        ? TimeSpan.Zero
        : BackoffOf(failures, timing, Random.Shared.NextDouble());

    /// <summary>The pause after so many failures in a row.</summary>
    internal static TimeSpan BackoffOf(int failures, GatewayTiming timing, double chance) => TimeSpan.FromSeconds(
        Math.Min(
            timing.LongestPause.TotalSeconds,
            timing.FirstPause.TotalSeconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 30))) * chance);

    private async Task<ConnectionEnd> ConnectAsync(Uri address, CancellationToken stop)
    {
        using var ended = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var socket = new GatewaySocket(identity, timing, time);
        var connection = new Connection(socket);
        try
        {
            if (!await OpenAsync(connection, address, stop))
            {
                if (_session is not null)
                {
                    // The address to resume at is not there: the first one always is.
                    (_session, _sequence) = (null, null);
                }

                return new ConnectionEnd(CloseVerdict.NewSession);
            }

            await using var goodbye = stop.Register(() => _ = LeaveAsync(socket, ended));
            var beats = BeatAsync(connection, ended);
            var end = await ReadAsync(connection, ended.Token);
            await ended.CancelAsync();
            await beats;
            return end;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new ConnectionEnd(CloseVerdict.Resume);
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    /// <summary>Ends the session in good order; the other side's answer ends the reading, or a moment without one.</summary>
    private async Task LeaveAsync(GatewaySocket socket, CancellationTokenSource ended)
    {
        try
        {
            await socket.CloseAsync(CloseCode.Leaving);
            ended.CancelAfter(timing.CloseWithin);
        }
        catch (ObjectDisposedException)
        {
            // The connection ended by itself meanwhile.
        }
    }

    /// <summary>Connects, waits for Hello, introduces the bot. False if the other side is not there or says nothing.</summary>
    private async Task<bool> OpenAsync(Connection connection, Uri address, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(timing.HelloWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await connection.Socket.ConnectAsync(address, either.Token);
            var hello = await connection.Socket.ReceiveAsync(either.Token);
            if (hello?.Opcode != (int)GatewayOpcode.Hello || hello.Data.Number("heartbeat_interval") is not (> 0 and var interval))
            {
                await connection.Socket.CloseAsync(CloseCode.LeavingToResume);
                return false;
            }

            connection.Interval = TimeSpan.FromMilliseconds(interval);
        }
        catch (Exception failure) when (IsLost(failure) && !stop.IsCancellationRequested)
        {
            LogUnreachable(number, address.Host, failure.GetType().Name);
            return false;
        }

        return true;
    }

    private async Task IntroduceAsync(Connection connection, CancellationToken stop)
    {
        if (_session is { } session)
        {
            await connection.Socket.SendAsync(GatewayOpcode.Resume, identity.Resume(session.Id, _sequence), stop);
            return;
        }

        await gate.EnterAsync(number, stop);
        await connection.Socket.SendAsync(GatewayOpcode.Identify, identity.Identify(number), stop);
    }

    private async Task<ConnectionEnd> ReadAsync(Connection connection, CancellationToken ended)
    {
        try
        {
            // Beside reading: waiting at the gate must not keep acknowledgements and goodbyes from being seen.
            var introduced = IntroduceAsync(connection, ended);
            while (await connection.Socket.ReceiveAsync(ended) is { } frame)
            {
                if (introduced.IsFaulted)
                {
                    await introduced;
                }

                if (await HandleAsync(connection, frame, ended) is { } end)
                {
                    return end with { Lived = connection.Lived(time) };
                }
            }

            return new ConnectionEnd(CloseCode.VerdictOf(connection.Socket.CloseCode), connection.Socket.CloseCode)
            {
                Lived = connection.Lived(time),
            };
        }
        catch (Exception failure) when (IsLost(failure) && (connection.IsZombie || !ended.IsCancellationRequested))
        {
            return new ConnectionEnd(CloseVerdict.Resume) { Lived = connection.Lived(time) };
        }
    }

    /// <summary>Null to go on; else why the connection is left.</summary>
    private async ValueTask<ConnectionEnd?> HandleAsync(Connection connection, GatewayFrame frame, CancellationToken stop)
    {
        switch ((GatewayOpcode)frame.Opcode)
        {
            case GatewayOpcode.Dispatch:
                await DispatchAsync(connection, frame, stop);
                return null;
            case GatewayOpcode.Heartbeat:
                await SendBeatAsync(connection, stop);
                return null;
            case GatewayOpcode.HeartbeatAcknowledged:
                connection.Acknowledged = true;
                Latency = time.GetElapsedTime(connection.BeatAt);
                return null;
            case GatewayOpcode.Reconnect:
                await connection.Socket.CloseAsync(CloseCode.LeavingToResume);
                return new ConnectionEnd(CloseVerdict.Resume);
            case GatewayOpcode.InvalidSession:
                var canResume = frame.Whole.Flag("d");
                var (least, most) = timing.AfterInvalidSession;
                await connection.Socket.CloseAsync(CloseCode.LeavingToResume);
                return new ConnectionEnd(canResume ? CloseVerdict.Resume : CloseVerdict.NewSession)
                {
                    Pause = least + ((most - least) * Random.Shared.NextDouble()),
                };
            default:
                Unknown++;
                return null;
        }
    }

    private async ValueTask DispatchAsync(Connection connection, GatewayFrame frame, CancellationToken stop)
    {
        switch (frame.Name)
        {
            case "READY":
                _session = frame.Data.Text("session_id") is { } id
                    && Uri.TryCreate(frame.Data.Text("resume_gateway_url"), UriKind.Absolute, out var resume)
                        ? new GatewaySession(id, resume)
                        : null;
                connection.ReadyAt = time.GetTimestamp();
                IsReady = true;
                LogReady(number);
                break;
            case "RESUMED":
                connection.ReadyAt = time.GetTimestamp();
                IsReady = true;
                LogResumed(number, _sequence);
                break;
            case null:
                Unknown++;
                return;
        }

        // While nobody takes the event nothing is read: then a missing acknowledgement says nothing about the other side.
        connection.IsHeld = true;
        await sink(new GatewayEvent(frame.Name, frame.Data), stop);
        connection.IsHeld = false;
        _sequence = frame.Sequence ?? _sequence;   // only now: an event that nobody took is asked for again
    }

    private async Task BeatAsync(Connection connection, CancellationTokenSource ended)
    {
        try
        {
            await Task.Delay(connection.Interval * Random.Shared.NextDouble(), time, ended.Token);
            using var clock = new PeriodicTimer(connection.Interval, time);
            do
            {
                if (!connection.Acknowledged && !connection.IsHeld)
                {
                    LogZombie(number);
                    connection.IsZombie = true;
                    await connection.Socket.CloseAsync(CloseCode.LeavingToResume);
                    await ended.CancelAsync();
                    return;
                }

                connection.Acknowledged = false;
                await SendBeatAsync(connection, ended.Token);
            }
            while (await clock.WaitForNextTickAsync(ended.Token));
        }
        catch (Exception failure) when (IsLost(failure))
        {
            // The reader sees the same and says what comes next.
        }
    }

    private Task SendBeatAsync(Connection connection, CancellationToken stop)
    {
        connection.BeatAt = time.GetTimestamp();
        return connection.Socket.SendAsync(
            GatewayOpcode.Heartbeat, _sequence is { } sequence ? JsonValue.Create(sequence) : null, stop);
    }

    private static bool IsLost(Exception failure) => failure is WebSocketException or OperationCanceledException
        or IOException or InvalidDataException or JsonException or HttpRequestException or ObjectDisposedException
        or InvalidOperationException;

    [LoggerMessage(5001, LogLevel.Information, "Discord shard {Shard} is ready")]
    private partial void LogReady(int shard);

    [LoggerMessage(5002, LogLevel.Information, "Discord shard {Shard} resumed at event {Sequence}")]
    private partial void LogResumed(int shard, long? sequence);

    [LoggerMessage(5003, LogLevel.Information, "Discord shard {Shard} lost its connection (code {Code}): {Verdict}")]
    private partial void LogLost(int shard, int? code, CloseVerdict verdict);

    [LoggerMessage(5004, LogLevel.Warning, "Discord shard {Shard}: no heartbeat came back, the connection is dead")]
    private partial void LogZombie(int shard);

    [LoggerMessage(5005, LogLevel.Warning, "Discord shard {Shard} cannot reach {Host} ({Failure})")]
    private partial void LogUnreachable(int shard, string host, string failure);

    /// <summary>Why a connection ended and what comes next.</summary>
    private sealed record ConnectionEnd(CloseVerdict Verdict, int? Code = null)
    {
        public TimeSpan? Lived { get; init; }

        public TimeSpan? Pause { get; init; }
    }

    /// <summary>What is known of the connection now up.</summary>
    private sealed class Connection(GatewaySocket socket)
    {
        private volatile bool _acknowledged = true;
        private volatile bool _isHeld;
        private volatile bool _isZombie;

        public GatewaySocket Socket { get; } = socket;

        public TimeSpan Interval { get; set; }

        public long BeatAt { get; set; }

        public long? ReadyAt { get; set; }

        public bool Acknowledged
        {
            get => _acknowledged;
            set => _acknowledged = value;
        }

        public bool IsHeld
        {
            get => _isHeld;
            set => _isHeld = value;
        }

        public bool IsZombie
        {
            get => _isZombie;
            set => _isZombie = value;
        }

        public TimeSpan? Lived(TimeProvider time) => ReadyAt is { } since ? time.GetElapsedTime(since) : null;
    }
}
