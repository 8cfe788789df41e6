using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NextGpt.Model.Language.Quantized;

/// <summary>AVX-512: the 16 rows of a panel are the 16 lanes of a vector.</summary>
/// <remarks>
/// A nibble times a signed byte, two of them added, is at most 3,810; the eight that make a block stay within 16 bits, so
/// they are added as words and widened once per block. Eight-bit weights go the same way as two nibbles.
/// </remarks>
internal sealed unsafe class Avx512Kernels : PanelKernels
{
    public override KernelPath Path => KernelPath.Avx512;

    public override void FourBits(byte* panel, int blocks, Activations x, int first, int count, float* result)
    {
        if (count == 1)
        {
            FourBitsOnce(panel, blocks, x, first, result);
        }
        else
        {
            FourBitsFourTimes(panel, blocks, x, first, count, result);
        }
    }

    public override void EightBits(byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result)
    {
        if (count == 1)
        {
            EightBitsOnce(scales, values, blocks, x, first, result);
            return;
        }

        for (var token = 0; token < count; token += 2)
        {
            EightBitsTwice(scales, values, blocks, x, first + token, Math.Min(2, count - token), result + (token * PanelMatrix.PanelRows));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourBitsOnce(byte* panel, int blocks, Activations x, int token, float* result)
    {
        var value = x.Of(token);
        var scale = x.Scales + ((long)token * x.BlockStride);
        var sum = x.Sums + ((long)token * x.BlockStride);
        var total = Vector512<float>.Zero;
        for (var block = 0; block < blocks; block++)
        {
            var coarse = Vector512<short>.Zero;
            var fine = coarse;
            Sse.Prefetch0(panel + Ahead);
            for (var part = 0; part < 16; part += 4)
            {
                Sse.Prefetch0(panel + Ahead + 64 + (part * 16));
                var chunk = Vector512.LoadAligned(panel + 64 + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                coarse += Pairs(low, value + part) + Pairs(high, value + part + 16);
                fine += Pairs(low, value + part + 32) + Pairs(high, value + part + 48);
            }

            total = Add(total, Whole(coarse, fine), Halves(panel), Halves(panel + 32), scale[block], sum[block]);
            panel += PanelMatrix.FourBitsBytes;
            value += Activations.BlockBytes;
        }

        total.Store(result);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourBitsFourTimes(byte* panel, int blocks, Activations x, int first, int count, float* result)
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
        var total0 = Vector512<float>.Zero;
        var total1 = total0;
        var total2 = total0;
        var total3 = total0;
        for (var block = 0; block < blocks; block++, panel += PanelMatrix.FourBitsBytes)
        {
            var coarse0 = Vector512<short>.Zero;
            var coarse1 = coarse0;
            var coarse2 = coarse0;
            var coarse3 = coarse0;
            var fine0 = coarse0;
            var fine1 = coarse0;
            var fine2 = coarse0;
            var fine3 = coarse0;
            for (var part = 0; part < 16; part += 4)
            {
                var chunk = Vector512.LoadAligned(panel + 64 + (part * 16));
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

            var (step, minimum) = (Halves(panel), Halves(panel + 32));
            total0 = Add(total0, Whole(coarse0, fine0), step, minimum, scale[block], sum[block]);
            total1 = Add(total1, Whole(coarse1, fine1), step, minimum, scale[block + second], sum[block + second]);
            total2 = Add(total2, Whole(coarse2, fine2), step, minimum, scale[block + third], sum[block + third]);
            total3 = Add(total3, Whole(coarse3, fine3), step, minimum, scale[block + fourth], sum[block + fourth]);
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
        var total = Vector512<float>.Zero;
        for (var block = 0; block < blocks; block++, scales += 32, values += PanelMatrix.EightBitsBytes)
        {
            var lowCoarse = Vector512<short>.Zero;
            var lowFine = lowCoarse;
            var highCoarse = lowCoarse;
            var highFine = lowCoarse;
            for (var part = 0; part < 32; part += 4)
            {
                Sse.Prefetch0(values + Ahead + (part * 16));
                var chunk = Vector512.LoadAligned(values + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                lowCoarse += Pairs(low, value + part);
                highCoarse += Pairs(high, value + part);
                lowFine += Pairs(low, value + part + 32);
                highFine += Pairs(high, value + part + 32);
            }

            var whole = Whole(lowCoarse, lowFine, highCoarse, highFine, count[block]);
            total = Add(total, whole, Halves(scales), scale[block]);
            value += Activations.BlockBytes;
        }

        total.Store(result);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightBitsTwice(
        byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result)
    {
        var value0 = x.Of(first);
        var value1 = x.Of(first + count - 1);
        var scale = x.Scales + ((long)first * x.BlockStride);
        var counts = x.Counts + ((long)first * x.BlockStride);
        var second = (count - 1) * x.BlockStride;
        var total0 = Vector512<float>.Zero;
        var total1 = total0;
        for (var block = 0; block < blocks; block++, scales += 32, values += PanelMatrix.EightBitsBytes)
        {
            var lowCoarse0 = Vector512<short>.Zero;
            var lowCoarse1 = lowCoarse0;
            var lowFine0 = lowCoarse0;
            var lowFine1 = lowCoarse0;
            var highCoarse0 = lowCoarse0;
            var highCoarse1 = lowCoarse0;
            var highFine0 = lowCoarse0;
            var highFine1 = lowCoarse0;
            for (var part = 0; part < 32; part += 4)
            {
                var chunk = Vector512.LoadAligned(values + (part * 16));
                var (low, high) = (Low(chunk), High(chunk));
                lowCoarse0 += Pairs(low, value0 + part);
                highCoarse0 += Pairs(high, value0 + part);
                lowFine0 += Pairs(low, value0 + part + 32);
                highFine0 += Pairs(high, value0 + part + 32);
                lowCoarse1 += Pairs(low, value1 + part);
                highCoarse1 += Pairs(high, value1 + part);
                lowFine1 += Pairs(low, value1 + part + 32);
                highFine1 += Pairs(high, value1 + part + 32);
            }

            var step = Halves(scales);
            var whole = Whole(lowCoarse0, lowFine0, highCoarse0, highFine0, counts[block]);
            total0 = Add(total0, whole, step, scale[block]);
            whole = Whole(lowCoarse1, lowFine1, highCoarse1, highFine1, counts[block + second]);
            total1 = Add(total1, whole, step, scale[block + second]);
            value0 += Activations.BlockBytes;
            value1 += Activations.BlockBytes;
        }

        total0.Store(result);
        total1.Store(result + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Low(Vector512<byte> chunk) => chunk & Vector512.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> High(Vector512<byte> chunk) =>
        (chunk.AsUInt16() >>> 4).AsByte() & Vector512.Create((byte)15);

    /// <summary>The same four activations for every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<sbyte> Four(sbyte* activations) => Vector512.Create(*(int*)activations).AsSByte();

    /// <summary>Per row two sums of two products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Pairs(Vector512<byte> weights, Vector512<sbyte> activations) =>
        Avx512BW.MultiplyAddAdjacent(weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Pairs(Vector512<byte> weights, sbyte* activations) =>
        Avx512BW.MultiplyAddAdjacent(weights, Four(activations));

    /// <summary>The sums of a row in steps of the fine part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Whole(Vector512<short> coarse, Vector512<short> fine) =>
        Avx512BW.MultiplyAddAdjacent(coarse, Vector512.Create((short)Activations.FineSteps))
        + Avx512BW.MultiplyAddAdjacent(fine, Vector512.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Whole(
        Vector512<short> lowCoarse, Vector512<short> lowFine, Vector512<short> highCoarse, Vector512<short> highFine, int count) =>
        Whole(lowCoarse, lowFine)
        + Avx512BW.MultiplyAddAdjacent(highCoarse, Vector512.Create((short)(16 * Activations.FineSteps)))
        + Avx512BW.MultiplyAddAdjacent(highFine, Vector512.Create((short)16))
        - Vector512.Create(128 * count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(
        Vector512<float> total, Vector512<int> whole, Vector512<float> step, Vector512<float> minimum, float scale, float sum)
    {
        total = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(whole), step * Vector512.Create(scale), total);
        return Avx512F.FusedMultiplyAdd(minimum, Vector512.Create(sum), total);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(Vector512<float> total, Vector512<int> whole, Vector512<float> step, float scale) =>
        Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(whole), step * Vector512.Create(scale), total);

    /// <summary>16 float16 as float32; scales are finite, so the two special exponents need no care.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Halves(byte* source)
    {
        var bits = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)) << 13;
        return (bits & Vector512.Create(unchecked((int)0x8FFF_E000))).AsSingle()
            * Vector512.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
    }
}
