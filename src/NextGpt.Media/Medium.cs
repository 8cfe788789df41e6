namespace NextGpt.Media;

/// <summary>A decoded picture, sound or clip: plain values, safe to keep and to hand on.</summary>
public abstract record Medium
{
    /// <summary>Which of the three it is.</summary>
    public abstract MediaKind Kind { get; }
}
