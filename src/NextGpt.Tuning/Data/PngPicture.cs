using System.Buffers.Binary;
using System.IO.Compression;

namespace NextGpt.Tuning.Data;

/// <summary>The pictures of the training world: PNG with eight bits a channel, read and written without a codec library.</summary>
/// <remarks>
/// Only what the world's recipe writes is read: RGB or RGBA, not interlaced. Pictures of people go through the media
/// project, never through this type. W3C PNG specification, third edition, sections 9 and 11.
/// </remarks>
public static class PngPicture
{
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>Reads a file as RGBA.</summary>
    /// <param name="file">Path of the file.</param>
    /// <returns>Width and height in pixels and width * height * 4 bytes, row by row.</returns>
    /// <exception cref="InvalidDataException">The file is not such a PNG.</exception>
    public static (int Width, int Height, byte[] Rgba) Read(string file)
    {
        var data = File.ReadAllBytes(file).AsSpan();
        if (data.Length < 33 || !data[..8].SequenceEqual(Signature))
        {
            throw new InvalidDataException($"{file} is not a PNG.");
        }

        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data[16..]), BinaryPrimitives.ReadInt32BigEndian(data[20..]));
        var (depth, colour, interlaced) = (data[24], data[25], data[28]);
        if (depth != 8 || colour is not (2 or 6) || interlaced != 0 || width is < 1 or > 8_192 || height is < 1 or > 8_192)
        {
            throw new InvalidDataException(
                $"{file}: only RGB and RGBA pictures of 8 bits, not interlaced, up to 8,192 pixels a side are read here.");
        }

        using var packed = new MemoryStream();
        for (var at = 8; at + 12 <= data.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(data[at..]);
            if (length < 0 || at + 12 + (long)length > data.Length)
            {
                throw new InvalidDataException($"{file} is cut short.");
            }

            if (data.Slice(at + 4, 4).SequenceEqual("IDAT"u8))
            {
                packed.Write(data.Slice(at + 8, length));
            }

            at += 12 + length;
        }

        packed.Position = 0;
        var channels = colour == 6 ? 4 : 3;
        var rows = new byte[height * ((width * channels) + 1)];
        using (var unpacked = new ZLibStream(packed, CompressionMode.Decompress))
        {
            try
            {
                unpacked.ReadExactly(rows);
            }
            catch (EndOfStreamException failure)
            {
                throw new InvalidDataException($"{file} is cut short.", failure);
            }
        }

        Unfilter(file, rows, width * channels, height, channels);
        return (width, height, ToRgba(rows, width, height, channels));
    }

    /// <summary>Writes RGB.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="rgb">width * height * 3 bytes, row by row.</param>
    public static void Write(string file, int width, int height, ReadOnlySpan<byte> rgb)
    {
        if (rgb.Length != width * height * 3)
        {
            throw new ArgumentException($"{width} x {height} pixels need {width * height * 3} bytes; there are {rgb.Length}.", nameof(rgb));
        }

        using var packed = new MemoryStream();
        using (var packer = new ZLibStream(packed, CompressionLevel.Optimal, true))
        {
            for (var row = 0; row < height; row++)
            {
                packer.WriteByte(0);   // no filter
                packer.Write(rgb.Slice(row * width * 3, width * 3));
            }
        }

        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8;
        header[9] = 2;
        using var stream = File.Create(file);
        stream.Write(Signature);
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "IDAT"u8, packed.ToArray());
        WriteChunk(stream, "IEND"u8, []);
    }

    private static void Unfilter(string file, byte[] rows, int stride, int height, int channels)
    {
        for (var row = 0; row < height; row++)
        {
            var start = row * (stride + 1);
            var filter = rows[start];
            for (var i = 0; i < stride; i++)
            {
                var at = start + 1 + i;
                var left = i >= channels ? rows[at - channels] : 0;
                var above = row > 0 ? rows[at - stride - 1] : 0;
                var corner = row > 0 && i >= channels ? rows[at - stride - 1 - channels] : 0;
                rows[at] += filter switch
                {
                    0 => (byte)0,
                    1 => (byte)left,
                    2 => (byte)above,
                    3 => (byte)((left + above) / 2),
                    4 => (byte)Paeth(left, above, corner),
                    _ => throw new InvalidDataException($"{file} has a row with the unknown filter {filter}."),
                };
            }
        }
    }

    private static int Paeth(int left, int above, int corner)
    {
        var guess = left + above - corner;
        var (toLeft, toAbove, toCorner) = (Math.Abs(guess - left), Math.Abs(guess - above), Math.Abs(guess - corner));
        return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }

    private static byte[] ToRgba(byte[] rows, int width, int height, int channels)
    {
        var rgba = new byte[width * height * 4];
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var (from, to) = ((row * ((width * channels) + 1)) + 1 + (column * channels), ((row * width) + column) * 4);
                rows.AsSpan(from, 3).CopyTo(rgba.AsSpan(to));
                rgba[to + 3] = channels == 4 ? rows[from + 3] : (byte)255;
            }
        }

        return rgba;
    }

    private static void WriteChunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(content, Crc(type, 0xFFFFFFFF)));
        stream.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes, uint crc)
    {
        foreach (var value in bytes)
        {
            crc = CrcTable[(crc ^ value) & 0xFF] ^ (crc >> 8);
        }

        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint value = 0; value < 256; value++)
        {
            var crc = value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }

            table[value] = crc;
        }

        return table;
    }
}
