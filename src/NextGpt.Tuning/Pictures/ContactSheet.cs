using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Many pictures in one file, to be looked at.</summary>
internal static class ContactSheet
{
    private const int Gap = 2;

    /// <summary>Writes pictures in rows.</summary>
    /// <param name="file">Path of the PNG.</param>
    /// <param name="pictures">[count, 3, height, width] float, 0..1, on any device.</param>
    /// <param name="columns">Pictures per row.</param>
    internal static void Write(string file, Tensor pictures, int columns)
    {
        using var scope = NewDisposeScope();
        var (count, tall, wide) = ((int)pictures.shape[0], (int)pictures.shape[2], (int)pictures.shape[3]);
        var bytes = (pictures.clamp(0, 1) * 255).round().to(ScalarType.Byte).permute(0, 2, 3, 1).contiguous().cpu().data<byte>().ToArray();
        var rows = (count + columns - 1) / columns;
        var (width, height) = ((columns * (wide + Gap)) + Gap, (rows * (tall + Gap)) + Gap);
        var sheet = new byte[width * height * 3];
        Array.Fill(sheet, (byte)96);
        for (var index = 0; index < count; index++)
        {
            var (left, top) = (Gap + (index % columns * (wide + Gap)), Gap + (index / columns * (tall + Gap)));
            for (var row = 0; row < tall; row++)
            {
                bytes.AsSpan(((index * tall) + row) * wide * 3, wide * 3).CopyTo(sheet.AsSpan((((top + row) * width) + left) * 3));
            }
        }

        PngPicture.Write(file, width, height, sheet);
    }
}
