using System.IO.Compression;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>A client's connection to the simulated gateway.</summary>
internal sealed class SimulatedConnection(WebSocket socket, bool compress, IReadOnlyDictionary<string, string> headers, string query) : IDisposable
{
    private readonly SemaphoreSlim _sending = new(1);
    private readonly MemoryStream _packed = new();
    private ZLibStream? _zlib;

    public IReadOnlyDictionary<string, string> Headers => headers;

    public string Query => query;

    public List<(int Opcode, JsonNode? Data, DateTimeOffset At)> Received { get; } = [];

    public SimulatedSession? Session { get; set; }

    /// <summary>The code the client closed with.</summary>
    public int? ClosedByClientWith { get; set; }

    public bool IsOpen => socket.State == WebSocketState.Open;

    /// <summary>Sends frames in pieces of this many bytes; 0 sends them whole.</summary>
    public int PieceBytes { get; set; }

    public async Task SendAsync(int opcode, JsonNode? data, long? sequence = null, string? name = null)
    {
        var frame = new JsonObject { ["op"] = opcode, ["d"] = data?.DeepClone(), ["s"] = sequence, ["t"] = name };
        await SendRawAsync(JsonSerializer.SerializeToUtf8Bytes(frame));
    }

    public async Task SendRawAsync(byte[] utf8)
    {
        await _sending.WaitAsync();
        try
        {
            var bytes = compress ? Pack(utf8) : utf8;
            var type = compress ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
            var piece = PieceBytes == 0 ? bytes.Length : PieceBytes;
            for (var from = 0; from < bytes.Length; from += piece)
            {
                var length = Math.Min(piece, bytes.Length - from);
                await socket.SendAsync(bytes.AsMemory(from, length), type, from + length == bytes.Length, CancellationToken.None);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has gone; the session keeps the event.
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Closes with a code.</summary>
    public async Task CloseAsync(int code)
    {
        await _sending.WaitAsync();
        try
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None);
        }
        catch (Exception gone) when (gone is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Gone already.
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Cuts the line without a word.</summary>
    public void Cut() => socket.Abort();

    public void Dispose()
    {
        _zlib?.Dispose();
        _packed.Dispose();
        _sending.Dispose();
    }

    private byte[] Pack(byte[] utf8)
    {
        _zlib ??= new ZLibStream(_packed, CompressionLevel.Fastest, leaveOpen: true);
        _packed.SetLength(0);
        _zlib.Write(utf8);
        _zlib.Flush();
        var bytes = _packed.ToArray();
        return bytes.AsSpan().EndsWith((ReadOnlySpan<byte>)[0, 0, 255, 255]) ? bytes : [.. bytes, 0, 0, 0, 255, 255];
    }
}

/// <summary>A session: what was sent in it, so that it can be taken up again.</summary>
internal sealed class SimulatedSession(string id, int intents, int shard) : IDisposable
{
    private readonly SemaphoreSlim _telling = new(1);   // events leave in the order of their numbers
    private readonly List<(long Sequence, string Name, JsonNode Data)> _events = [];

    public string Id => id;

    public int Intents => intents;

    public int Shard => shard;

    public SimulatedConnection? Connection { get; set; }

    public long Last
    {
        get
        {
            lock (_events)
            {
                return _events.Count == 0 ? 0 : _events[^1].Sequence;
            }
        }
    }

    /// <summary>Keeps an event and sends it if the client is there.</summary>
    public async Task PublishAsync(string name, JsonNode data)
    {
        await _telling.WaitAsync();
        try
        {
            await TellAsync(name, data);
        }
        finally
        {
            _telling.Release();
        }
    }

    /// <summary>Sends what the client missed, then RESUMED, then whatever comes.</summary>
    public async Task ResumeAsync(SimulatedConnection connection, long after)
    {
        await _telling.WaitAsync();
        try
        {
            foreach (var (sequence, name, missed) in After(after))
            {
                await connection.SendAsync(0, missed, sequence, name);
            }

            Connection = connection;
            await TellAsync("RESUMED", new JsonObject { ["_trace"] = new JsonArray("simulator") });
        }
        finally
        {
            _telling.Release();
        }
    }

    public void Dispose() => _telling.Dispose();

    private async Task TellAsync(string name, JsonNode data)
    {
        long sequence;
        lock (_events)
        {
            sequence = _events.Count + 1;
            _events.Add((sequence, name, data));
        }

        if (Connection is { IsOpen: true } connection)
        {
            await connection.SendAsync(0, data, sequence, name);
        }
    }

    public IReadOnlyList<(long Sequence, string Name, JsonNode Data)> After(long sequence)
    {
        lock (_events)
        {
            return [.. _events.Where(sent => sent.Sequence > sequence)];
        }
    }
}
