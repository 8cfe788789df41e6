using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>Products of a panel of 16-bit floats with float32 activations, for weights that come unquantised.</summary>
internal static unsafe class WidePanels
{
    /// <summary>Up to four products at a time.</summary>
    /// <param name="half">float16 (true) or bfloat16.</param>
    /// <param name="panel">[columns, 16]</param>
    /// <param name="columns">A multiple of 32; the activations are zero where the matrix ends earlier.</param>
    /// <param name="x">Activations with their float32 values.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">Tokens, 1 to 4.</param>
    /// <param name="result">[4, 16]</param>
    public static void Multiply(bool half, ushort* panel, int columns, Activations x, int first, int count, float* result)
    {
        var value0 = x.Plain + ((long)first * x.Stride);
        var value1 = value0 + (Math.Min(1, count - 1) * x.Stride);
        var value2 = value0 + (Math.Min(2, count - 1) * x.Stride);
        var value3 = value0 + (Math.Min(3, count - 1) * x.Stride);
        var upper0 = Vector256<float>.Zero;
        var (upper1, upper2, upper3) = (upper0, upper0, upper0);
        var (lower0, lower1, lower2, lower3) = (upper0, upper0, upper0, upper0);
        for (var column = 0; column < columns; column++, panel += PanelMatrix.PanelRows)
        {
            var upper = half ? Half(panel) : Brain(panel);
            var lower = half ? Half(panel + 8) : Brain(panel + 8);
            Add(ref upper0, ref lower0, upper, lower, value0[column]);
            Add(ref upper1, ref lower1, upper, lower, value1[column]);
            Add(ref upper2, ref lower2, upper, lower, value2[column]);
            Add(ref upper3, ref lower3, upper, lower, value3[column]);
        }

        upper0.Store(result);
        lower0.Store(result + 8);
        upper1.Store(result + 16);
        lower1.Store(result + 24);
        upper2.Store(result + 32);
        lower2.Store(result + 40);
        upper3.Store(result + 48);
        lower3.Store(result + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        ref Vector256<float> totalUpper, ref Vector256<float> totalLower, Vector256<float> upper, Vector256<float> lower, float value)
    {
        var all = Vector256.Create(value);
        totalUpper = Vector256.FusedMultiplyAdd(upper, all, totalUpper);
        totalLower = Vector256.FusedMultiplyAdd(lower, all, totalLower);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Half(ushort* source)
    {
        var bits = Vector256.WidenLower(Vector128.Load((short*)source).ToVector256()) << 13;
        return (bits & Vector256.Create(unchecked((int)0x8FFF_E000))).AsSingle()
            * Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Brain(ushort* source) =>
        (Vector256.WidenLower(Vector128.Load(source).ToVector256()) << 16).AsSingle();
}
