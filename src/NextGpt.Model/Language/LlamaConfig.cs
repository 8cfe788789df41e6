namespace NextGpt.Model.Language;

/// <summary>How positions are stretched beyond the trained length.</summary>
public enum RopeScaling
{
    /// <summary>Plain rotary positions.</summary>
    None,

    /// <summary>Positions divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3: high frequencies kept, low ones divided, a blend between.</summary>
    Llama3,
}

/// <summary>The numbers of a LLaMA-architecture network, as in <c>config.json</c> or GGUF metadata.</summary>
public sealed record LlamaConfig
{
    /// <summary>Rows of the token embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward blocks.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Number of key/value heads (grouped-query attention); equals the query heads without grouping.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of one head; need not be hidden / heads.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Epsilon of the root-mean-square norms.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeBase { get; init; } = 10_000;

    /// <summary>How positions are stretched.</summary>
    public RopeScaling RopeScaling { get; init; }

    /// <summary>The stretch; 1 is none.</summary>
    public double RopeFactor { get; init; } = 1;

    /// <summary>Llama 3 stretch: wavelengths above trained length / this are divided.</summary>
    public double RopeLowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3 stretch: wavelengths below trained length / this are kept.</summary>
    public double RopeHighFrequencyFactor { get; init; } = 4;

    /// <summary>Llama 3 stretch: the length the base was trained with, in tokens.</summary>
    public int RopeTrainedLength { get; init; } = 8_192;

    /// <summary>Longest sequence, in tokens.</summary>
    public int ContextLength { get; init; } = 2_048;

    /// <summary>Whether the head is the token embedding.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Whether query, key and value projections have biases (Qwen2).</summary>
    public bool QueryKeyValueBias { get; init; }
}
