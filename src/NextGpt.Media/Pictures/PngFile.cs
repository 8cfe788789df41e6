using System.Buffers.Binary;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Pictures;

/// <summary>The chunks of a PNG file, read without decoding; ISO/IEC 15948.</summary>
internal static class PngFile
{
    private const int SignatureLength = 8;

    /// <summary>Size and orientation, once every chunk was found to lie inside the file.</summary>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static PictureHeader Inspect(ReadOnlySpan<byte> file, string subject)
    {
        PictureHeader? header = null;
        var (orientation, hasPixels) = (1, false);
        for (var at = SignatureLength; ;)
        {
            var chunk = ChunkAt(file, at, subject);
            var body = chunk[8..^4];
            if (header is null && !IsType(chunk, "IHDR"u8))
            {
                throw Refusal.Corrupt(subject, "it does not begin with its header");
            }

            if (IsType(chunk, "IHDR"u8))
            {
                header = header is null && body.Length == 13 ? HeaderOf(body, subject)
                    : throw Refusal.Corrupt(subject, "its header is not that of a PNG file");
            }
            else if (IsType(chunk, "eXIf"u8))
            {
                orientation = ExifOrientation.Read(body);
            }

            hasPixels |= IsType(chunk, "IDAT"u8);
            at += chunk.Length;
            if (IsType(chunk, "IEND"u8))
            {
                return header is { } whole && hasPixels ? whole with { Orientation = orientation }
                    : throw Refusal.Corrupt(subject, "it has no pixels");
            }
        }
    }

    /// <summary>A file of the chunks alone that pixels are made of; comments, profiles, animation and what follows the end are gone.</summary>
    public static byte[] Essential(ReadOnlySpan<byte> file, string subject)
    {
        var kept = new MemoryStream(file.Length);
        kept.Write(file[..SignatureLength]);
        for (var at = SignatureLength; ;)
        {
            var chunk = ChunkAt(file, at, subject);
            at += chunk.Length;
            if (IsType(chunk, "IHDR"u8) || IsType(chunk, "PLTE"u8) || IsType(chunk, "tRNS"u8) || IsType(chunk, "IDAT"u8))
            {
                kept.Write(chunk);
            }
            else if (IsType(chunk, "IEND"u8))
            {
                kept.Write(chunk);
                return kept.ToArray();
            }
        }
    }

    /// <summary>One chunk whole: length, type, body, check sum.</summary>
    internal static ReadOnlySpan<byte> ChunkAt(ReadOnlySpan<byte> file, int at, string subject)
    {
        var rest = file[at..];
        if (rest.Length < 12)
        {
            throw Refusal.EndsEarly(subject, file.Length, 0);
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        return length <= rest.Length - 12 ? rest[..(int)(length + 12)]
            : length <= int.MaxValue ? throw Refusal.EndsEarly(subject, file.Length, at + length + 12L)
            : throw Refusal.Corrupt(subject, "a chunk says it is longer than a PNG file can be");
    }

    internal static bool IsType(ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> type) => chunk[4..8].SequenceEqual(type);

    private static PictureHeader HeaderOf(ReadOnlySpan<byte> body, string subject)
    {
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
        return width is 0 or > int.MaxValue || height is 0 or > int.MaxValue
            ? throw Refusal.Corrupt(subject, "its size makes no sense")
            : new PictureHeader((int)width, (int)height, 1);
    }
}
