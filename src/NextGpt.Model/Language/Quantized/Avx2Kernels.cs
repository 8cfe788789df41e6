using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NextGpt.Model.Language.Quantized;

/// <summary>AVX2 and FMA: the 16 rows of a panel are two halves of eight lanes. Arithmetic as in <see cref="Avx512Kernels"/>.</summary>
internal sealed unsafe class Avx2Kernels : PanelKernels
{
    public override KernelPath Path => KernelPath.Avx2;

    public override void FourBits(byte* panel, int blocks, Activations x, int first, int count, float* result)
    {
        if (count == 1)
        {
            FourBitsOnce(panel, blocks, x, first, result);
            return;
        }

        FourBitsFourTimes(panel, panel + 64, blocks, x, first, count, result);
        FourBitsFourTimes(panel + 16, panel + 96, blocks, x, first, count, result + 8);
    }

    public override void EightBits(byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result)
    {
        for (var token = 0; token < count; token++)
        {
            EightBitsOnce(scales, values, blocks, x, first + token, result + (token * PanelMatrix.PanelRows));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourBitsOnce(byte* panel, int blocks, Activations x, int token, float* result)
    {
        var value = x.Of(token);
        var scale = x.Scales + ((long)token * x.BlockStride);
        var sum = x.Sums + ((long)token * x.BlockStride);
        var total0 = Vector256<float>.Zero;
        var total1 = total0;
        for (var block = 0; block < blocks; block++, panel += PanelMatrix.FourBitsBytes, value += Activations.BlockBytes)
        {
            var coarse0 = Vector256<short>.Zero;
            var coarse1 = coarse0;
            var fine0 = coarse0;
            var fine1 = coarse0;
            Sse.Prefetch0(panel + Ahead);
            for (var part = 0; part < 16; part += 4)
            {
                Sse.Prefetch0(panel + Ahead + 64 + (part * 16));
                var lowCoarse = Four(value + part);
                var highCoarse = Four(value + part + 16);
                var lowFine = Four(value + part + 32);
                var highFine = Four(value + part + 48);
                var chunk = Vector256.LoadAligned(panel + 64 + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                coarse0 += Pairs(low, lowCoarse) + Pairs(high, highCoarse);
                fine0 += Pairs(low, lowFine) + Pairs(high, highFine);
                chunk = Vector256.LoadAligned(panel + 96 + (part * 16));
                (low, high) = (Low(chunk), High(chunk));
                coarse1 += Pairs(low, lowCoarse) + Pairs(high, highCoarse);
                fine1 += Pairs(low, lowFine) + Pairs(high, highFine);
            }

            total0 = Add(total0, Whole(coarse0, fine0), Halves(panel), Halves(panel + 32), scale[block], sum[block]);
            total1 = Add(total1, Whole(coarse1, fine1), Halves(panel + 16), Halves(panel + 48), scale[block], sum[block]);
        }

        total0.Store(result);
        total1.Store(result + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourBitsFourTimes(
        byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result)
    {
        // Tokens beyond the count repeat the last one.
        var value0 = x.Of(first);
        var value1 = x.Of(first + Math.Min(1, count - 1));
        var value2 = x.Of(first + Math.Min(2, count - 1));
        var value3 = x.Of(first + Math.Min(3, count - 1));
        var scale = x.Scales + ((long)first * x.BlockStride);
        var sum = x.Sums + ((long)first * x.BlockStride);
        var second = Math.Min(1, count - 1) * x.BlockStride;
        var third = Math.Min(2, count - 1) * x.BlockStride;
        var fourth = Math.Min(3, count - 1) * x.BlockStride;
        var total0 = Vector256<float>.Zero;
        var total1 = total0;
        var total2 = total0;
        var total3 = total0;
        for (var block = 0; block < blocks; block++, scales += PanelMatrix.FourBitsBytes)
        {
            var coarse0 = Vector256<short>.Zero;
            var coarse1 = coarse0;
            var coarse2 = coarse0;
            var coarse3 = coarse0;
            var fine0 = coarse0;
            var fine1 = coarse0;
            var fine2 = coarse0;
            var fine3 = coarse0;
            for (var part = 0; part < 16; part += 4)
            {
                var chunk = Vector256.LoadAligned(values + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                coarse0 += Pairs(low, value0 + part) + Pairs(high, value0 + part + 16);
                fine0 += Pairs(low, value0 + part + 32) + Pairs(high, value0 + part + 48);
                coarse1 += Pairs(low, value1 + part) + Pairs(high, value1 + part + 16);
                fine1 += Pairs(low, value1 + part + 32) + Pairs(high, value1 + part + 48);
                coarse2 += Pairs(low, value2 + part) + Pairs(high, value2 + part + 16);
                fine2 += Pairs(low, value2 + part + 32) + Pairs(high, value2 + part + 48);
                coarse3 += Pairs(low, value3 + part) + Pairs(high, value3 + part + 16);
                fine3 += Pairs(low, value3 + part + 32) + Pairs(high, value3 + part + 48);
            }

            var (step, minimum) = (Halves(scales), Halves(scales + 32));
            total0 = Add(total0, Whole(coarse0, fine0), step, minimum, scale[block], sum[block]);
            total1 = Add(total1, Whole(coarse1, fine1), step, minimum, scale[block + second], sum[block + second]);
            total2 = Add(total2, Whole(coarse2, fine2), step, minimum, scale[block + third], sum[block + third]);
            total3 = Add(total3, Whole(coarse3, fine3), step, minimum, scale[block + fourth], sum[block + fourth]);
            values += PanelMatrix.FourBitsBytes;
            value0 += Activations.BlockBytes;
            value1 += Activations.BlockBytes;
            value2 += Activations.BlockBytes;
            value3 += Activations.BlockBytes;
        }

        total0.Store(result);
        total1.Store(result + 16);
        total2.Store(result + 32);
        total3.Store(result + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightBitsOnce(byte* scales, byte* values, int blocks, Activations x, int token, float* result)
    {
        var value = x.Of(token);
        var scale = x.Scales + ((long)token * x.BlockStride);
        var count = x.Counts + ((long)token * x.BlockStride);
        var total0 = Vector256<float>.Zero;
        var total1 = total0;
        for (var block = 0; block < blocks; block++, scales += 32, values += PanelMatrix.EightBitsBytes)
        {
            var lowCoarse0 = Vector256<short>.Zero;
            var lowCoarse1 = lowCoarse0;
            var lowFine0 = lowCoarse0;
            var lowFine1 = lowCoarse0;
            var highCoarse0 = lowCoarse0;
            var highCoarse1 = lowCoarse0;
            var highFine0 = lowCoarse0;
            var highFine1 = lowCoarse0;
            for (var part = 0; part < 32; part += 4)
            {
                Sse.Prefetch0(values + Ahead + (part * 16));
                var coarse = Four(value + part);
                var fine = Four(value + part + 32);
                var chunk = Vector256.LoadAligned(values + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                lowCoarse0 += Pairs(low, coarse);
                highCoarse0 += Pairs(high, coarse);
                lowFine0 += Pairs(low, fine);
                highFine0 += Pairs(high, fine);
                chunk = Vector256.LoadAligned(values + 32 + (part * 16));
                (low, high) = (Low(chunk), High(chunk));
                lowCoarse1 += Pairs(low, coarse);
                highCoarse1 += Pairs(high, coarse);
                lowFine1 += Pairs(low, fine);
                highFine1 += Pairs(high, fine);
            }

            var whole = Whole(lowCoarse0, lowFine0, highCoarse0, highFine0, count[block]);
            total0 = Add(total0, whole, Halves(scales), scale[block]);
            whole = Whole(lowCoarse1, lowFine1, highCoarse1, highFine1, count[block]);
            total1 = Add(total1, whole, Halves(scales + 16), scale[block]);
            value += Activations.BlockBytes;
        }

        total0.Store(result);
        total1.Store(result + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Low(Vector256<byte> chunk) => chunk & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> High(Vector256<byte> chunk) =>
        (chunk.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15);

    /// <summary>The same four activations for every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Four(sbyte* activations) => Vector256.Create(*(int*)activations).AsSByte();

    /// <summary>Per row two sums of two products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs(Vector256<byte> weights, Vector256<sbyte> activations) =>
        Avx2.MultiplyAddAdjacent(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs(Vector256<byte> weights, sbyte* activations) =>
        Avx2.MultiplyAddAdjacent(weights, Four(activations));

    /// <summary>The sums of a row in steps of the fine part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Whole(Vector256<short> coarse, Vector256<short> fine) =>
        Avx2.MultiplyAddAdjacent(coarse, Vector256.Create((short)Activations.FineSteps))
        + Avx2.MultiplyAddAdjacent(fine, Vector256.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Whole(
        Vector256<short> lowCoarse, Vector256<short> lowFine, Vector256<short> highCoarse, Vector256<short> highFine, int count) =>
        Whole(lowCoarse, lowFine)
        + Avx2.MultiplyAddAdjacent(highCoarse, Vector256.Create((short)(16 * Activations.FineSteps)))
        + Avx2.MultiplyAddAdjacent(highFine, Vector256.Create((short)16))
        - Vector256.Create(128 * count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(
        Vector256<float> total, Vector256<int> whole, Vector256<float> step, Vector256<float> minimum, float scale, float sum)
    {
        total = Fma.MultiplyAdd(Avx.ConvertToVector256Single(whole), step * Vector256.Create(scale), total);
        return Fma.MultiplyAdd(minimum, Vector256.Create(sum), total);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(Vector256<float> total, Vector256<int> whole, Vector256<float> step, float scale) =>
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(whole), step * Vector256.Create(scale), total);

    /// <summary>Eight float16 as float32; scales are finite, so the two special exponents need no care.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(byte* source)
    {
        var bits = Avx2.ConvertToVector256Int32((short*)source) << 13;
        return (bits & Vector256.Create(unchecked((int)0x8FFF_E000))).AsSingle()
            * Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
    }
}
