using System.Buffers.Binary;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Pictures;

/// <summary>The segments of a JPEG file, read without decoding; ITU-T T.81.</summary>
internal static class JpegFile
{
    /// <summary>A progressive file has about ten scans; thousands of empty ones are a known way to keep a decoder busy.</summary>
    private const int MostScans = 100;

    /// <summary>Size and orientation, once the end of the picture was found.</summary>
    /// <exception cref="MediaException">It is damaged, or of a kind that is not read.</exception>
    public static PictureHeader Inspect(ReadOnlySpan<byte> file, string subject)
    {
        var header = default(PictureHeader);
        var (orientation, scans) = (1, 0);
        for (var at = 2; ;)
        {
            at += Fill(file[at..]);
            var segment = SegmentAt(file, at, subject);
            at += segment.Length;
            var marker = Marker(segment);
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    header = header == default ? FrameOf(segment, subject) : throw Refusal.Corrupt(subject, "it holds two pictures");
                    break;
                case >= 0xC3 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC):
                    throw Refusal.Unsupported("This way of compressing JPEG", "baseline or progressive JPEG, PNG or WebP");
                case 0xE1 when segment[4..].StartsWith("Exif\0\0"u8):
                    orientation = ExifOrientation.Read(segment[10..]);
                    break;
                case 0xDA:
                    if (header == default || ++scans > MostScans)
                    {
                        throw Refusal.Corrupt(subject, scans > MostScans ? "it has too many scans" : "its pixels come before its size");
                    }

                    at += ScanLength(file[at..]);
                    break;
                case 0xD9:
                    return scans > 0 ? header with { Orientation = orientation }
                        : throw Refusal.Corrupt(subject, "it has no pixels");
            }
        }
    }

    /// <summary>A file of the segments alone that pixels are made of; EXIF, profiles, thumbnails and what follows the end are gone.</summary>
    public static byte[] Essential(ReadOnlySpan<byte> file, string subject)
    {
        var kept = new MemoryStream(file.Length);
        kept.Write(file[..2]);
        for (var at = 2; ;)
        {
            at += Fill(file[at..]);
            var segment = SegmentAt(file, at, subject);
            at += segment.Length;
            switch (Marker(segment))
            {
                case 0xDA:
                    var scan = ScanLength(file[at..]);
                    kept.Write(segment);
                    kept.Write(file.Slice(at, scan));
                    at += scan;
                    break;
                case 0xD9:
                    kept.Write(segment);
                    return kept.ToArray();
                case 0xC0 or 0xC1 or 0xC2 or 0xC4 or 0xDB or 0xDD:   // frame, Huffman and quantisation tables, restarts
                case 0xEE when segment[4..].StartsWith("Adobe"u8):   // tells YCbCr, RGB and CMYK apart
                    kept.Write(segment);
                    break;
                case 0xE0 when segment[4..].StartsWith("JFIF\0"u8) && segment.Length >= 18:
                    kept.Write([0xFF, 0xE0, 0, 16]);
                    kept.Write(segment[4..16]);
                    kept.Write([0, 0]);                              // without its thumbnail
                    break;
            }
        }
    }

    private static byte Marker(ReadOnlySpan<byte> segment) => segment[1];

    /// <summary>Fill bytes before a marker; any number of 0xFF is allowed there.</summary>
    private static int Fill(ReadOnlySpan<byte> rest)
    {
        var next = rest.IndexOfAnyExcept((byte)0xFF);
        return next > 1 ? next - 1 : 0;
    }

    /// <summary>One segment whole: marker, length, body.</summary>
    private static ReadOnlySpan<byte> SegmentAt(ReadOnlySpan<byte> file, int at, string subject)
    {
        var rest = file[at..];
        if (rest.Length < 2)
        {
            throw Refusal.EndsEarly(subject, file.Length, 0);
        }

        if (rest[0] != 0xFF || rest[1] is 0x00 or 0xFF)
        {
            throw Refusal.Corrupt(subject, "bytes stand where a segment should begin");
        }

        if (rest[1] == 0xD9)
        {
            return rest[..2];
        }

        if (rest.Length < 4)
        {
            throw Refusal.EndsEarly(subject, file.Length, 0);
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 2;
        return length < 4 ? throw Refusal.Corrupt(subject, "a segment is shorter than its own length")
            : length > rest.Length ? throw Refusal.EndsEarly(subject, file.Length, at + (long)length)
            : rest[..length];
    }

    /// <summary>Bytes of compressed pixels up to the next marker that is neither a restart nor fill.</summary>
    private static int ScanLength(ReadOnlySpan<byte> rest)
    {
        for (var at = 0; ;)
        {
            var next = rest[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 1 >= rest.Length)
            {
                return rest.Length;
            }

            at += next;
            if (rest[at + 1] is not (0x00 or 0xFF or (>= 0xD0 and <= 0xD7)))
            {
                return at;
            }

            at += rest[at + 1] == 0xFF ? 1 : 2;
        }
    }

    private static PictureHeader FrameOf(ReadOnlySpan<byte> segment, string subject)
    {
        if (segment.Length < 10)
        {
            throw Refusal.Corrupt(subject, "its frame header is too short");
        }

        if (segment[4] != 8)
        {
            throw Refusal.Unsupported($"JPEG with {segment[4]} bits a colour", "one with 8");
        }

        int height = BinaryPrimitives.ReadUInt16BigEndian(segment[5..]);
        int width = BinaryPrimitives.ReadUInt16BigEndian(segment[7..]);
        return width == 0 || height == 0 || segment[9] is not (1 or 3 or 4)
            ? throw Refusal.Corrupt(subject, "its size or its number of colours makes no sense")
            : new PictureHeader(width, height, 1);
    }
}
