using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NextGpt.Media;

namespace NextGpt.Model.Encoders;

/// <summary>The middle square of a picture whose shorter side was scaled, byte for byte as Pillow does it.</summary>
/// <remarks>
/// Bicubic (Keys 1981, a = −0.5) whose support grows when a picture shrinks; weights in 22-bit fixed point, rounded to bytes
/// after the rows and again after the columns. Only what the square needs is computed.
/// </remarks>
internal static class BicubicCrop
{
    private const int Precision = 22;
    private const int Half = 1 << (Precision - 1);

    /// <param name="picture">Of any size.</param>
    /// <param name="size">Width and height of the square.</param>
    /// <returns>size · size · 3 bytes: red, green, blue of each pixel, row by row.</returns>
    internal static byte[] Of(Picture picture, int size)
    {
        var (width, height) = (picture.Width, picture.Height);
        (long scaledWidth, long scaledHeight) = width <= height
            ? ((long)size, (long)size * height / width)
            : ((long)size * width / height, (long)size);   // a line of pixels grows beyond what an int holds
        var left = (long)Math.Round((scaledWidth - size) / 2.0, MidpointRounding.ToEven);
        var top = (long)Math.Round((scaledHeight - size) / 2.0, MidpointRounding.ToEven);
        var columns = new Taps(width, scaledWidth, left, size);
        var rows = new Taps(height, scaledHeight, top, size);

        var stride = size * 3;
        var narrow = ArrayPool<byte>.Shared.Rent(rows.Reach * stride);
        var crop = new byte[size * stride];
        for (var row = 0; row < rows.Reach; row++)
        {
            ShrinkRow(picture.Pixels, (rows.First + row) * width * 3, columns, narrow.AsSpan(row * stride, stride));
        }

        for (var row = 0; row < size; row++)
        {
            MixRows(narrow, rows, row, crop.AsSpan(row * stride, stride));
        }

        ArrayPool<byte>.Shared.Return(narrow);
        return crop;
    }

    private static void ShrinkRow(byte[] pixels, int rowStart, Taps taps, Span<byte> target)
    {
        ref var source = ref MemoryMarshal.GetArrayDataReference(pixels);
        for (var column = 0; column < taps.Starts.Length; column++)
        {
            var weights = taps.WeightsOf(column);
            var at = rowStart + (taps.Starts[column] * 3);
            var sum = Vector128.Create(Half);
            for (var tap = 0; tap < weights.Length - 1; tap++, at += 3)
            {
                // Four bytes, of which the last is the next pixel's red: it ends in a lane that nobody reads.
                var four = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at))).AsByte();
                sum += Vector128.WidenLower(Vector128.WidenLower(four)).AsInt32() * weights[tap];
            }

            sum += Vector128.Create(pixels[at], pixels[at + 1], pixels[at + 2], 0) * weights[^1];   // there may be no fourth byte
            sum = Vector128.Min(Vector128.Max(sum >> Precision, Vector128<int>.Zero), Vector128.Create(255));
            target[column * 3] = (byte)sum[0];
            target[(column * 3) + 1] = (byte)sum[1];
            target[(column * 3) + 2] = (byte)sum[2];
        }
    }

    private static void MixRows(byte[] narrow, Taps taps, int row, Span<byte> target)
    {
        var weights = taps.WeightsOf(row);
        var stride = target.Length;
        var start = (taps.Starts[row] - taps.First) * stride;
        var at = 0;
        for (; at + Vector128<byte>.Count <= stride; at += Vector128<byte>.Count)
        {
            var half = Vector128.Create(Half);
            var (first, second, third, fourth) = (half, half, half, half);
            for (var tap = 0; tap < weights.Length; tap++)
            {
                var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref narrow[start + (tap * stride) + at]));
                var (a, b) = Vector128.Widen(low);
                var (c, d) = Vector128.Widen(high);
                var weight = Vector128.Create(weights[tap]);
                first += a.AsInt32() * weight;
                second += b.AsInt32() * weight;
                third += c.AsInt32() * weight;
                fourth += d.AsInt32() * weight;
            }

            // Saturating on the way down is the clamp to 0..255.
            var words = Vector128.NarrowWithSaturation(first >> Precision, second >> Precision);
            var more = Vector128.NarrowWithSaturation(third >> Precision, fourth >> Precision);
            Bytes(words, more).CopyTo(target[at..]);
        }

        for (; at < stride; at++)
        {
            var sum = Half;
            for (var tap = 0; tap < weights.Length; tap++)
            {
                sum += narrow[start + (tap * stride) + at] * weights[tap];
            }

            target[at] = (byte)Math.Clamp(sum >> Precision, 0, 255);
        }
    }

    private static Vector128<byte> Bytes(Vector128<short> low, Vector128<short> high)
    {
        var most = Vector128.Create((short)255);
        return Vector128.Narrow(
            Vector128.Min(Vector128.Max(low, Vector128<short>.Zero), most).AsUInt16(),
            Vector128.Min(Vector128.Max(high, Vector128<short>.Zero), most).AsUInt16());
    }

    /// <summary>Which pixels of one line make each pixel of the scaled line's middle, and with what weights.</summary>
    private sealed class Taps
    {
        private const double Support = 2;
        private readonly int[] _weights;
        private readonly int[] _counts;
        private readonly int _most;

        /// <param name="length">Pixels of the line.</param>
        /// <param name="scaled">Pixels of the scaled line; the same number takes pixels as they are.</param>
        /// <param name="offset">The first pixel wanted of the scaled line.</param>
        /// <param name="count">How many are wanted.</param>
        internal Taps(int length, long scaled, long offset, int count)
        {
            var scale = (double)length / scaled;
            var shrinking = Math.Max(scale, 1);
            var support = Support * shrinking;
            _most = length == scaled ? 1 : ((int)Math.Ceiling(support) * 2) + 1;
            _weights = new int[count * _most];
            _counts = new int[count];
            Starts = new int[count];
            var exact = new double[_most];
            for (var place = 0; place < count; place++)
            {
                if (length == scaled)
                {
                    (Starts[place], _counts[place], _weights[place]) = ((int)offset + place, 1, 1 << Precision);
                    continue;
                }

                var centre = (offset + place + 0.5) * scale;
                var first = Math.Max((int)(centre - support + 0.5), 0);
                var taps = Math.Min((int)(centre + support + 0.5), length) - first;
                var sum = 0.0;
                for (var tap = 0; tap < taps; tap++)
                {
                    exact[tap] = Bicubic((tap + first - centre + 0.5) / shrinking);
                    sum += exact[tap];
                }

                for (var tap = 0; tap < taps; tap++)
                {
                    var weight = exact[tap] / sum * (1 << Precision);
                    _weights[(place * _most) + tap] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
                }

                (Starts[place], _counts[place]) = (first, taps);
            }

            First = Starts[0];
            Reach = Starts[^1] + _counts[^1] - First;
        }

        /// <summary>The first pixel of the line that each place needs.</summary>
        internal int[] Starts { get; }

        /// <summary>The first pixel of the line that anything needs.</summary>
        internal int First { get; }

        /// <summary>How many pixels from there on are needed.</summary>
        internal int Reach { get; }

        internal ReadOnlySpan<int> WeightsOf(int place) => _weights.AsSpan(place * _most, _counts[place]);

        private static double Bicubic(double distance)
        {
            const double A = -0.5;
            var x = Math.Abs(distance);
            return x < 1 ? (((((A + 2) * x) - (A + 3)) * x * x) + 1)
                : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * A
                : 0;
        }
    }
}
