using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>The few functions between two matrix products, eight numbers at a time.</summary>
internal static unsafe class VectorMath
{
    /// <summary>e^x to about one unit in the last place; below −87 almost zero, above 88 almost infinite.</summary>
    /// <remarks>Range reduction by powers of two and the polynomial of Cephes' <c>expf</c> (S. Moshier).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        x = Vector256.Min(Vector256.Max(x, Vector256.Create(-87.3f)), Vector256.Create(88.3f));
        var magic = Vector256.Create(12_582_912f);   // 1.5 * 2^23: rounds, and leaves the integer in the low bits
        var shifted = Vector256.FusedMultiplyAdd(x, Vector256.Create(1.44269504f), magic);
        var whole = shifted - magic;
        var rest = Vector256.FusedMultiplyAdd(whole, Vector256.Create(-0.693359375f), x);
        rest = Vector256.FusedMultiplyAdd(whole, Vector256.Create(2.12194440e-4f), rest);
        var series = Vector256.Create(1.9875691500e-4f);
        series = Vector256.FusedMultiplyAdd(series, rest, Vector256.Create(1.3981999507e-3f));
        series = Vector256.FusedMultiplyAdd(series, rest, Vector256.Create(8.3334519073e-3f));
        series = Vector256.FusedMultiplyAdd(series, rest, Vector256.Create(4.1665795894e-2f));
        series = Vector256.FusedMultiplyAdd(series, rest, Vector256.Create(1.6666665459e-1f));
        series = Vector256.FusedMultiplyAdd(series, rest, Vector256.Create(5.0000001201e-1f));
        series = Vector256.FusedMultiplyAdd(series, rest * rest, rest + Vector256<float>.One);
        var power = (shifted.AsInt32() - magic.AsInt32() + Vector256.Create(127)) << 23;
        return series * power.AsSingle();
    }

    /// <summary>Root-mean-square norm.</summary>
    /// <param name="source">[count]</param>
    /// <param name="weight">[count]</param>
    /// <param name="count">How many.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="destination">[count]</param>
    public static void Norm(float* source, float* weight, int count, float epsilon, float* destination)
    {
        var (first, second) = (Vector256<float>.Zero, Vector256<float>.Zero);
        var index = 0;
        for (; index <= count - 16; index += 16)
        {
            var (a, b) = (Vector256.Load(source + index), Vector256.Load(source + index + 8));
            first = Vector256.FusedMultiplyAdd(a, a, first);
            second = Vector256.FusedMultiplyAdd(b, b, second);
        }

        var sum = Vector256.Sum(first + second);
        for (; index < count; index++)
        {
            sum += source[index] * source[index];
        }

        var factor = 1 / MathF.Sqrt((sum / count) + epsilon);
        for (index = 0; index <= count - 8; index += 8)
        {
            (Vector256.Load(source + index) * factor * Vector256.Load(weight + index)).Store(destination + index);
        }

        for (; index < count; index++)
        {
            destination[index] = source[index] * factor * weight[index];
        }
    }

    /// <summary>Turns one head by its position, halves against each other.</summary>
    /// <param name="head">[2 half], changed in place.</param>
    /// <param name="cosine">[half]</param>
    /// <param name="sine">[half]</param>
    /// <param name="half">Half the head's width.</param>
    public static void Rotate(float* head, float* cosine, float* sine, int half)
    {
        var index = 0;
        for (; index <= half - 8; index += 8)
        {
            var (x, y) = (Vector256.Load(head + index), Vector256.Load(head + half + index));
            var (c, s) = (Vector256.Load(cosine + index), Vector256.Load(sine + index));
            ((x * c) - (y * s)).Store(head + index);
            ((y * c) + (x * s)).Store(head + half + index);
        }

        for (; index < half; index++)
        {
            var (x, y) = (head[index], head[half + index]);
            head[index] = (x * cosine[index]) - (y * sine[index]);
            head[half + index] = (y * cosine[index]) + (x * sine[index]);
        }
    }

    /// <summary>gate / (1 + e^-gate) * up for 16 numbers.</summary>
    public static void SwiGlu(float* gate, float* up, float* destination)
    {
        for (var index = 0; index < 16; index += 8)
        {
            var x = Vector256.Load(gate + index);
            (x / (Vector256<float>.One + Exp(-x)) * Vector256.Load(up + index)).Store(destination + index);
        }
    }
}
