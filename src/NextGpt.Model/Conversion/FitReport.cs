namespace NextGpt.Model.Conversion;

/// <summary>What a part needs in memory.</summary>
/// <param name="Name">As in <see cref="ConversionParts"/>, or <c>projections</c>.</param>
/// <param name="Parameters">Numbers in its weights.</param>
/// <param name="WeightBytes">Its weights in the type they are used in.</param>
/// <param name="WorkBytes">Estimate of what one use of it needs beside the weights; for the language model the context's keys and values too.</param>
/// <param name="ElementType">The type they are used in.</param>
public sealed record PartNeed(string Name, long Parameters, long WeightBytes, long WorkBytes, string ElementType);

/// <summary>How a package lies in a device's memory.</summary>
public enum FitVerdict
{
    /// <summary>All parts at once.</summary>
    Whole,

    /// <summary>Some decoders only while they are used.</summary>
    OffLoaded,

    /// <summary>Not even the language model with the largest of the others.</summary>
    TooLarge,
}

/// <summary>Whether a package fits a device.</summary>
public sealed record FitReport
{
    /// <summary>The parts; the language model first.</summary>
    public required IReadOnlyList<PartNeed> Parts { get; init; }

    /// <summary>Prompt plus reply, in tokens.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Keys and values of one conversation of that length.</summary>
    public required long KeyValueBytes { get; init; }

    /// <summary><c>cpu</c> or <c>cuda:0</c>.</summary>
    public required string Device { get; init; }

    /// <summary>What the device has.</summary>
    public required long DeviceBytes { get; init; }

    /// <summary>All weights, and the work of the part that needs most.</summary>
    public required long NeededBytes { get; init; }

    /// <summary>The least with which the package works: language model, its context, and the largest other part.</summary>
    public required long LeastBytes { get; init; }

    /// <summary>Parts that are off-loaded between uses, largest first.</summary>
    public required IReadOnlyList<string> OffLoaded { get; init; }

    /// <summary>The verdict.</summary>
    public required FitVerdict Verdict { get; init; }
}
