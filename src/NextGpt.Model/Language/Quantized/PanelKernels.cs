using System.Runtime.Intrinsics.X86;

namespace NextGpt.Model.Language.Quantized;

/// <summary>Which instructions the products use.</summary>
internal enum KernelPath
{
    /// <summary>Vectors of 128 bits that every machine has in some form.</summary>
    Portable,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary>AVX-512 with byte and word instructions.</summary>
    Avx512,
}

/// <summary>
/// Products of a panel of quantised weights with quantised activations. Integer sums are exact and floats are added block
/// by block with one rounding each, in the same order everywhere, so every path gives the same bytes for any number of
/// tokens at a time.
/// </summary>
/// <remarks>A single token's weights come straight from memory and are fetched ahead; with more tokens they stay near.</remarks>
internal abstract unsafe class PanelKernels
{
    /// <summary>How far ahead of the arithmetic a single token's weights are fetched, in bytes.</summary>
    protected const int Ahead = 2_048;

    /// <summary>The path.</summary>
    public abstract KernelPath Path { get; }

    /// <summary>The best path of this machine.</summary>
    public static KernelPath Best =>
        Avx512BW.IsSupported ? KernelPath.Avx512 : Avx2.IsSupported && Fma.IsSupported ? KernelPath.Avx2 : KernelPath.Portable;

    /// <summary>Whether this machine can run a path.</summary>
    public static bool CanRun(KernelPath path) => path <= Best;

    /// <summary>The kernels of a path.</summary>
    /// <exception cref="PlatformNotSupportedException">This machine lacks the instructions.</exception>
    public static PanelKernels Of(KernelPath path) => !CanRun(path)
        ? throw new PlatformNotSupportedException($"This machine cannot run {path} kernels; its best are {Best}.")
        : path switch
        {
            KernelPath.Avx512 => new Avx512Kernels(),
            KernelPath.Avx2 => new Avx2Kernels(),
            _ => new PortableKernels(),
        };

    /// <summary>Products with a four-bit panel.</summary>
    /// <param name="panel">The panel's first block.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="x">Activations.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">Tokens, 1 to 4.</param>
    /// <param name="result">[4, 16]; rows beyond <paramref name="count"/> are scratch.</param>
    public abstract void FourBits(byte* panel, int blocks, Activations x, int first, int count, float* result);

    /// <summary>Products with an eight-bit panel.</summary>
    /// <param name="scales">[blocks, 16] float16.</param>
    /// <param name="values">[blocks, 8, 16, 4] bytes, each the weight plus 128.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="x">Activations.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">Tokens, 1 to 4.</param>
    /// <param name="result">[4, 16]; rows beyond <paramref name="count"/> are scratch.</param>
    public abstract void EightBits(byte* scales, byte* values, int blocks, Activations x, int first, int count, float* result);
}
