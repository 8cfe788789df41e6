using System.Buffers;
using System.IO.Compression;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>
/// Inflates the messages of a connection that is one zlib stream (RFC 1950); each message ends with the four bytes of a
/// synchronising flush.
/// </summary>
internal sealed class InflatedStream : IDisposable
{
    private const int MostBytes = 64 * 1024 * 1024;   // of one message: far above any that Discord sends
    private readonly MemoryStream _packed = new();
    private readonly ZLibStream _zlib;

    public InflatedStream() => _zlib = new ZLibStream(_packed, CompressionMode.Decompress, leaveOpen: true);

    /// <summary>Whether the bytes end a message.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> bytes) => bytes.EndsWith((ReadOnlySpan<byte>)[0, 0, 0xFF, 0xFF]);

    /// <summary>Inflates one whole message.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such stream, or blow up beyond reason.</exception>
    public ReadOnlyMemory<byte> Inflate(ReadOnlySpan<byte> message)
    {
        _packed.SetLength(0);
        _packed.Write(message);
        _packed.Position = 0;
        var inflated = new ArrayBufferWriter<byte>(Math.Max(256, message.Length * 4));
        while (_zlib.Read(inflated.GetSpan(4_096)) is > 0 and var read)
        {
            inflated.Advance(read);
            if (inflated.WrittenCount > MostBytes)
            {
                throw new InvalidDataException("A gateway message inflates to more than 64 MiB.");
            }
        }

        return inflated.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _zlib.Dispose();
        _packed.Dispose();
    }
}
