namespace NextGpt.Media;

/// <summary>A decoded clip: pictures of one size at an even pace.</summary>
public sealed record VideoClip : Medium
{
    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Video;

    /// <summary>At least one picture, all of one size.</summary>
    public required IReadOnlyList<Picture> Frames { get; init; }

    /// <summary>Pictures a second, above 0.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>How long it lasts.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds(Frames.Count / FramesPerSecond);
}
