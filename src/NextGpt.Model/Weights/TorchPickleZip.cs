using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace NextGpt.Model.Weights;

/// <summary>The directory of a zip archive as torch writes it since 1.6; nothing is ever unpacked to the disk.</summary>
/// <remarks>
/// Zip, zip64, entries stored or deflated. Sizes and places are checked against the file when it is opened; entries may not lie
/// on one another, and a deflated entry may not grow out of proportion. Source: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5.
/// </remarks>
internal sealed class TorchPickleZip
{
    private const int MaxEntries = 2 * SafetensorsHeader.MaxTensors;
    private const int MaxDirectoryBytes = 64 * 1024 * 1024;
    private const long FreeGrowth = 64 * 1024 * 1024;
    private const int MaxGrowth = 100;
    private const int MaxInflatedBytes = 2_000_000_000;

    private readonly MappedFile _file;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private TorchPickleZip(MappedFile file) => _file = file;

    /// <summary>All entries by their full name.</summary>
    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    /// <summary>Reads the directory.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or uses what is not read.</exception>
    public static TorchPickleZip Open(MappedFile file)
    {
        var zip = new TorchPickleZip(file);
        var (start, length, count) = zip.FindDirectory();
        zip.ReadDirectory(file.Bytes(start, length), count, start);
        zip.CheckOverlap(start);
        return zip;
    }

    /// <summary>The unpacked bytes of an entry.</summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    /// <param name="most">Refused if it has more.</param>
    public byte[] Bytes(Entry entry, int most)
    {
        if (entry.Length > most)
        {
            throw Bad($"'{TorchTensorBuilder.Shown(entry.Name)}' has {entry.Length} bytes, at most {most} are accepted");
        }

        if (!entry.Deflated)
        {
            return _file.Bytes(entry.Start, (int)entry.Length);
        }

        using var packed = new MemoryStream(_file.Bytes(entry.Start, checked((int)entry.PackedLength)));
        using var inflate = new DeflateStream(packed, CompressionMode.Decompress);
        var bytes = new byte[entry.Length];
        try
        {
            inflate.ReadExactly(bytes);
            return inflate.ReadByte() < 0 ? bytes : throw Bad($"'{TorchTensorBuilder.Shown(entry.Name)}' is longer than it says");
        }
        catch (Exception broken) when (broken is EndOfStreamException
            || (broken is InvalidDataException && !broken.Message.StartsWith(_file.Path, StringComparison.Ordinal)))
        {
            throw new InvalidDataException(
                $"{_file.Path}: '{TorchTensorBuilder.Shown(entry.Name)}' cannot be inflated; the file is damaged, fetch it again.", broken);
        }
    }

    private (long Start, int Length, int Count) FindDirectory()
    {
        const int EndBytes = 22;
        var tailLength = (int)Math.Min(_file.Length, EndBytes + 65_535);
        var tailStart = _file.Length - tailLength;
        var tail = _file.Bytes(tailStart, tailLength);
        for (var at = tailLength - EndBytes; at >= 0; at--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at)) != 0x06054b50
                || BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(at + 20)) != tailLength - at - EndBytes)
            {
                continue;
            }

            var end = tail.AsSpan(at);
            long count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
            long length = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]);
            long start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
            if (count == 0xFFFF || length == 0xFFFFFFFF || start == 0xFFFFFFFF)
            {
                (start, length, count) = FindWideDirectory(tailStart + at);
            }

            if (count is < 1 or > MaxEntries || length is < 46 or > MaxDirectoryBytes || start < 0 || start > _file.Length - length)
            {
                throw Bad($"its directory claims {count} entries in {length} bytes at {start}");
            }

            return (start, (int)length, (int)count);
        }

        throw Bad("it has no directory at its end (cut short?)");
    }

    private (long Start, long Length, long Count) FindWideDirectory(long end)
    {
        if (end < 20)
        {
            throw Bad("its zip64 directory is missing");
        }

        var locator = _file.Bytes(end - 20, 20);
        var at = BinaryPrimitives.ReadInt64LittleEndian(locator.AsSpan(8));
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != 0x07064b50 || at < 0 || at > end - 56)
        {
            throw Bad("its zip64 directory is missing");
        }

        var wide = _file.Bytes(at, 56);
        return BinaryPrimitives.ReadUInt32LittleEndian(wide) == 0x06064b50
            ? (BinaryPrimitives.ReadInt64LittleEndian(wide.AsSpan(48)),
                BinaryPrimitives.ReadInt64LittleEndian(wide.AsSpan(40)),
                BinaryPrimitives.ReadInt64LittleEndian(wide.AsSpan(32)))
            : throw Bad("its zip64 directory is missing");
    }

    private void ReadDirectory(byte[] directory, int count, long directoryStart)
    {
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            if (at > directory.Length - 46 || BinaryPrimitives.ReadUInt32LittleEndian(directory.AsSpan(at)) != 0x02014b50)
            {
                throw Bad($"entry {i} of its directory is damaged");
            }

            var record = directory.AsSpan(at);
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]);
            var extraLength = BinaryPrimitives.ReadUInt16LittleEndian(record[30..]);
            var commentLength = BinaryPrimitives.ReadUInt16LittleEndian(record[32..]);
            if (46 + nameLength + extraLength + commentLength > record.Length)
            {
                throw Bad($"entry {i} of its directory leaves the directory");
            }

            var name = Encoding.UTF8.GetString(record.Slice(46, nameLength));
            var entry = ReadEntry(name, record, record.Slice(46 + nameLength, extraLength), directoryStart);
            if (!_entries.TryAdd(name, entry))
            {
                throw Bad($"'{TorchTensorBuilder.Shown(name)}' is in it twice");
            }

            at += 46 + nameLength + extraLength + commentLength;
        }
    }

    private Entry ReadEntry(string name, ReadOnlySpan<byte> record, ReadOnlySpan<byte> extra, long directoryStart)
    {
        if (name.Length is 0 or > 512 || name[0] == '/' || name.Contains('\\', StringComparison.Ordinal)
            || name.Any(char.IsControl) || name.Split('/').Any(part => part is "." or ".."))
        {
            throw Bad($"an entry is called '{TorchTensorBuilder.Shown(name)}', which no checkpoint has");
        }

        if ((BinaryPrimitives.ReadUInt16LittleEndian(record[8..]) & 0x2041) != 0)
        {
            throw Bad($"'{TorchTensorBuilder.Shown(name)}' is encrypted");
        }

        var method = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        if (method is not (0 or 8))
        {
            throw Bad($"'{TorchTensorBuilder.Shown(name)}' is packed with method {method}; stored (0) and deflated (8) are read");
        }

        long packed = BinaryPrimitives.ReadUInt32LittleEndian(record[20..]);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(record[24..]);
        long header = BinaryPrimitives.ReadUInt32LittleEndian(record[42..]);
        Widen(extra, ref length, ref packed, ref header);
        if (header < 0 || packed < 0 || length < 0 || header > directoryStart - 30)
        {
            throw Bad($"'{TorchTensorBuilder.Shown(name)}' lies outside the file");
        }

        var local = _file.Bytes(header, 30);
        var start = header + 30 + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26))
            + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
        if (BinaryPrimitives.ReadUInt32LittleEndian(local) != 0x04034b50 || start > directoryStart - packed
            || BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(8)) != method)
        {
            throw Bad($"'{TorchTensorBuilder.Shown(name)}' is not where the directory says");
        }

        var believable = method == 0
            ? length == packed
            : length <= MaxInflatedBytes && length <= Math.Max(FreeGrowth, packed * MaxGrowth);
        return believable
            ? new Entry(name, header, start, packed, length, method == 8)
            : throw Bad($"'{TorchTensorBuilder.Shown(name)}' claims to grow from {packed} to {length} bytes");
    }

    /// <summary>The zip64 extra field has those of the three numbers that did not fit, in this order.</summary>
    private static void Widen(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long header)
    {
        while (extra.Length >= 4)
        {
            int size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4)
            {
                return;
            }

            var field = extra.Slice(4, size);
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1)
            {
                length = Next(ref field, length);
                packed = Next(ref field, packed);
                header = Next(ref field, header);
                return;
            }

            extra = extra[(4 + size)..];
        }

        static long Next(ref ReadOnlySpan<byte> field, long narrow)
        {
            if (narrow != 0xFFFFFFFF || field.Length < 8)
            {
                return narrow;
            }

            var wide = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
            return wide;
        }
    }

    private void CheckOverlap(long directoryStart)
    {
        long reached = 0;
        foreach (var entry in _entries.Values.OrderBy(entry => entry.Header))
        {
            if (entry.Header < reached)
            {
                throw Bad($"'{TorchTensorBuilder.Shown(entry.Name)}' lies on another entry");
            }

            reached = entry.Start + entry.PackedLength;
        }

        if (reached > directoryStart)
        {
            throw Bad("an entry lies on its directory");
        }
    }

    private InvalidDataException Bad(string problem) =>
        new($"{_file.Path}: {problem}; the file is damaged or is no checkpoint of torch.");

    /// <summary>One file in the archive.</summary>
    /// <param name="Name">Full name.</param>
    /// <param name="Header">Where its local header begins.</param>
    /// <param name="Start">First byte of its content.</param>
    /// <param name="PackedLength">Bytes in the archive.</param>
    /// <param name="Length">Bytes unpacked.</param>
    /// <param name="Deflated">Whether it is packed.</param>
    internal sealed record Entry(string Name, long Header, long Start, long PackedLength, long Length, bool Deflated);
}
