using System.Buffers.Binary;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Journals;

/// <summary>Opening: reading every segment, repairing the end, finishing what was being overwritten.</summary>
internal sealed partial class Journal
{
    private void Load(RecordVisitor visit, long discardAfter)
    {
        var paths = Candidates();
        var expected = 1L;
        for (var i = 0; i < paths.Count; i++)
        {
            var (path, first) = paths[i];
            if (first > discardAfter)
            {
                _files.Delete(path);
                _files.FlushFolder(_folder);
                continue;
            }

            var isLast = i == paths.Count - 1 || paths[i + 1].First > discardAfter;
            var bytes = _files.Read(path, MostSegmentBytes);
            if (isLast && bytes.Length <= JournalFormat.SegmentHeaderSize
                && !JournalFormat.TryReadSegmentHeader(bytes, out _, out _))
            {
                Health.TornBytes += bytes.Length;
                _files.Delete(path);   // the file was being made when the process ended
                _files.FlushFolder(_folder);
                continue;
            }

            RefuseNewer(path, bytes);
            var stretches = JournalScan.Read(bytes);
            if (isLast)
            {
                bytes = RepairEnd(path, bytes, ref stretches, expected, discardAfter);
            }

            var segment = OpenSegment(path, first, bytes);
            expected = Count(Health, segment, bytes, stretches, expected, visit);
            NoteOverwriting(segment, bytes, stretches);
        }

        LastSequence = expected - 1;
        FinishOverwriting();
    }

    private void FinishOverwriting()
    {
        var unfinished = _bodyDamaged.FindAll(location => _overwritten.Contains(location.Sequence));
        if (unfinished.Count > 0)
        {
            OverwriteNamed(unfinished);
            unfinished.ForEach(location => Health.Heal(location.Sequence));
        }

        _bodyDamaged.Clear();
        _overwritten.Clear();
    }

    private void NoteOverwriting(JournalSegment segment, byte[] bytes, List<ScannedStretch> stretches)
    {
        foreach (var stretch in stretches)
        {
            var bodyLength = stretch.Length - JournalFormat.FrameHeaderSize;
            if (stretch.State is StretchState.BodyDamaged)
            {
                _bodyDamaged.Add(new(segment, stretch.Offset, bodyLength, stretch.Sequence));
            }
            else if (stretch.State is StretchState.Sound
                && bytes[stretch.Offset + JournalFormat.FrameHeaderSize] == (byte)RecordKind.Overwriting)
            {
                var numbers = bytes.AsSpan(
                    stretch.Offset + JournalFormat.FrameHeaderSize + JournalFormat.HeadSize,
                    bodyLength - JournalFormat.HeadSize);
                for (; numbers.Length >= sizeof(long); numbers = numbers[sizeof(long)..])
                {
                    _overwritten.Add(BinaryPrimitives.ReadInt64LittleEndian(numbers));
                }
            }
        }
    }

    private List<(string Path, long First)> Candidates()
    {
        var found = new List<(string Path, long First)>();
        foreach (var path in _files.ListFiles(_folder))
        {
            if (JournalSegment.TryFirstSequence(path, out var first))
            {
                found.Add((path, first));
            }
            else if (path.EndsWith(WholeFile.Unfinished, StringComparison.Ordinal))
            {
                _files.Delete(path);
            }
        }

        return found;
    }

    private static void RefuseNewer(string path, byte[] bytes)
    {
        if (JournalFormat.TryReadSegmentHeader(bytes, out var schema, out _) && schema > JournalFormat.Schema)
        {
            throw LogTooNewException.Of(Path.GetFileName(path), schema, JournalFormat.Schema);
        }
    }

    private byte[] RepairEnd(
        string path, byte[] bytes, ref List<ScannedStretch> stretches, long expected, long discardAfter)
    {
        var refused = stretches.FindIndex(stretch => stretch.Sequence > discardAfter);
        if (refused >= 0)
        {
            bytes = bytes[..stretches[refused].Offset];
            Cut(path, bytes.Length);
            stretches = stretches[..refused];
        }

        if (JournalTail.Of(bytes, stretches, expected) is not { } tail)
        {
            return bytes;
        }

        Health.TornBytes += bytes.Length - tail.Keep - tail.Rebuilt.Length;
        Health.TornRecords += tail.TornRecords;
        if (tail.Rebuilt.Length == 0)
        {
            Cut(path, tail.Keep);
            bytes = bytes[..tail.Keep];
        }
        else
        {
            bytes = [.. bytes.AsSpan(0, tail.Keep), .. tail.Rebuilt];
            _files.Write(path, bytes);
        }

        stretches = JournalScan.Read(bytes);
        return bytes;
    }

    private void Cut(string path, int length)
    {
        using var file = _files.Open(path, FileUse.ReadWrite);
        file.SetLength(length);
        file.Flush();
    }

    private JournalSegment OpenSegment(string path, long first, byte[] bytes)
    {
        var segment = new JournalSegment(path, first, _files.Open(path, FileUse.ReadWrite));
        _segments = [.. _segments, segment];
        segment.Committed = bytes.Length;
        if (!JournalFormat.TryReadSegmentHeader(bytes, out _, out var named) || named != first)
        {
            Health.DamagedHeaders++;
            Span<byte> header = stackalloc byte[JournalFormat.SegmentHeaderSize];
            JournalFormat.WriteSegmentHeader(header, first);
            segment.File.Write(0, header);
            segment.File.Flush();
            segment.Committed = Math.Max(segment.Committed, JournalFormat.SegmentHeaderSize);
        }

        return segment;
    }

    private void CoverLoss(long acknowledged)
    {
        if (acknowledged <= LastSequence)
        {
            return;
        }

        // Records acknowledged before an orderly end are gone: their numbers are not given out again, and the gap shows.
        Health.Damaged.Add(new(LastSequence + 1, acknowledged));
        LastSequence = acknowledged;
    }
}
