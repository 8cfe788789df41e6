namespace NextGpt.Model.Weights;

/// <summary>Element types of a safetensors file that this program reads and writes.</summary>
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1 (<c>BOOL</c>).</summary>
    Bool,

    /// <summary>Unsigned, 8 bits (<c>U8</c>).</summary>
    U8,

    /// <summary>Signed, 8 bits (<c>I8</c>).</summary>
    I8,

    /// <summary>Signed, 16 bits (<c>I16</c>).</summary>
    I16,

    /// <summary>Unsigned, 16 bits (<c>U16</c>).</summary>
    U16,

    /// <summary>IEEE half precision, 16 bits (<c>F16</c>).</summary>
    F16,

    /// <summary>The upper half of a float32, 16 bits (<c>BF16</c>).</summary>
    BF16,

    /// <summary>Signed, 32 bits (<c>I32</c>).</summary>
    I32,

    /// <summary>Unsigned, 32 bits (<c>U32</c>).</summary>
    U32,

    /// <summary>IEEE single precision, 32 bits (<c>F32</c>).</summary>
    F32,

    /// <summary>IEEE double precision, 64 bits (<c>F64</c>).</summary>
    F64,

    /// <summary>Signed, 64 bits (<c>I64</c>).</summary>
    I64,

    /// <summary>Unsigned, 64 bits (<c>U64</c>).</summary>
    U64,
}
