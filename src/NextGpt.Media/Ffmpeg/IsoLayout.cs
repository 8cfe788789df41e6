using System.Buffers.Binary;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Ffmpeg;

/// <summary>Puts the index of an MP4 file before its data, so that it can be read from a pipe; ISO/IEC 14496-12.</summary>
/// <remarks>Phones and cameras write the index (<c>moov</c>) last; a reader that cannot seek would give up at the data.</remarks>
internal static class IsoLayout
{
    private const int HeadLength = 8;
    private const int DeepestTable = 4;   // moov, trak, mdia, minf; stbl holds the tables

    /// <summary>The same file with its index first; the very same bytes where it is already.</summary>
    /// <exception cref="MediaException">It is damaged or ends early.</exception>
    public static ReadOnlyMemory<byte> IndexFirst(ReadOnlyMemory<byte> memory, string subject)
    {
        var file = memory.Span;
        var boxes = Boxes(file, subject);
        var index = boxes.FindIndex(box => box.Is(memory.Span, "moov"u8));
        if (index < 0)
        {
            throw Refusal.Corrupt(subject, "it has no index (it was probably cut off while it was recorded)");
        }

        var data = boxes.FindIndex(box => box.Is(memory.Span, "mdat"u8));
        if (data < 0 || index < data)
        {
            return memory;
        }

        // ftyp, moov, then everything else in its order.
        var type = boxes.FindIndex(box => box.Is(memory.Span, "ftyp"u8));
        List<Box> order = [boxes[type], boxes[index], .. boxes.Where((_, i) => i != type && i != index)];
        var moved = new List<(Box Box, long To)>();
        var to = 0L;
        foreach (var box in order)
        {
            moved.Add((box, to));
            to += box.Length;
        }

        var whole = new byte[to];
        foreach (var (box, target) in moved)
        {
            file.Slice(box.Start, box.Length).CopyTo(whole.AsSpan((int)target));
        }

        var moov = whole.AsSpan((int)moved[1].To, boxes[index].Length);
        MoveOffsets(moov[HeadOf(moov)..], moved, DeepestTable, subject);
        return whole;
    }

    private static List<Box> Boxes(ReadOnlySpan<byte> file, string subject)
    {
        var boxes = new List<Box>();
        for (var at = 0; at < file.Length;)
        {
            var rest = file[at..];
            var length = LengthOf(rest, subject);
            if (length > rest.Length)
            {
                throw Refusal.EndsEarly(subject, file.Length, at + length);
            }

            boxes.Add(new Box(at, (int)length));
            at += (int)length;
        }

        return boxes;
    }

    private static long LengthOf(ReadOnlySpan<byte> rest, string subject)
    {
        if (rest.Length < HeadLength)
        {
            throw Refusal.Corrupt(subject, "bytes follow its last part");
        }

        long length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length == 1 && rest.Length >= 16)
        {
            length = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(rest[8..]), long.MaxValue / 2);
        }

        return length == 0 ? rest.Length   // to the end of the file
            : length >= HeadOf(rest) ? length
            : throw Refusal.Corrupt(subject, "a part is shorter than its own head");
    }

    private static int HeadOf(ReadOnlySpan<byte> box) => BinaryPrimitives.ReadUInt32BigEndian(box) == 1 ? 16 : HeadLength;

    private static void MoveOffsets(Span<byte> inside, List<(Box Box, long To)> moved, int depth, string subject)
    {
        while (inside.Length >= HeadLength)
        {
            var length = LengthOf(inside, subject);
            if (length > inside.Length)
            {
                throw Refusal.Corrupt(subject, "a part of its index is longer than the index");
            }

            var box = inside[..(int)length];
            var body = box[Math.Min(HeadOf(box), box.Length)..];
            var type = box[4..8];
            if (type.SequenceEqual("stco"u8) || type.SequenceEqual("co64"u8))
            {
                MoveTable(body, type.SequenceEqual("stco"u8) ? 4 : 8, moved, subject);
            }
            else if (depth > 0 && (type.SequenceEqual("trak"u8) || type.SequenceEqual("mdia"u8)
                || type.SequenceEqual("minf"u8) || type.SequenceEqual("stbl"u8)))
            {
                MoveOffsets(body, moved, depth - 1, subject);
            }

            inside = inside[(int)length..];
        }
    }

    private static void MoveTable(Span<byte> body, int size, List<(Box Box, long To)> moved, string subject)
    {
        if (body.Length < 8 || BinaryPrimitives.ReadUInt32BigEndian(body[4..]) > (body.Length - 8) / size)
        {
            throw Refusal.Corrupt(subject, "its index is cut off");
        }

        var count = BinaryPrimitives.ReadUInt32BigEndian(body[4..]);
        for (var i = 0; i < count; i++)
        {
            var entry = body[(8 + (i * size))..];
            var old = size == 4 ? BinaryPrimitives.ReadUInt32BigEndian(entry) : BinaryPrimitives.ReadUInt64BigEndian(entry);
            foreach (var (box, to) in moved)
            {
                if (old >= (ulong)box.Start && old - (ulong)box.Start < (ulong)box.Length)
                {
                    var now = old - (ulong)box.Start + (ulong)to;
                    if (size == 4)
                    {
                        BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)now);
                    }
                    else
                    {
                        BinaryPrimitives.WriteUInt64BigEndian(entry, now);
                    }

                    break;
                }
            }
        }
    }

    private readonly record struct Box(int Start, int Length)
    {
        public bool Is(ReadOnlySpan<byte> file, ReadOnlySpan<byte> type) => file.Slice(Start + 4, 4).SequenceEqual(type);
    }
}
