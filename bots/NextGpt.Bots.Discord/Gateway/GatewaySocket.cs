using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>One connection: whole frames in and out, inflated, within the limits of sending. Sending is thread-safe.</summary>
internal sealed class GatewaySocket(GatewayIdentity identity, GatewayTiming timing, TimeProvider time) : IDisposable
{
    private const int MostBytesOut = 4_096;
    private const int MostBytesIn = 64 * 1024 * 1024;
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly SendBudget _budget = new(time);
    private readonly InflatedStream? _inflated = identity.Compress ? new InflatedStream() : null;
    private readonly ArrayBufferWriter<byte> _received = new(16_384);

    /// <summary>The code the other side closed with; null while open and if the connection was lost without one.</summary>
    public int? CloseCode { get; private set; }

    /// <summary>Connects.</summary>
    /// <exception cref="WebSocketException">It could not be reached.</exception>
    public Task ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        _socket.Options.SetRequestHeader("User-Agent", identity.UserAgent);
        _socket.Options.KeepAliveInterval = TimeSpan.Zero;   // the gateway has heartbeats of its own
        var query = identity.Compress ? "?v=10&encoding=json&compress=zlib-stream" : "?v=10&encoding=json";
        return _socket.ConnectAsync(new Uri(address, address.AbsolutePath + query), cancellationToken);
    }

    /// <summary>The next frame; null when the connection has ended.</summary>
    /// <exception cref="WebSocketException">The connection broke.</exception>
    public async ValueTask<GatewayFrame?> ReceiveAsync(CancellationToken cancellationToken)
    {
        _received.ResetWrittenCount();
        while (true)
        {
            var result = await _socket.ReceiveAsync(_received.GetMemory(8_192), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                CloseCode = (int?)_socket.CloseStatus;
                return null;
            }

            _received.Advance(result.Count);
            if (_received.WrittenCount > MostBytesIn)
            {
                throw new InvalidDataException("A gateway message is larger than 64 MiB.");
            }

            if (result.EndOfMessage && Whole(result.MessageType) is { } utf8)
            {
                return GatewayFrame.Read(utf8);
            }
        }
    }

    /// <summary>Sends a frame; waits while too many were sent.</summary>
    /// <exception cref="ArgumentException">It is larger than the 4,096 bytes that Discord takes.</exception>
    public async Task SendAsync(GatewayOpcode opcode, JsonNode? data, CancellationToken cancellationToken)
    {
        var utf8 = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["op"] = (int)opcode, ["d"] = data });
        if (utf8.Length > MostBytesOut)
        {
            throw new ArgumentException($"A {opcode} of {utf8.Length} bytes was not sent: Discord takes 4,096.", nameof(data));
        }

        await _budget.TakeAsync(opcode == GatewayOpcode.Heartbeat, cancellationToken);
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _socket.SendAsync(utf8, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Says goodbye with a code, then hangs up whatever the other side does.</summary>
    public async Task CloseAsync(int code)
    {
        try
        {
            using var late = new CancellationTokenSource(timing.CloseWithin, time);
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync((WebSocketCloseStatus)code, null, late.Token);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // It is closed either way.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _sending.Dispose();
        _inflated?.Dispose();
    }

    private ReadOnlyMemory<byte>? Whole(WebSocketMessageType type) =>
        type == WebSocketMessageType.Text || _inflated is null ? _received.WrittenMemory
        : InflatedStream.IsWhole(_received.WrittenSpan) ? _inflated.Inflate(_received.WrittenSpan)
        : null;   // compressed, and more of it comes
}
