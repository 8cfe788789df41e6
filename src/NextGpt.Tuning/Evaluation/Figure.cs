namespace NextGpt.Tuning.Evaluation;

/// <summary>One measured number beside what it is to be compared with.</summary>
public sealed record Figure
{
    /// <summary>Unique in a report, for example <c>talk.right</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What was counted, for people.</summary>
    public required string What { get; init; }

    /// <summary>The number: a share from 0 to 1, or a perplexity, or a ratio.</summary>
    public required double Value { get; init; }

    /// <summary>Whether <see cref="Value"/> is a share.</summary>
    public bool IsShare { get; init; } = true;

    /// <summary>How many of <see cref="Count"/>; null where nothing was counted.</summary>
    public int? Right { get; init; }

    /// <summary>Of how many, or how many tokens went into it.</summary>
    public required int Count { get; init; }

    /// <summary>Where the true share lies in 95 of 100 such tests; null where nothing was counted.</summary>
    public WilsonInterval? Interval { get; init; }

    /// <summary>What one gets without any learning; null where nothing is known.</summary>
    public double? Floor { get; init; }

    /// <summary>What is aimed at; null where there is no aim.</summary>
    public double? Aim { get; init; }

    /// <summary>The best that can be seen with this way of measuring, such as the score of real pictures; null where it is not known.</summary>
    public double? UpperBound { get; init; }

    /// <summary>Whether less is better.</summary>
    public bool LowerIsBetter { get; init; }

    /// <summary>A sentence for the reader; null where there is nothing to say.</summary>
    public string? Note { get; init; }

    /// <summary>Whether the aim is reached; null where there is none.</summary>
    public bool? Reached => Aim is not { } aim ? null : LowerIsBetter ? Value <= aim : Value >= aim;

    /// <summary>A share of a count, with its interval.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="what">See <see cref="What"/>.</param>
    /// <param name="right">How many.</param>
    /// <param name="count">Of how many, 1 and up.</param>
    public static Figure Share(string name, string what, int right, int count) => new()
    {
        Name = name,
        What = what,
        Right = right,
        Count = count,
        Value = (double)right / count,
        Interval = WilsonInterval.Of(right, count),
    };

    /// <summary>The share of marks that are true.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="what">See <see cref="What"/>.</param>
    /// <param name="marks">At least one.</param>
    internal static Figure Share(string name, string what, IReadOnlyCollection<bool> marks) => Share(name, what, marks.Count(mark => mark), marks.Count);
}
