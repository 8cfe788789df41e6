using System.Buffers.Binary;

namespace NextGpt.Media.Pictures;

/// <summary>Reads the one thing of EXIF that the pixels need: how the camera was held.</summary>
/// <remarks>Source: Exif 2.32 (CIPA DC-008), tag 0x0112 in the first directory of the TIFF structure.</remarks>
internal static class ExifOrientation
{
    private const ushort OrientationTag = 0x0112;
    private const ushort ShortType = 3;

    /// <param name="tiff">The TIFF structure, from "II" or "MM".</param>
    /// <returns>1 to 8; 1 where there is none or it makes no sense.</returns>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || (!tiff.StartsWith("II*\0"u8) && !tiff.StartsWith("MM\0*"u8)))
        {
            return 1;
        }

        var isLittle = tiff[0] == (byte)'I';
        var start = Number(tiff[4..], 4, isLittle);
        if (start > (uint)tiff.Length - 2)
        {
            return 1;
        }

        var directory = tiff[(int)start..];
        var count = Number(directory, 2, isLittle);
        directory = directory[2..];
        for (; count > 0 && directory.Length >= 12; count--, directory = directory[12..])
        {
            if (Number(directory, 2, isLittle) == OrientationTag && Number(directory[2..], 2, isLittle) == ShortType)
            {
                var value = Number(directory[8..], 2, isLittle);
                return value is >= 1 and <= 8 ? (int)value : 1;
            }
        }

        return 1;
    }

    private static uint Number(ReadOnlySpan<byte> at, int size, bool isLittle) => (size, isLittle) switch
    {
        (2, true) => BinaryPrimitives.ReadUInt16LittleEndian(at),
        (2, false) => BinaryPrimitives.ReadUInt16BigEndian(at),
        (_, true) => BinaryPrimitives.ReadUInt32LittleEndian(at),
        _ => BinaryPrimitives.ReadUInt32BigEndian(at),
    };
}
