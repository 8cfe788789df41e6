using System.Buffers.Binary;
using NextGpt.Media.Pictures;

namespace NextGpt.Media.Marks;

/// <summary>Where an XMP packet lies in a file, per format.</summary>
internal static class XmpPlaces
{
    private const string Subject = "The file";
    private const int PngHeaderEnd = 8 + 25;
    private const byte WebPAlphaFlag = 0x10, WebPXmpFlag = 0x04;
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>Keyword and the five bytes after it: no compression, no language, no translation.</summary>
    private static ReadOnlySpan<byte> PngHead => "iTXtXML:com.adobe.xmp\0\0\0\0\0"u8;

    private static ReadOnlySpan<byte> GifHead =>
        [0x21, 0xFF, 11, (byte)'X', (byte)'M', (byte)'P', (byte)' ', (byte)'D', (byte)'a', (byte)'t', (byte)'a', (byte)'X', (byte)'M', (byte)'P'];

    private static ReadOnlySpan<byte> Mp4Id =>
        [0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC];

    public static byte[] IntoPng(ReadOnlySpan<byte> file, ReadOnlySpan<byte> packet)
    {
        byte[] body = [.. PngHead, .. packet];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length - 4);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc(body));
        return [.. file[..PngHeaderEnd], .. chunk, .. file[PngHeaderEnd..]];
    }

    public static ReadOnlySpan<byte> InPng(ReadOnlySpan<byte> file)
    {
        for (var at = 8; at < file.Length;)
        {
            var chunk = PngFile.ChunkAt(file, at, Subject);
            if (chunk[4..].StartsWith(PngHead))
            {
                return chunk[(4 + PngHead.Length)..^4];
            }

            if (PngFile.IsType(chunk, "IEND"u8))
            {
                break;
            }

            at += chunk.Length;
        }

        return [];
    }

    public static byte[] IntoWebP(ReadOnlySpan<byte> file, ReadOnlySpan<byte> packet)
    {
        var whole = new MemoryStream(file.Length + packet.Length + 32);
        whole.Write(file[..12]);
        if (file[12..].StartsWith("VP8X"u8))
        {
            whole.Write(file[12..]);
            whole.GetBuffer()[20] |= WebPXmpFlag;
        }
        else
        {
            var header = WebPFile.Inspect(file.ToArray(), Subject).Header;
            var isLossless = file[12..].StartsWith("VP8L"u8);
            Span<byte> extended = [.. "VP8X"u8, 10, 0, 0, 0, (byte)(WebPXmpFlag | (isLossless ? WebPAlphaFlag : 0)), .. new byte[9]];
            BinaryPrimitives.WriteInt32LittleEndian(extended[12..], header.Width - 1);
            BinaryPrimitives.WriteUInt16LittleEndian(extended[15..], (ushort)(header.Height - 1));
            whole.Write(extended);
            whole.Write(file[12..]);
        }

        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, packet.Length);
        whole.Write("XMP "u8);
        whole.Write(length);
        whole.Write(packet);
        if (packet.Length % 2 == 1)
        {
            whole.WriteByte(0);
        }

        var bytes = whole.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
        return bytes;
    }

    public static ReadOnlySpan<byte> InWebP(ReadOnlySpan<byte> file)
    {
        for (var at = 12L; at + 8 <= file.Length;)
        {
            var rest = file[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length > rest.Length - 8)
            {
                break;
            }

            if (rest.StartsWith("XMP "u8))
            {
                return rest.Slice(8, (int)length);
            }

            at += 8L + length + (length & 1);
        }

        return [];
    }

    /// <remarks>
    /// The packet stands raw in the block; 258 bytes after it ("magic trailer") lead a reader that takes the packet for
    /// sub-blocks from any byte of it to the end.
    /// </remarks>
    public static byte[] IntoGif(ReadOnlySpan<byte> file, ReadOnlySpan<byte> packet)
    {
        var head = 13 + ((file[10] & 0x80) == 0 ? 0 : 3 << ((file[10] & 7) + 1));
        var trailer = new byte[258];
        trailer[0] = 1;
        for (var i = 1; i <= 256; i++)
        {
            trailer[i] = (byte)(256 - i);
        }

        return ["GIF89a"u8[0], .. "IF89a"u8, .. file[6..head], .. GifHead, .. packet, .. trailer, .. file[head..]];
    }

    public static ReadOnlySpan<byte> InGif(ReadOnlySpan<byte> file)
    {
        var start = file.IndexOf(GifHead);
        if (start < 0)
        {
            return [];
        }

        var rest = file[(start + GifHead.Length)..];
        var end = rest.IndexOf((ReadOnlySpan<byte>)[1, 0xFF, 0xFE, 0xFD]);
        return end < 0 ? [] : rest[..end];
    }

    public static byte[] IntoMp4(ReadOnlySpan<byte> file, ReadOnlySpan<byte> packet)
    {
        var head = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, 8 + Mp4Id.Length + packet.Length);
        "uuid"u8.CopyTo(head.AsSpan(4));
        return [.. file, .. head, .. Mp4Id, .. packet];
    }

    public static ReadOnlySpan<byte> InMp4(ReadOnlySpan<byte> file)
    {
        for (var rest = file; rest.Length >= 8;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length == 1 && rest.Length >= 16)
            {
                length = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(rest[8..]), long.MaxValue);
            }

            if (length < 8 || length > rest.Length)
            {
                break;
            }

            var box = rest[..(int)length];
            if (box.Length > 24 && box[4..8].SequenceEqual("uuid"u8) && box[8..24].SequenceEqual(Mp4Id))
            {
                return box[24..];
            }

            rest = rest[(int)length..];
        }

        return [];
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1;
            }

            table[i] = crc;
        }

        return table;
    }
}
