using System.Buffers.Binary;
using System.IO.Compression;

namespace NextGpt.Bots.Teams.AppPackage;

/// <summary>Draws the two icons: a speech bubble with three dots, on blue, and as a white outline on nothing.</summary>
internal static class IconDrawing
{
    private const int Samples = 4;   // a side, per pixel
    private static readonly double[] Centres = [0.33, 0.5, 0.67];

    /// <summary>192 x 192 pixels, PNG.</summary>
    public static byte[] Color() => Draw(192, static (x, y) =>
        Bubble(x, y, 0) ? Dots(x, y) ? (43, 76, 126, 255) : (255, 255, 255, 255) : (43, 76, 126, 255));

    /// <summary>32 x 32 pixels, white on transparent, PNG.</summary>
    public static byte[] Outline() => Draw(32, static (x, y) =>
        (Bubble(x, y, 0) && !Bubble(x, y, 0.06)) || Dots(x, y) ? (255, 255, 255, 255) : (255, 255, 255, 0));

    /// <summary>Whether a point (0 to 1) lies in the bubble, made smaller on every side.</summary>
    private static bool Bubble(double x, double y, double inset)
    {
        const double radius = 0.16;
        var (left, right, top, bottom) = (0.14 + inset, 0.86 - inset, 0.2 + inset, 0.7 - inset);
        var round = Math.Max(0.02, radius - inset);
        var (dx, dy) = (
            Math.Max(Math.Max(left + round - x, x - right + round), 0), Math.Max(Math.Max(top + round - y, y - bottom + round), 0));
        var tail = y >= bottom - 0.02 && y <= 0.86 - (2 * inset) && x >= 0.3 + inset && x <= 0.3 + ((0.86 - y) * 1.1) - inset;
        return tail || (dx * dx) + (dy * dy) <= round * round;
    }

    private static bool Dots(double x, double y) => Centres.Any(
        centre => ((x - centre) * (x - centre)) + ((y - 0.45) * (y - 0.45)) <= 0.05 * 0.05);

    private static byte[] Draw(int size, Func<double, double, (int Red, int Green, int Blue, int Alpha)> colour)
    {
        var rows = new byte[size * ((4 * size) + 1)];   // a filter byte (0, none), then red, green, blue, alpha
        Span<int> sum = stackalloc int[4];
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                sum.Clear();
                for (var sample = 0; sample < Samples * Samples; sample++)
                {
                    var point = colour(
                        (x + ((sample % Samples) + 0.5) / Samples) / size, (y + ((sample / Samples) + 0.5) / Samples) / size);
                    sum[0] += point.Red;
                    sum[1] += point.Green;
                    sum[2] += point.Blue;
                    sum[3] += point.Alpha;
                }

                for (var channel = 0; channel < 4; channel++)
                {
                    rows[(y * ((4 * size) + 1)) + 1 + (4 * x) + channel] = (byte)(sum[channel] / (Samples * Samples));
                }
            }
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(rows);
        }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, size);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), size);
        header[8] = 8;   // bits
        header[9] = 6;   // red, green, blue, alpha
        return
        [
            0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, packed.ToArray()),
            .. Chunk("IEND"u8, []),
        ];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] data)
    {
        byte[] body = [.. name, .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc(body));
        return chunk;
    }

    /// <summary>The checksum of PNG (ISO 15948, annex D).</summary>
    private static uint Crc(byte[] bytes)
    {
        var crc = 0xFFFF_FFFFu;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB8_8320u : crc >> 1;
            }
        }

        return ~crc;
    }
}
