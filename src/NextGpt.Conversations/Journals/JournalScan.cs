namespace NextGpt.Conversations.Journals;

/// <summary>A stretch of a segment as a scan found it.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sequence">Number of the record, 0 if unknown.</param>
/// <param name="BatchFirst">First number of its flush, 0 if unknown.</param>
/// <param name="State">What it is.</param>
internal readonly record struct ScannedStretch(int Offset, int Length, long Sequence, long BatchFirst, StretchState State)
{
    public int End => Offset + Length;
}

/// <summary>What a scan found.</summary>
internal enum StretchState
{
    /// <summary>A whole, sound frame.</summary>
    Sound,

    /// <summary>A frame with known borders and a damaged body.</summary>
    BodyDamaged,

    /// <summary>Bytes that belong to no frame that can be recognised.</summary>
    Unknown,
}

/// <summary>Reads a segment front to back. Trusts nothing: damage costs the frames it touches and no others.</summary>
internal static class JournalScan
{
    /// <summary>Every stretch after the segment header, without gaps.</summary>
    public static List<ScannedStretch> Read(ReadOnlySpan<byte> segment)
    {
        var found = new List<ScannedStretch>();
        var position = Math.Min(JournalFormat.SegmentHeaderSize, segment.Length);
        var last = 0L;
        while (position < segment.Length)
        {
            if (TryFrame(segment[position..], last, out var length, out var sequence, out var batchFirst))
            {
                var sound = JournalFormat.BodyIsSound(segment.Slice(position, length));
                found.Add(new(
                    position, length, sequence, batchFirst, sound ? StretchState.Sound : StretchState.BodyDamaged));
                last = sequence;
                position += length;
                continue;
            }

            var next = NextFrame(segment, position + 1, last);
            found.Add(new(position, next - position, 0, 0, StretchState.Unknown));
            position = next;
        }

        return found;
    }

    private static int NextFrame(ReadOnlySpan<byte> segment, int from, long last)
    {
        while (from < segment.Length)
        {
            var hit = segment[from..].IndexOf(JournalFormat.FrameMarkBytes);
            if (hit < 0)
            {
                break;
            }

            from += hit;
            if (TryFrame(segment[from..], last, out _, out _, out _))
            {
                return from;
            }

            from++;
        }

        return segment.Length;
    }

    private static bool TryFrame(
        ReadOnlySpan<byte> bytes, long last, out int length, out long sequence, out long batchFirst)
    {
        var isFrame = JournalFormat.TryReadHeader(bytes, out var bodyLength, out sequence, out batchFirst);
        length = JournalFormat.FrameHeaderSize + bodyLength;
        return isFrame && sequence > last && length <= bytes.Length;
    }
}
