namespace NextGpt.Media;

/// <summary>A decoded still picture.</summary>
/// <remarks>Immutable by convention: operations return a new picture.</remarks>
public sealed record Picture : Medium
{
    /// <summary>Takes over the pixels.</summary>
    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="pixels">Red, green, blue of each pixel, row by row from the top left; width · height · 3 bytes, not copied.</param>
    /// <exception cref="ArgumentException">The number of bytes does not fit the size.</exception>
    public Picture(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.LongLength != 3L * width * height)
        {
            throw new ArgumentException(
                $"{width} x {height} pixels take {3L * width * height} bytes (red, green, blue), {pixels.LongLength} came.", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Image;

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue (sRGB, 0 to 255) of each pixel, row by row from the top left.</summary>
    public byte[] Pixels { get; }

    /// <summary>The picture at another size, for looking at; a network's input is prepared by the network's own rule.</summary>
    /// <remarks>Mitchell's filter. The sides may change in any proportion.</remarks>
    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is less than 1.</exception>
    public Picture Resize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return (width, height) == (Width, Height)
            ? this
            : new Picture(width, height, Pictures.PictureCodec.Resize(Pixels, Width, Height, width, height));
    }
}
