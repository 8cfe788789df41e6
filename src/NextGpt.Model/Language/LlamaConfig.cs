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

    /// <summary>Refuses numbers that no network can have, before anything is allocated by them.</summary>
    /// <param name="source">The file the numbers came from, for the message.</param>
    /// <exception cref="InvalidDataException">Names the number and its range.</exception>
    public void Validate(string source)
    {
        Require(source, "vocabulary size", VocabularySize, 2, 4_194_304);
        Require(source, "hidden size", HiddenSize, 1, 131_072);
        Require(source, "intermediate size", IntermediateSize, 1, 1_048_576);
        Require(source, "number of layers", Layers, 1, 1_024);
        Require(source, "number of heads", QueryHeads, 1, 4_096);
        Require(source, "number of key/value heads", KeyValueHeads, 1, QueryHeads);
        Require(source, "head size", HeadSize, 2, 4_096);
        Require(source, "context length", ContextLength, 1, 1 << 30);
        Require(source, "norm epsilon", NormEpsilon, 1e-12, 0.1);
        Require(source, "rope base", RopeBase, 1, 1e15);
        Require(source, "rope factor", RopeFactor, 1, 1e6);
        if (QueryHeads % KeyValueHeads != 0)
        {
            throw new InvalidDataException(
                $"{source}: {QueryHeads} heads cannot share {KeyValueHeads} key/value heads evenly; the file is damaged.");
        }

        if (HeadSize % 2 != 0)
        {
            throw new InvalidDataException($"{source}: head size {HeadSize} is odd; rotary positions need an even one.");
        }

        if (RopeScaling == RopeScaling.Llama3
            && (RopeTrainedLength < 1 || RopeLowFrequencyFactor <= 0 || RopeHighFrequencyFactor <= RopeLowFrequencyFactor))
        {
            throw new InvalidDataException(
                $"{source}: the llama3 rope scaling needs 0 < low_freq_factor < high_freq_factor and a trained length from 1 up.");
        }
    }

    private static void Require(string source, string what, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
        {
            throw new InvalidDataException(FormattableString.Invariant(
                $"{source}: {what} is {value}, {least} to {most} was expected; the file is damaged or of another architecture."));
        }
    }
}
