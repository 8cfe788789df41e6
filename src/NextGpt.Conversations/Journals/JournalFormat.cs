using System.Buffers.Binary;
using System.Numerics;

namespace NextGpt.Conversations.Journals;

/// <summary>The bytes of the journal.</summary>
/// <remarks>
/// <para>A segment starts with 32 bytes: mark (8), schema version (2), zero (6), first sequence (8), CRC32C (4), zero (4).
/// Frames follow without gaps. All numbers are little-endian.</para>
/// <para>A frame is a header of 32 bytes and a body. Header: mark (4), body length (4), sequence (8), first sequence of
/// the same flush (8), CRC32C of these 24 bytes (4), CRC32C of these 24 bytes and the body (4). Body: kind (1), flags (1),
/// schema (2), count (4), person (16), subject (16), message hash (16), UTC ticks (8), then the content.</para>
/// <para>The first 28 bytes of a frame never change. Erasing overwrites the rest in place, so that an overwriting that
/// was cut short still leaves a frame whose borders are known. The mark holds bytes that cannot occur in UTF-8, hence
/// not in content.</para>
/// </remarks>
internal static class JournalFormat
{
    public const ushort Schema = 1;
    public const int SegmentHeaderSize = 32;
    public const int FrameHeaderSize = 32;
    public const int HeadSize = 64;
    public const int MostBody = 8 * 1024 * 1024;
    public const int FixedFrameBytes = 28;

    private const ulong SegmentMark = 0x314E_524F_4A47_4EF5;   // F5 "NGJORN1"
    private const uint FrameMark = 0xFA52_4AF5;                // F5 4A 52 FA

    /// <summary>The mark as bytes, for finding the next frame after damage.</summary>
    public static ReadOnlySpan<byte> FrameMarkBytes => [0xF5, 0x4A, 0x52, 0xFA];

    /// <summary>CRC32C (Castagnoli), hardware-accelerated where the processor has it.</summary>
    public static uint Crc(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    public static void WriteSegmentHeader(Span<byte> target, long firstSequence)
    {
        target = target[..SegmentHeaderSize];
        target.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, SegmentMark);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], Schema);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], firstSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], Crc(target[..24]));
    }

    /// <summary>Reads a segment's header; false if it is damaged.</summary>
    public static bool TryReadSegmentHeader(ReadOnlySpan<byte> bytes, out int schema, out long firstSequence)
    {
        (schema, firstSequence) = (0, 0);
        if (bytes.Length < SegmentHeaderSize
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != SegmentMark
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]) != Crc(bytes[..24]))
        {
            return false;
        }

        schema = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        firstSequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        return true;
    }

    /// <summary>Bytes of a frame with this much content.</summary>
    public static int FrameSize(int contentLength) => FrameHeaderSize + HeadSize + contentLength;

    /// <summary>Writes a whole frame.</summary>
    /// <param name="target">At least <see cref="FrameSize"/> bytes.</param>
    /// <param name="sequence">Number of the record.</param>
    /// <param name="batchFirst">Number of the first record flushed together with it.</param>
    /// <param name="entry">The record.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteFrame(Span<byte> target, long sequence, long batchFirst, in JournalEntry entry)
    {
        var bodyLength = HeadSize + entry.Content.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(target, FrameMark);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], bodyLength);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], batchFirst);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], Crc(target[..24]));
        var body = target.Slice(FrameHeaderSize, bodyLength);
        WriteHead(body, entry.Head);
        entry.Content.Span.CopyTo(body[HeadSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc(body, Crc(target[..24])));
        return FrameHeaderSize + bodyLength;
    }

    /// <summary>Reads a frame's header; false if these bytes are not one.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out int bodyLength, out long sequence, out long batchFirst)
    {
        (bodyLength, sequence, batchFirst) = (0, 0, 0);
        if (bytes.Length < FrameHeaderSize
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != FrameMark
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]) != Crc(bytes[..24]))
        {
            return false;
        }

        bodyLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        batchFirst = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        return bodyLength is >= HeadSize and <= MostBody && sequence > 0 && batchFirst > 0 && batchFirst <= sequence;
    }

    /// <summary>Whether a whole frame's body is as it was written.</summary>
    public static bool BodyIsSound(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[28..]) == Crc(frame[FrameHeaderSize..], Crc(frame[..24]));

    /// <summary>Reads the fixed part of a sound body.</summary>
    public static RecordHead ReadHead(ReadOnlySpan<byte> body) => new(
        (RecordKind)body[0],
        (RecordFlags)body[1],
        BinaryPrimitives.ReadUInt32LittleEndian(body[4..]),
        BinaryPrimitives.ReadUInt128LittleEndian(body[8..]),
        BinaryPrimitives.ReadUInt128LittleEndian(body[24..]),
        BinaryPrimitives.ReadUInt128LittleEndian(body[40..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[56..]));

    private static void WriteHead(Span<byte> body, in RecordHead head)
    {
        body[0] = (byte)head.Kind;
        body[1] = (byte)head.Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], head.Kind is RecordKind.Void ? (ushort)0 : Schema);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], head.Count);
        BinaryPrimitives.WriteUInt128LittleEndian(body[8..], head.Person);
        BinaryPrimitives.WriteUInt128LittleEndian(body[24..], head.Subject);
        BinaryPrimitives.WriteUInt128LittleEndian(body[40..], head.MessageHash);
        BinaryPrimitives.WriteInt64LittleEndian(body[56..], head.UtcTicks);
    }
}
