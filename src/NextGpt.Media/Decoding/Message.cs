using System.Buffers.Binary;

namespace NextGpt.Media.Decoding;

/// <summary>What program and decoding process say to each other.</summary>
internal enum MessageKind : byte
{
    /// <summary>To the decoder: a <see cref="DecodeTask"/> as JSON.</summary>
    Task = 1,

    /// <summary>To the decoder: the bytes of the file.</summary>
    File,

    /// <summary>First word of a decoder: which limits hold, one byte each (<see cref="Confinement"/>).</summary>
    Hello,

    /// <summary>Why the file is refused: problem (1 byte), whether the decoder is worn (1 byte), sentence.</summary>
    Failure,

    /// <summary>A picture: width, height (4 bytes each); pixels follow.</summary>
    Picture,

    /// <summary>A clip: width, height (4 bytes each), frames a second (8); pixels of each frame follow.</summary>
    Clip,

    /// <summary>A sound: samples a second, channels, samples of a channel (4 bytes each); samples of each channel follow.</summary>
    Sound,

    /// <summary>All pixels of a picture or frame, or a part of them.</summary>
    Pixels,

    /// <summary>A frame that looks like the one before.</summary>
    Again,

    /// <summary>All samples of one channel, float of 32 bits.</summary>
    Samples,

    /// <summary>Index into <see cref="MediaFormat.All"/> (1 byte), where looking inside showed another format.</summary>
    Format,

    /// <summary>A sentence about what was left out.</summary>
    Notice,

    /// <summary>The file is done.</summary>
    End,
}

/// <summary>One message: its kind (1 byte), the length of its body (4 bytes, little endian), its body.</summary>
internal static class Message
{
    /// <summary>Of kind and length.</summary>
    public const int HeadLength = 5;

    public static void Write(Stream stream, MessageKind kind, ReadOnlySpan<byte> body)
    {
        WriteHead(stream, kind, body.Length);
        stream.Write(body);
    }

    /// <summary>Announces a body that follows in pieces.</summary>
    public static void WriteHead(Stream stream, MessageKind kind, int length)
    {
        Span<byte> head = stackalloc byte[HeadLength];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(head[1..], length);
        stream.Write(head);
    }

    /// <summary>Writes numbers of 4 bytes as the body.</summary>
    public static void Write(Stream stream, MessageKind kind, params ReadOnlySpan<int> numbers)
    {
        Span<byte> body = stackalloc byte[4 * numbers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(body[(4 * i)..], numbers[i]);
        }

        Write(stream, kind, body);
    }

    public static async Task WriteAsync(
        Stream stream, MessageKind kind, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLength];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(1), body.Length);
        await stream.WriteAsync(head, cancellationToken);
        await stream.WriteAsync(body, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    /// <summary>Reads the head of the next message.</summary>
    /// <exception cref="EndOfStreamException">There is none.</exception>
    /// <exception cref="InvalidDataException">Its length is negative.</exception>
    public static async Task<(MessageKind Kind, int Length)> ReadHeadAsync(
        Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLength];
        await stream.ReadExactlyAsync(head, cancellationToken);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(1));
        return length >= 0 ? ((MessageKind)head[0], length)
            : throw new InvalidDataException("The length of a message is negative.");
    }

    /// <summary>Reads a whole message; for the decoder's side.</summary>
    /// <returns>Null at the end of the stream.</returns>
    public static byte[]? Read(Stream stream, MessageKind expected, long longest)
    {
        Span<byte> head = stackalloc byte[HeadLength];
        if (stream.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false) < HeadLength)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(head[1..]);
        if ((MessageKind)head[0] != expected || length < 0 || length > longest)
        {
            throw new InvalidDataException($"A message {expected} of at most {longest} bytes was expected.");
        }

        var body = new byte[length];
        stream.ReadExactly(body);
        return body;
    }
}
