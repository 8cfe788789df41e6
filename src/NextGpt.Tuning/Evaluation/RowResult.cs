namespace NextGpt.Tuning.Evaluation;

/// <summary>One thing that was asked and what came.</summary>
/// <param name="Asked">The request, or what was shown.</param>
/// <param name="Said">What the model said.</param>
/// <param name="Wanted">What a right answer holds; null where many are right.</param>
/// <param name="Right">Whether it was right; null where that is not judged.</param>
/// <param name="Note">Anything else, for example how an independent encoder ranked it.</param>
public sealed record EvaluationItem(string Asked, string Said, string? Wanted = null, bool? Right = null, string? Note = null);

/// <summary>One row of the table: measured, or why it could not be.</summary>
public sealed record RowResult
{
    /// <summary>Its name, as <c>--rows</c> takes it.</summary>
    public required string Row { get; init; }

    /// <summary>What it measures, for people.</summary>
    public required string Title { get; init; }

    /// <summary>Why it could not be measured, a sentence; null where it was.</summary>
    public string? NotRun { get; init; }

    /// <summary>What of it could not be measured and why, a sentence each.</summary>
    public IReadOnlyList<string> Gaps { get; init; } = [];

    /// <summary>The numbers.</summary>
    public IReadOnlyList<Figure> Figures { get; init; } = [];

    /// <summary>Everything that was asked, so that somebody can read what the numbers are made of.</summary>
    public IReadOnlyList<EvaluationItem> Items { get; init; } = [];

    /// <summary>Files with pictures of what was made, relative to the report.</summary>
    public IReadOnlyList<string> Sheets { get; init; } = [];

    /// <summary>Seed of everything that was drawn by chance.</summary>
    public int Seed { get; init; }

    /// <summary>How long it took.</summary>
    public double Seconds { get; init; }

    /// <summary>When it was measured.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What it depends on (package, seed, judge, world, counts); a stored row with another key is measured anew.</summary>
    public string Key { get; init; } = string.Empty;
}
