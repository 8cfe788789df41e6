using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Journals;

/// <summary>
/// Copies the records that still mean something into a new folder, under their old numbers. Runs of void and lost records
/// become one void record each, so that the numbers stay without gaps.
/// </summary>
internal static class JournalCopy
{
    private const int FlushBytes = 4 * 1024 * 1024;

    /// <summary>Copies and reads the copy again.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="files">Where to.</param>
    /// <param name="folder">Full path of the new folder; whatever is in it goes.</param>
    /// <returns>Records copied, and damaged ones that could not be.</returns>
    /// <exception cref="IOException">The copy does not read back equal.</exception>
    public static (long Records, long Lost) Write(Journal source, IFileLayer files, string folder)
    {
        files.DeleteFolder(folder);
        files.CreateFolder(folder);
        files.FlushFolder(Path.GetDirectoryName(folder)!);   // callers pass full paths
        var damaged = source.Check().Damaged;
        using var writer = new Writer(files, folder, damaged);
        source.Check((in head, location, content) =>
        {
            if (head.Kind is not RecordKind.Overwriting)   // what it names is void in the copy anyway
            {
                writer.Record(location.Sequence, head, content);
            }
        });
        writer.Finish(source.LastSequence);

        uint read = 0;
        long records = 0;
        using var copy = Journal.Open(files, folder, (in head, location, content) =>
        {
            read = Sum(read, location.Sequence, head, content);
            records++;
        });
        if (read != writer.Sum || records != writer.Records || copy.LastSequence != source.LastSequence)
        {
            throw new IOException("The copy of the journal does not read back equal; the old one stays in force.");
        }

        return (records, damaged.Sum(range => range.Last - range.First + 1));
    }

    private static uint Sum(uint before, long sequence, in RecordHead head, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[16];
        BitConverter.TryWriteBytes(number, sequence);
        BitConverter.TryWriteBytes(number[8..], head.UtcTicks ^ (int)head.Kind);
        return JournalFormat.Crc(content, JournalFormat.Crc(number, before));
    }

    private sealed class Writer(IFileLayer files, string folder, List<DamagedRange> damaged) : IDisposable
    {
        private readonly MemoryStream _buffer = new();
        private IOpenFile? _file;
        private long _written;
        private long _next = 1;

        public uint Sum { get; private set; }

        public long Records { get; private set; }

        public void Record(long sequence, in RecordHead head, ReadOnlySpan<byte> content)
        {
            Gap(sequence);
            Begin(sequence);
            var frame = new byte[JournalFormat.FrameSize(content.Length)];
            JournalFormat.WriteFrame(frame, sequence, sequence, new(head, content.ToArray()));
            Put(frame);
            Sum = JournalCopy.Sum(Sum, sequence, head, content);
            Records++;
            _next = sequence + 1;
        }

        public void Finish(long lastSequence)
        {
            Gap(lastSequence + 1);
            Close();
            files.FlushFolder(folder);
        }

        public void Dispose() => _file?.Dispose();

        private void Gap(long until)
        {
            while (_next < until)
            {
                var (from, isLost) = (_next, false);
                var to = until - 1;
                foreach (var range in damaged)
                {
                    if (range.First <= from && from <= range.Last)
                    {
                        (to, isLost) = (Math.Min(to, range.Last), true);
                        break;
                    }

                    if (range.First > from)
                    {
                        to = Math.Min(to, range.First - 1);
                        break;
                    }
                }

                Begin(from);
                Put(JournalTail.VoidFrame(
                    to, to, to - from + 1, isLost ? RecordFlags.WasDamaged : RecordFlags.None));
                _next = to + 1;
            }
        }

        private void Begin(long first)
        {
            if (_file is not null && _written + _buffer.Length < Journal.DefaultSegmentBytes)
            {
                return;
            }

            Close();
            _file = files.Open(Path.Combine(folder, JournalSegment.NameOf(first)), FileUse.CreateNew);
            var header = new byte[JournalFormat.SegmentHeaderSize];
            JournalFormat.WriteSegmentHeader(header, first);
            _buffer.Write(header);
        }

        private void Put(byte[] frame)
        {
            _buffer.Write(frame);
            if (_buffer.Length >= FlushBytes)
            {
                Spill();
            }
        }

        private void Spill()
        {
            _file!.Write(_written, _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length));   // open: Begin came first
            _written += _buffer.Length;
            _buffer.SetLength(0);
        }

        private void Close()
        {
            if (_file is null)
            {
                return;
            }

            Spill();
            _file.Flush();
            _file.Dispose();
            (_file, _written) = (null, 0);
        }
    }
}
