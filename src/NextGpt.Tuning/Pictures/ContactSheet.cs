using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Many pictures in one file, to be looked at.</summary>
internal static class ContactSheet
{
    private const int Gap = 2;

    /// <summary>Writes pictures in rows.</summary>
    /// <param name="file">Path of the PNG.</param>
    /// <param name="pictures">[count, 3, size, size] float, 0..1, on any device.</param>
    /// <param name="columns">Pictures per row.</param>
    internal static void Write(string file, Tensor pictures, int columns)
    {
        using var scope = NewDisposeScope();
        var (count, size) = ((int)pictures.shape[0], (int)pictures.shape[2]);
        var bytes = (pictures.clamp(0, 1) * 255).round().to(ScalarType.Byte).permute(0, 2, 3, 1).contiguous().cpu().data<byte>().ToArray();
        var rows = (count + columns - 1) / columns;
        var (width, height) = ((columns * (size + Gap)) + Gap, (rows * (size + Gap)) + Gap);
        var sheet = new byte[width * height * 3];
        Array.Fill(sheet, (byte)96);
        for (var index = 0; index < count; index++)
        {
            var (left, top) = (Gap + (index % columns * (size + Gap)), Gap + (index / columns * (size + Gap)));
            for (var row = 0; row < size; row++)
            {
                bytes.AsSpan(((index * size) + row) * size * 3, size * 3).CopyTo(sheet.AsSpan((((top + row) * width) + left) * 3));
            }
        }

        PngPicture.Write(file, width, height, sheet);
    }
}
