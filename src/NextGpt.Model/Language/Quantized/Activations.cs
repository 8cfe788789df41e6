using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Activations of several tokens as whole numbers of 15 bits and a sign: blocks of 32 with a float32 scale each, every
/// number split into a coarse signed byte and a fine one (number = 254 coarse + fine). Optionally the float32 values too.
/// </summary>
/// <remarks>
/// One byte alone (what llama.cpp uses) moves the embedded model's logits by 3 to 4 %; two move them by 0.05 %. Decoding
/// waits for memory anyway, so the second byte costs it nothing.
/// </remarks>
internal sealed unsafe class Activations : IDisposable
{
    /// <summary>Fine steps in a coarse one: the fine part is −127..127.</summary>
    public const int FineSteps = 254;

    /// <summary>Bytes of a block: 32 coarse parts, then 32 fine parts.</summary>
    public const int BlockBytes = 2 * PanelMatrix.BlockColumns;

    private const int Largest = 127 * FineSteps;

    private readonly byte* _memory;

    /// <summary>Takes memory.</summary>
    /// <param name="tokens">Most tokens at a time.</param>
    /// <param name="columns">Most columns.</param>
    /// <param name="plain">Whether float32 values are kept too.</param>
    public Activations(int tokens, int columns, bool plain)
    {
        Stride = (columns + 31) / 32 * 32;
        BlockStride = Stride / PanelMatrix.BlockColumns;
        var perToken = (2 * Stride) + (3 * BlockStride * sizeof(float)) + (plain ? Stride * sizeof(float) : 0);
        var size = (nuint)perToken * (nuint)tokens;
        _memory = (byte*)NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(_memory, size);
        Scales = (float*)(_memory + (2L * tokens * Stride));
        Sums = Scales + ((long)tokens * BlockStride);
        Counts = (int*)(Sums + ((long)tokens * BlockStride));
        Plain = plain ? (float*)(Counts + ((long)tokens * BlockStride)) : null;
    }

    /// <summary>[tokens, block stride] what a fine step is worth in each block.</summary>
    public float* Scales { get; }

    /// <summary>[tokens, block stride] sum of each block's numbers times its scale.</summary>
    public float* Sums { get; }

    /// <summary>[tokens, block stride] sum of each block's numbers.</summary>
    public int* Counts { get; }

    /// <summary>[tokens, stride] the values before quantisation, or null.</summary>
    public float* Plain { get; }

    /// <summary>Columns from one token to the next, a multiple of 32.</summary>
    public int Stride { get; }

    /// <summary>Blocks from one token to the next.</summary>
    public int BlockStride { get; }

    /// <summary>The first block of a token.</summary>
    public sbyte* Of(int token) => (sbyte*)_memory + (2L * token * Stride);

    /// <summary>Quantises one token; columns up to the next multiple of 32 become zero.</summary>
    /// <param name="token">Which token.</param>
    /// <param name="source">[columns]</param>
    /// <param name="columns">How many.</param>
    public void Set(int token, float* source, int columns)
    {
        var values = Of(token);
        var whole = columns / PanelMatrix.BlockColumns;
        var first = (long)token * BlockStride;
        for (var block = 0; block < whole; block++)
        {
            Block(source + (block * 32), values + (block * BlockBytes), first + block);
        }

        if (columns % PanelMatrix.BlockColumns != 0)
        {
            var last = stackalloc float[PanelMatrix.BlockColumns];
            new Span<float>(last, PanelMatrix.BlockColumns).Clear();
            new ReadOnlySpan<float>(source + (whole * 32), columns % 32).CopyTo(new Span<float>(last, 32));
            Block(last, values + (whole * BlockBytes), first + whole);
        }

        if (Plain is not null)
        {
            var plain = new Span<float>(Plain + ((long)token * Stride), Stride);
            new ReadOnlySpan<float>(source, columns).CopyTo(plain);
            plain[columns..].Clear();
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private void Block(float* source, sbyte* values, long block)
    {
        var (a, b) = (Vector256.Load(source), Vector256.Load(source + 8));
        var (c, d) = (Vector256.Load(source + 16), Vector256.Load(source + 24));
        var largest = Vector256.Max(
            Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)));
        var half = Vector128.Max(largest.GetLower(), largest.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        var magnitude = Math.Max(half[0], half[1]);
        var inverse = magnitude > 0 ? Largest / magnitude : 0;

        // Adding 1.5 * 2^23 rounds to the nearest whole number and leaves it in the low bits.
        var factor = Vector256.Create(inverse);
        var magic = Vector256.Create(12_582_912f);
        var (numbersA, coarseA) = Split(a);
        var (numbersB, coarseB) = Split(b);
        var (numbersC, coarseC) = Split(c);
        var (numbersD, coarseD) = Split(d);
        Vector256.Narrow(Vector256.Narrow(coarseA, coarseB), Vector256.Narrow(coarseC, coarseD)).Store(values);
        Vector256.Narrow(
            Vector256.Narrow(numbersA - (coarseA * FineSteps), numbersB - (coarseB * FineSteps)),
            Vector256.Narrow(numbersC - (coarseC * FineSteps), numbersD - (coarseD * FineSteps))).Store(values + 32);
        var count = Vector256.Sum(numbersA + numbersB + numbersC + numbersD);
        Scales[block] = magnitude / Largest;
        Counts[block] = count;
        Sums[block] = magnitude / Largest * count;

        (Vector256<int> Number, Vector256<int> Coarse) Split(Vector256<float> x)
        {
            var number = (x * factor) + magic;
            var coarse = ((number - magic) * (1f / FineSteps)) + magic;
            return (number.AsInt32() - magic.AsInt32(), coarse.AsInt32() - magic.AsInt32());
        }
    }
}
