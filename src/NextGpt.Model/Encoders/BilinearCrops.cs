using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NextGpt.Media;

namespace NextGpt.Model.Encoders;

/// <summary>Squares of a frame whose shorter side was scaled, along the longer side, with normalised colours.</summary>
/// <remarks>
/// Bilinear without smoothing and without corner alignment, in float32 as <c>torch.nn.functional.interpolate</c>; squares as
/// ImageBind's <c>SpatialCrop</c>. Only what the squares need is computed.
/// </remarks>
internal sealed class BilinearCrops
{
    private readonly int _width;
    private readonly int _height;
    private readonly int _size;
    private readonly Line[] _columns;
    private readonly Line[] _rows;
    private readonly Vector128<float> _factor;
    private readonly Vector128<float> _shift;

    /// <param name="first">Any frame; all have its size.</param>
    /// <param name="size">Width and height of a square.</param>
    /// <param name="crops">1 (the middle) or 3 (left or top, middle, right or bottom).</param>
    /// <param name="mean">Subtracted from the colours (0..1).</param>
    /// <param name="deviation">Divides them after that.</param>
    /// <exception cref="ArgumentException">Another number of squares.</exception>
    internal BilinearCrops(Picture first, int size, int crops, ColourTriple mean, ColourTriple deviation)
    {
        if (crops is not (1 or 3))
        {
            throw new ArgumentException($"{crops} crops per clip are asked for; 1 or 3 are possible.", nameof(crops));
        }

        (_width, _height, _size) = (first.Width, first.Height, size);
        (long scaledWidth, long scaledHeight) = _width < _height
            ? ((long)size, (long)Math.Floor((double)_height / _width * size))
            : ((long)Math.Floor((double)_width / _height * size), (long)size);
        _columns = [.. Enumerable.Range(0, crops).Select(crop => new Line(
            _width, scaledWidth, Offset(scaledWidth, size, crops, crop, along: scaledHeight <= scaledWidth), size))];
        _rows = [.. Enumerable.Range(0, crops).Select(crop => new Line(
            _height, scaledHeight, Offset(scaledHeight, size, crops, crop, along: scaledHeight > scaledWidth), size))];
        _factor = Vector128.Create(1 / (255 * deviation.Red), 1 / (255 * deviation.Green), 1 / (255 * deviation.Blue), 0);
        _shift = Vector128.Create(-mean.Red / deviation.Red, -mean.Green / deviation.Green, -mean.Blue / deviation.Blue, 0);
    }

    /// <summary>Writes one square of one frame.</summary>
    /// <param name="picture">The frame.</param>
    /// <param name="crop">Which square.</param>
    /// <param name="view">[3, frames, size, size]</param>
    /// <param name="frame">Its place in the view.</param>
    /// <param name="frames">Frames of the view.</param>
    /// <exception cref="ArgumentException">The frame has another size than the first.</exception>
    internal void Write(Picture picture, int crop, Span<float> view, int frame, int frames)
    {
        if (picture.Width != _width || picture.Height != _height)
        {
            throw new ArgumentException(
                $"A frame of {picture.Width} x {picture.Height} pixels came in a clip of {_width} x {_height}; all must be of one size.",
                nameof(picture));
        }

        var (columns, rows) = (_columns[crop], _rows[crop]);
        var plane = _size * _size;
        var red = view.Slice(frame * plane, plane);
        var green = view.Slice((frames + frame) * plane, plane);
        var blue = view.Slice(((2 * frames) + frame) * plane, plane);
        var pixels = picture.Pixels;
        for (int row = 0, at = 0; row < _size; row++)
        {
            var (upper, lower) = (rows.Near[row] * _width, rows.Far[row] * _width);
            var down = rows.Share[row];
            for (var column = 0; column < _size; column++, at++)
            {
                var (left, right, across) = (columns.Near[column], columns.Far[column], columns.Share[column]);
                var top = (Pixel(pixels, upper + left) * (1 - across)) + (Pixel(pixels, upper + right) * across);
                var bottom = (Pixel(pixels, lower + left) * (1 - across)) + (Pixel(pixels, lower + right) * across);
                var colour = (((top * (1 - down)) + (bottom * down)) * _factor) + _shift;
                red[at] = colour[0];
                green[at] = colour[1];
                blue[at] = colour[2];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pixel(byte[] pixels, int index)
    {
        var at = index * 3;
        var four = at + 4 <= pixels.Length
            ? Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(pixels), at))
            : (uint)(pixels[at] | (pixels[at + 1] << 8) | (pixels[at + 2] << 16));
        var bytes = Vector128.CreateScalarUnsafe(four).AsByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32());
    }

    private static long Offset(long scaled, int size, int crops, int crop, bool along) => (along, crops, crop) switch
    {
        (true, 3, 0) => 0,
        (true, 3, 2) => scaled - size,
        _ => (scaled - size + 1) / 2,   // rounded up
    };

    /// <summary>For each pixel of a square's side the two pixels it lies between, and how far from the first.</summary>
    private sealed class Line
    {
        internal Line(int length, long scaled, long offset, int count)
        {
            (Near, Far, Share) = (new int[count], new int[count], new float[count]);
            var scale = (float)length / scaled;
            for (var place = 0; place < count; place++)
            {
                var source = Math.Max((scale * (offset + place + 0.5f)) - 0.5f, 0);
                Near[place] = Math.Min((int)source, length - 1);
                Far[place] = Math.Min(Near[place] + 1, length - 1);
                Share[place] = source - Near[place];
            }
        }

        internal int[] Near { get; }

        internal int[] Far { get; }

        internal float[] Share { get; }
    }
}
