namespace NextGpt.Model.Weights;

/// <summary>How a GGUF tensor's elements are stored; the numbers are those of the file format.</summary>
internal enum GgufType
{
    /// <summary>float32.</summary>
    F32 = 0,

    /// <summary>float16.</summary>
    F16 = 1,

    /// <summary>32 elements: f16 scale, 16 bytes of nibbles meaning −8..7.</summary>
    Q4_0 = 2,

    /// <summary>32 elements: f16 scale, f16 minimum, 16 bytes of nibbles meaning 0..15.</summary>
    Q4_1 = 3,

    /// <summary>32 elements: f16 scale, 32 high bits, 16 bytes of nibbles; together −16..15.</summary>
    Q5_0 = 6,

    /// <summary>32 elements: f16 scale, 32 signed bytes.</summary>
    Q8_0 = 8,

    /// <summary>256 elements in 8 runs, each with a 6-bit scale and a 6-bit minimum.</summary>
    Q4_K = 12,

    /// <summary>256 elements in 16 runs, each with an 8-bit scale; elements −32..31.</summary>
    Q6_K = 14,

    /// <summary>bfloat16.</summary>
    BF16 = 30,
}

/// <summary>Block sizes of the types this reader knows.</summary>
internal static class GgufTypes
{
    /// <summary>The types, for messages.</summary>
    public static string Known { get; } = string.Join(", ", Enum.GetNames<GgufType>());

    /// <summary>Elements per block and bytes per block; null for a type that is not read.</summary>
    /// <remarks>Sizes from ggml's <c>ggml-common.h</c>.</remarks>
    public static (int Elements, int Bytes)? Block(GgufType type) => type switch
    {
        GgufType.F32 => (1, 4),
        GgufType.F16 or GgufType.BF16 => (1, 2),
        GgufType.Q4_0 => (32, 18),
        GgufType.Q4_1 => (32, 20),
        GgufType.Q5_0 => (32, 22),
        GgufType.Q8_0 => (32, 34),
        GgufType.Q4_K => (256, 144),
        GgufType.Q6_K => (256, 210),
        _ => null,
    };

    /// <summary>The format's word for a type number this reader does not know, for messages.</summary>
    public static string Describe(uint number) => number switch
    {
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        13 => "Q5_K",
        15 => "Q8_K",
        20 => "IQ4_NL",
        23 => "IQ4_XS",
        39 => "MXFP4",
        _ => Enum.IsDefined((GgufType)number) ? ((GgufType)number).ToString() : $"number {number}",
    };
}
