using System.Buffers.Binary;

namespace NextGpt.Model.Tests.Weights;

/// <summary>Rewrites a small archive with the directory records that large ones have.</summary>
internal static class Zip64
{
    public static byte[] Of(byte[] zip)
    {
        var end = zip.Length - 22;
        var count = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(end + 10));
        var start = BinaryPrimitives.ReadInt32LittleEndian(zip.AsSpan(end + 16));
        var stream = new MemoryStream();
        stream.Write(zip.AsSpan(0, start));
        for (int i = 0, at = start; i < count; i++)
        {
            var record = zip.AsSpan(at, 46).ToArray();
            var name = BinaryPrimitives.ReadUInt16LittleEndian(record.AsSpan(28));
            var extra = BinaryPrimitives.ReadUInt16LittleEndian(record.AsSpan(30));
            var field = new byte[28];
            BinaryPrimitives.WriteUInt16LittleEndian(field, 1);
            BinaryPrimitives.WriteUInt16LittleEndian(field.AsSpan(2), 24);
            BinaryPrimitives.WriteInt64LittleEndian(field.AsSpan(4), BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(24)));
            BinaryPrimitives.WriteInt64LittleEndian(field.AsSpan(12), BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(20)));
            BinaryPrimitives.WriteInt64LittleEndian(field.AsSpan(20), BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(42)));
            record.AsSpan(20, 8).Fill(0xFF);
            record.AsSpan(42, 4).Fill(0xFF);
            BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(30), (ushort)field.Length);
            stream.Write(record);
            stream.Write(zip.AsSpan(at + 46, name));
            stream.Write(field);
            at += 46 + name + extra + BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 32));
        }

        var length = stream.Length - start;
        var wide = new byte[56 + 20 + 22];
        BinaryPrimitives.WriteUInt32LittleEndian(wide, 0x06064b50);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(4), 44);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(24), count);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(32), count);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(40), length);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(48), start);
        BinaryPrimitives.WriteUInt32LittleEndian(wide.AsSpan(56), 0x07064b50);
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(64), start + length);
        BinaryPrimitives.WriteInt32LittleEndian(wide.AsSpan(72), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(wide.AsSpan(76), 0x06054b50);
        wide.AsSpan(84, 12).Fill(0xFF);
        stream.Write(wide);
        return stream.ToArray();
    }
}
