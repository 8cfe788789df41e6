using System.Buffers.Binary;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Journals;

/// <summary>Looks at a record while a journal is read.</summary>
internal delegate void RecordVisitor(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content);

/// <summary>
/// Append-only records in segments: checksummed, numbered without gaps, flushed before they are acknowledged (LOG-1).
/// One thread writes; any thread reads. After a failed write it is closed and opened anew, because what the disk holds is
/// then unknown.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    public const int DefaultSegmentBytes = 32 * 1024 * 1024;
    private const int MostSegmentBytes = 512 * 1024 * 1024;
    private const int MostOverwritten = 100_000;
    private readonly IFileLayer _files;
    private readonly string _folder;
    private readonly int _segmentBytes;
    private readonly Lock _voiding = new();
    private List<JournalSegment> _segments = [];
    private byte[] _buffer = new byte[64 * 1024];
    private readonly List<RecordLocation> _bodyDamaged = [];
    private readonly HashSet<long> _overwritten = [];
    private bool _sealed;
    private long _lastSequence;

    private Journal(IFileLayer files, string folder, int segmentBytes) =>
        (_files, _folder, _segmentBytes) = (files, folder, segmentBytes);

    /// <summary>Number of the last acknowledged record; 0 if there is none.</summary>
    public long LastSequence
    {
        get => Volatile.Read(ref _lastSequence);
        private set => Volatile.Write(ref _lastSequence, value);
    }

    /// <summary>What opening found.</summary>
    public JournalHealth Health { get; } = new();

    /// <summary>Files, oldest first; a snapshot.</summary>
    public IReadOnlyList<JournalSegment> Segments => Volatile.Read(ref _segments);

    /// <summary>Segments changed in place since this was set; null if nobody asks (backup).</summary>
    public HashSet<JournalSegment>? Touched { get; set; }

    /// <summary>Opens or creates the journal in a folder, repairs a torn end and shows every sound record.</summary>
    /// <param name="files">Where.</param>
    /// <param name="folder">Full path; made if absent.</param>
    /// <param name="visit">Called for each sound record that is not void, in order.</param>
    /// <param name="acknowledged">Records known to have been acknowledged; if they are missing, that is damage.</param>
    /// <param name="discardAfter">Records after this number were refused to their senders and are cut.</param>
    /// <param name="segmentBytes">Size at which a new segment begins.</param>
    /// <exception cref="LogTooNewException">A later version wrote it.</exception>
    public static Journal Open(
        IFileLayer files,
        string folder,
        RecordVisitor visit,
        long acknowledged = 0,
        long discardAfter = long.MaxValue,
        int segmentBytes = DefaultSegmentBytes)
    {
        if (!files.FolderExists(folder))
        {
            files.CreateFolder(folder);
            files.FlushFolder(Path.GetDirectoryName(folder)!);   // callers pass full paths
        }

        var journal = new Journal(files, folder, segmentBytes);
        try
        {
            journal.Load(visit, discardAfter);
            journal.CoverLoss(acknowledged);
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Writes records and returns once they are on the disk.</summary>
    /// <returns>Where each lies.</returns>
    public RecordLocation[] Append(IReadOnlyList<JournalEntry> entries)
    {
        var segment = Active();
        var (batchFirst, start) = (LastSequence + 1, segment.Committed);
        var needed = entries.Sum(entry => JournalFormat.FrameSize(entry.Content.Length));
        if (_buffer.Length < needed)
        {
            _buffer = new byte[needed * 2];
        }

        var locations = new RecordLocation[entries.Count];
        var used = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            var covered = batchFirst + i;
            var length = JournalFormat.WriteFrame(_buffer.AsSpan(used), covered, batchFirst, entries[i]);
            locations[i] = new(
                segment, checked((int)(start + used)), length - JournalFormat.FrameHeaderSize, covered);
            used += length;
        }

        segment.File.Write(start, _buffer.AsSpan(0, used));
        segment.File.Flush();
        segment.Committed = start + used;
        LastSequence = batchFirst + entries.Count - 1;
        Health.Records += entries.Count;
        Health.Bytes += used;
        return locations;
    }

    /// <summary>
    /// Overwrites records so that nothing of them is left, and returns once that is on the disk. Their numbers are
    /// journaled first, so that a crash in between is not taken for damage.
    /// </summary>
    public void Overwrite(IReadOnlyCollection<RecordLocation> locations)
    {
        foreach (var some in locations.Chunk(MostOverwritten))
        {
            var numbers = new byte[some.Length * sizeof(long)];
            for (var i = 0; i < some.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(numbers.AsSpan(i * sizeof(long)), some[i].Sequence);
            }

            Append([new(new(RecordKind.Overwriting, RecordFlags.None, 0, 0, 0, 0, 0), numbers)]);
            OverwriteNamed(some);
        }
    }

    /// <summary>
    /// Overwrites every stretch that cannot be read: it may hold words of anybody, and nobody can use it (PRI-4).
    /// </summary>
    /// <returns>Bytes overwritten.</returns>
    public long OverwriteUnreadable()
    {
        lock (_voiding)
        {
            var total = 0L;
            foreach (var segment in Segments)
            {
                var bytes = ReadCommitted(segment);
                var changed = false;
                foreach (var stretch in JournalScan.Read(bytes))
                {
                    if (stretch.State is StretchState.Sound
                        || !bytes.AsSpan(stretch.Offset, stretch.Length).ContainsAnyExcept((byte)0))
                    {
                        continue;
                    }

                    if (stretch.State is StretchState.BodyDamaged)
                    {
                        var bodyLength = stretch.Length - JournalFormat.FrameHeaderSize;
                        Overwrite(new RecordLocation(segment, stretch.Offset, bodyLength, stretch.Sequence));
                    }
                    else
                    {
                        segment.File.Write(stretch.Offset, new byte[stretch.Length]);
                    }

                    Touched?.Add(segment);
                    (changed, total) = (true, total + stretch.Length);
                }

                if (changed)
                {
                    segment.File.Flush();
                }
            }

            return total;
        }
    }

    /// <summary>Reads one record and checks it (LOG-6); null if it is damaged or void.</summary>
    public (RecordHead Head, byte[] Content)? Read(RecordLocation location)
    {
        var found = TryRead(location);
        if (found is null)
        {
            lock (_voiding)   // it may just be being overwritten
            {
                found = TryRead(location);
            }
        }

        return found is { Head.Kind: not RecordKind.Void } ? found : null;
    }

    /// <summary>Makes the next record begin a new segment; those before change only by overwriting.</summary>
    public void Seal() => _sealed = true;

    /// <summary>Reads a segment as far as it is acknowledged.</summary>
    public static byte[] ReadCommitted(JournalSegment segment)
    {
        var bytes = new byte[checked((int)segment.Committed)];
        var read = segment.File.Read(0, bytes);
        return read == bytes.Length ? bytes : bytes[..read];
    }

    /// <summary>Reads everything again and counts (log verify).</summary>
    public JournalHealth Check(RecordVisitor? visit = null)
    {
        var health = new JournalHealth();
        var (expected, last) = (1L, LastSequence);   // what is appended from now on is not missed
        foreach (var segment in Segments)
        {
            byte[] bytes;
            List<ScannedStretch> stretches;
            lock (_voiding)
            {
                bytes = ReadCommitted(segment);
                stretches = JournalScan.Read(bytes);
            }

            health.DamagedHeaders += JournalFormat.TryReadSegmentHeader(bytes, out _, out _) ? 0 : 1;
            expected = Count(health, segment, bytes, stretches, expected, visit);
        }

        NoteGap(health, expected, last + 1);
        return health;
    }

    public void Dispose()
    {
        foreach (var segment in _segments)
        {
            segment.Dispose();
        }
    }

    private void OverwriteNamed(IEnumerable<RecordLocation> locations)
    {
        lock (_voiding)
        {
            foreach (var inSegment in locations.GroupBy(location => location.Segment))
            {
                Touched?.Add(inSegment.Key);
                foreach (var location in inSegment)
                {
                    Overwrite(location);
                    Health.Voids++;
                    Health.VoidBytes += JournalFormat.FrameHeaderSize + location.BodyLength;
                }

                inSegment.Key.File.Flush();
            }
        }
    }

    private static void Overwrite(RecordLocation location)
    {
        // The first 28 bytes stay; the checksum and the whole body are written anew.
        var frame = new byte[JournalFormat.FrameHeaderSize + location.BodyLength];
        location.Segment.File.Read(location.Offset, frame.AsSpan(0, JournalFormat.FixedFrameBytes));
        JournalFormat.TryReadHeader(frame, out _, out var sequence, out var batchFirst);
        var empty = new byte[location.BodyLength - JournalFormat.HeadSize];
        JournalFormat.WriteFrame(frame, sequence, batchFirst, new(default, empty));
        location.Segment.File.Write(
            location.Offset + JournalFormat.FixedFrameBytes, frame.AsSpan(JournalFormat.FixedFrameBytes));
    }

    private static (RecordHead Head, byte[] Content)? TryRead(RecordLocation location)
    {
        var frame = new byte[JournalFormat.FrameHeaderSize + location.BodyLength];
        if (location.Segment.File.Read(location.Offset, frame) < frame.Length
            || !JournalFormat.TryReadHeader(frame, out var bodyLength, out var sequence, out _)
            || bodyLength != location.BodyLength
            || sequence != location.Sequence
            || !JournalFormat.BodyIsSound(frame))
        {
            return null;
        }

        var body = frame.AsSpan(JournalFormat.FrameHeaderSize);
        return (JournalFormat.ReadHead(body), body[JournalFormat.HeadSize..].ToArray());
    }

    private static long Count(
        JournalHealth health,
        JournalSegment segment,
        byte[] bytes,
        List<ScannedStretch> stretches,
        long expected,
        RecordVisitor? visit)
    {
        health.Bytes += bytes.Length;
        var highest = 0L;
        foreach (var stretch in stretches)
        {
            highest = Math.Max(highest, stretch.Sequence);
            if (stretch.State is not StretchState.Sound || stretch.Sequence < expected)
            {
                continue;
            }

            var body = bytes.AsSpan(
                stretch.Offset + JournalFormat.FrameHeaderSize, stretch.Length - JournalFormat.FrameHeaderSize);
            var head = JournalFormat.ReadHead(body);
            NoteGap(health, expected, stretch.Sequence - head.Covers + 1);
            expected = stretch.Sequence + 1;
            health.Records++;
            if (head.Kind is RecordKind.Void)
            {
                health.Voids++;
                health.VoidBytes += stretch.Length;
                if (head.Flags.HasFlag(RecordFlags.WasDamaged))
                {
                    health.LostEarlier += head.Covers;
                }

                continue;
            }

            visit?.Invoke(
                head,
                new(segment, stretch.Offset, body.Length, stretch.Sequence),
                body[JournalFormat.HeadSize..]);
        }

        // A damaged record's number is taken: one given out again would be hidden behind it at the next reading.
        NoteGap(health, expected, highest + 1);
        return Math.Max(expected, highest + 1);
    }

    private static void NoteGap(JournalHealth health, long expected, long found)
    {
        if (found > expected)
        {
            health.Damaged.Add(new(expected, found - 1));
        }
    }

    private JournalSegment Active()
    {
        if (_segments.Count > 0 && !_sealed && _segments[^1].Committed < _segmentBytes)
        {
            return _segments[^1];
        }

        var first = LastSequence + 1;
        var path = Path.Combine(_folder, JournalSegment.NameOf(first));
        if (_segments.Count > 0 && _segments[^1].FirstSequence == first)
        {
            _sealed = false;
            return _segments[^1];   // sealed twice without a record in between
        }

        var file = _files.Open(path, FileUse.CreateNew);
        try
        {
            Span<byte> header = stackalloc byte[JournalFormat.SegmentHeaderSize];
            JournalFormat.WriteSegmentHeader(header, first);
            file.Write(0, header);
            file.Flush();
            _files.FlushFolder(_folder);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        var segment = new JournalSegment(path, first, file) { Committed = JournalFormat.SegmentHeaderSize };
        Volatile.Write(ref _segments, [.. _segments, segment]);
        _sealed = false;
        Health.Bytes += JournalFormat.SegmentHeaderSize;
        return segment;
    }
}
