using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Vectors of 128 bits without any machine's own instructions: four rows at a time, for machines without AVX2 and as a
/// second opinion in tests. Arithmetic as in <see cref="Avx512Kernels"/>.
/// </summary>
internal sealed unsafe class PortableKernels : PanelKernels
{
    public override KernelPath Path => KernelPath.Portable;

    public override void FourBits(byte* panel, int blocks, Activations x, int first, int count, float* result)
    {
        for (var token = 0; token < count; token++)
        {
            var value = x.Of(first + token);
            var at = (long)(first + token) * x.BlockStride;
            for (var quarter = 0; quarter < 4; quarter++)
            {
                var total = Vector128<float>.Zero;
                for (var block = 0; block < blocks; block++)
                {
                    var scales = panel + (block * PanelMatrix.FourBitsBytes) + (quarter * 8);
                    var chunks = panel + (block * PanelMatrix.FourBitsBytes) + 64 + (quarter * 16);
                    var sums = default(Sums);
                    for (var part = 0; part < 4; part++)
                    {
                        var chunk = Vector128.Load(chunks + (part * 64));
                        var four = value + (block * Activations.BlockBytes) + (part * 4);
                        sums.Add(Low(chunk), four);
                        sums.Add(High(chunk), four + 16);
                    }

                    var whole = Vector128.ConvertToSingle(sums.Rows());
                    total = Vector128.FusedMultiplyAdd(whole, Halves(scales) * x.Scales[at + block], total);
                    total = Vector128.FusedMultiplyAdd(Halves(scales + 32), Vector128.Create(x.Sums[at + block]), total);
                }

                total.Store(result + (token * PanelMatrix.PanelRows) + (quarter * 4));
            }
        }
    }

    public override void EightBits(byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result)
    {
        for (var token = 0; token < count; token++)
        {
            var value = x.Of(first + token);
            var at = (long)(first + token) * x.BlockStride;
            for (var quarter = 0; quarter < 4; quarter++)
            {
                var total = Vector128<float>.Zero;
                for (var block = 0; block < blocks; block++)
                {
                    var chunks = values + (block * PanelMatrix.EightBitsBytes) + (quarter * 16);
                    var (lows, highs) = (default(Sums), default(Sums));
                    for (var part = 0; part < 8; part++)
                    {
                        var chunk = Vector128.Load(chunks + (part * 64));
                        var four = value + (block * Activations.BlockBytes) + (part * 4);
                        lows.Add(Low(chunk), four);
                        highs.Add(High(chunk), four);
                    }

                    var whole = lows.Rows() + (highs.Rows() * 16) - Vector128.Create(128 * x.Counts[at + block]);
                    var step = Halves(scales + (block * 32) + (quarter * 8)) * x.Scales[at + block];
                    total = Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(whole), step, total);
                }

                total.Store(result + (token * PanelMatrix.PanelRows) + (quarter * 4));
            }
        }
    }

    private static Vector128<byte> Low(Vector128<byte> chunk) => chunk & Vector128.Create((byte)15);

    private static Vector128<byte> High(Vector128<byte> chunk) =>
        (chunk.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);

    private static Vector128<float> Halves(byte* source)
    {
        var half = (Half*)source;
        return Vector128.Create((float)half[0], (float)half[1], (float)half[2], (float)half[3]);
    }

    /// <summary>Sums of four rows, the coarse and the fine part of the activations apart; eight products stay within 16 bits.</summary>
    private struct Sums
    {
        private Vector128<short> _coarseUpper;
        private Vector128<short> _coarseLower;
        private Vector128<short> _fineUpper;
        private Vector128<short> _fineLower;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(Vector128<byte> weights, sbyte* activations)
        {
            var (upper, lower) = (Vector128.WidenLower(weights).AsInt16(), Vector128.WidenUpper(weights).AsInt16());
            var (coarse, fine) = (Four(activations), Four(activations + 32));
            _coarseUpper += upper * coarse;
            _coarseLower += lower * coarse;
            _fineUpper += upper * fine;
            _fineLower += lower * fine;
        }

        public readonly Vector128<int> Rows() =>
            (Rows(_coarseUpper, _coarseLower) * Activations.FineSteps) + Rows(_fineUpper, _fineLower);

        /// <summary>Four activations as words, twice.</summary>
        private static Vector128<short> Four(sbyte* activations) =>
            Vector128.WidenLower(Vector128.Create(*(int*)activations).AsSByte());

        private static Vector128<int> Rows(Vector128<short> upper, Vector128<short> lower)
        {
            var (a, b) = Vector128.Widen(upper);
            var (c, d) = Vector128.Widen(lower);
            return Vector128.Create(Vector128.Sum(a), Vector128.Sum(b), Vector128.Sum(c), Vector128.Sum(d));
        }
    }
}
