using NextGpt.Media;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Alignment;

/// <summary>A medium among the tokens of a row.</summary>
/// <param name="Position">Of its first token.</param>
/// <param name="Count">Positions that it takes.</param>
/// <param name="Recipe">How it is made.</param>
public sealed record ShownMedium(int Position, int Count, MediumRecipe Recipe);

/// <summary>A signal among the tokens of a row.</summary>
/// <param name="Start">Of its first token, media spliced in.</param>
/// <param name="Length">Positions that it takes.</param>
/// <param name="Kind">What it means.</param>
/// <param name="Caption">What the decoder's text encoder is given.</param>
/// <param name="Target">The medium that is meant; null where only the caption is known.</param>
public sealed record SpokenSignal(int Start, int Length, MediaKind Kind, string Caption, MediumRecipe? Target);

/// <summary>A written conversation to learn from.</summary>
public sealed record TrainingRow
{
    /// <summary>The tokens, −1 where a medium stands.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>The tokens where they are learnt, else <see cref="NextTokenLoss.Unlabelled"/>.</summary>
    public required IReadOnlyList<long> Labels { get; init; }

    /// <summary>How much the row counts beside others, 0 and up.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Media in order.</summary>
    public IReadOnlyList<ShownMedium> Media { get; init; } = [];

    /// <summary>Signals in order.</summary>
    public IReadOnlyList<SpokenSignal> Signals { get; init; } = [];
}

/// <summary>Rows to learn from, each a function of its place, so that a resumed run reads what the broken one would have.</summary>
public interface IRowSource
{
    /// <summary>The row at a place.</summary>
    /// <param name="place">0 and up, as many as are wanted.</param>
    TrainingRow At(long place);
}
