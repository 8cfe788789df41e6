using NextGpt.Media;
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
        var area = tall * wide * 3;
        Lay(file, [.. Enumerable.Range(0, count).Select(index => bytes.AsSpan(index * area, area).ToArray())], tall, wide, columns);
    }

    /// <summary>Writes pictures in rows; the place of one that is missing stays grey.</summary>
    /// <param name="file">Path of the PNG; its folder is made.</param>
    /// <param name="pictures">Of any size; each becomes a square.</param>
    /// <param name="size">Width and height of a square in pixels.</param>
    /// <param name="columns">Pictures per row.</param>
    internal static void Write(string file, IReadOnlyList<Picture?> pictures, int size, int columns)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".");
        Lay(file, [.. pictures.Select(picture => picture?.Resize(size, size).Pixels)], size, size, columns);
    }

    private static void Lay(string file, IReadOnlyList<byte[]?> pieces, int tall, int wide, int columns)
    {
        var rows = (pieces.Count + columns - 1) / columns;
        var (width, height) = ((columns * (wide + Gap)) + Gap, (rows * (tall + Gap)) + Gap);
        var sheet = new byte[width * height * 3];
        Array.Fill(sheet, (byte)96);
        for (var index = 0; index < pieces.Count; index++)
        {
            if (pieces[index] is not { } piece)
            {
                continue;
            }

            var (left, top) = (Gap + (index % columns * (wide + Gap)), Gap + (index / columns * (tall + Gap)));
            for (var row = 0; row < tall; row++)
            {
                piece.AsSpan(row * wide * 3, wide * 3).CopyTo(sheet.AsSpan((((top + row) * width) + left) * 3));
            }
        }

        PngPicture.Write(file, width, height, sheet);
    }
}
