using NextGpt.Media;

namespace NextGpt.Tuning.Data;

/// <summary>A recipe and words that are true of what it makes.</summary>
internal sealed record Composed
{
    /// <summary>How it is made.</summary>
    public required MediumRecipe Recipe { get; init; }

    /// <summary>What it shows, as a person says it: a phrase, with its article.</summary>
    public required string Said { get; init; }

    /// <summary>What it shows in the words that decoders have learnt.</summary>
    public required string Caption { get; init; }

    /// <summary>Which rule made it.</summary>
    public required string Rule { get; init; }

    /// <summary>How many things are in it, where that was chosen.</summary>
    public int? Count { get; init; }

    /// <summary>The main thing's measured colour, where it is clear.</summary>
    public string? Colour { get; init; }

    /// <summary>The thing's own name without attributes.</summary>
    public string? Thing { get; init; }

    /// <summary>Which medium.</summary>
    public MediaKind Kind => Recipe.Kind;
}
