namespace NextGpt.Conversations.Journals;

/// <summary>
/// Decides what to do with the end of the last segment after a crash. Whatever belongs to the last flush may never have
/// been acknowledged, so damage there is a torn write; damage before it is damage.
/// </summary>
/// <param name="Keep">Bytes to keep from the start.</param>
/// <param name="Rebuilt">Frames to put behind them: sound ones of the last flush and void ones in the gaps.</param>
/// <param name="TornRecords">Records that were not whole.</param>
internal sealed record JournalTail(int Keep, byte[] Rebuilt, int TornRecords)
{
    /// <summary>The repair, or null if the end is sound.</summary>
    public static JournalTail? Of(ReadOnlySpan<byte> segment, List<ScannedStretch> stretches, long expectedFirst)
    {
        var lastFlush = 0L;
        foreach (var stretch in stretches)
        {
            lastFlush = Math.Max(lastFlush, stretch.BatchFirst);
        }

        var firstBad = FirstTorn(stretches, lastFlush, expectedFirst);
        if (firstBad < 0)
        {
            return null;
        }

        var before = expectedFirst - 1;
        for (var i = 0; i < firstBad; i++)
        {
            before = Math.Max(before, stretches[i].Sequence);
        }

        using var rebuilt = new MemoryStream();
        var (torn, next) = (0, before + 1);
        foreach (var stretch in stretches[firstBad..])
        {
            if (stretch.State is not StretchState.Sound)
            {
                torn += stretch.State is StretchState.BodyDamaged ? 1 : 0;
                continue;
            }

            if (stretch.Sequence > next)
            {
                rebuilt.Write(VoidFrame(stretch.Sequence - 1, lastFlush, stretch.Sequence - next));
            }

            rebuilt.Write(segment.Slice(stretch.Offset, stretch.Length));
            next = stretch.Sequence + 1;
        }

        return new(stretches[firstBad].Offset, rebuilt.ToArray(), Math.Max(torn, 1));
    }

    /// <summary>A frame that stands for records that are no more.</summary>
    public static byte[] VoidFrame(long sequence, long batchFirst, long count, RecordFlags flags = RecordFlags.None)
    {
        var frame = new byte[JournalFormat.FrameSize(0)];
        var head = new RecordHead(RecordKind.Void, flags, checked((uint)count), 0, 0, 0, 0);
        JournalFormat.WriteFrame(frame, sequence, Math.Min(batchFirst, sequence), new(head, default));
        return frame;
    }

    private static int FirstTorn(List<ScannedStretch> stretches, long lastFlush, long expectedFirst)
    {
        var before = expectedFirst - 1;
        var lastFrame = stretches.FindLastIndex(stretch => stretch.State is not StretchState.Unknown);
        for (var i = 0; i < stretches.Count; i++)
        {
            var stretch = stretches[i];
            if (stretch.State is StretchState.Sound)
            {
                before = stretch.Sequence;
                continue;
            }

            // Bad bytes are torn if the first record they may have held belongs to the last flush,
            // or if nothing follows them at all.
            var mayBeFirst = stretch.State is StretchState.BodyDamaged ? stretch.Sequence : before + 1;
            if (i >= lastFrame || (lastFlush > 0 && mayBeFirst >= lastFlush))
            {
                return i;
            }

            before = Math.Max(before, stretch.Sequence);
        }

        return -1;
    }
}
