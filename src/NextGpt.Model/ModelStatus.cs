namespace NextGpt.Model;

/// <summary>Where a model stands between not loaded and ready.</summary>
public enum ModelState
{
    /// <summary>Nobody has asked for it yet.</summary>
    NotLoaded,

    /// <summary>It is being loaded.</summary>
    Loading,

    /// <summary>It answers.</summary>
    Ready,

    /// <summary>It could not be loaded; <see cref="ModelStatus.Failure"/> says why.</summary>
    Failed,
}

/// <summary>What can be said of the model right now; a snapshot.</summary>
public sealed record ModelStatus
{
    /// <summary>Where it stands.</summary>
    public required ModelState State { get; init; }

    /// <summary>The base model's id, and its adapter's after <c>+</c>.</summary>
    public required string ModelId { get; init; }

    /// <summary>Where the weights come from: a file or a folder. For operators, not for strangers.</summary>
    public required string Source { get; init; }

    /// <summary>How much is loaded, 0 to 100.</summary>
    public int Percent { get; init; }

    /// <summary>How long loading took, or null while it is not ready.</summary>
    public TimeSpan? LoadTime { get; init; }

    /// <summary>What computes (number format, device), or null while it is not ready.</summary>
    public string? Engine { get; init; }

    /// <summary>Why it could not be loaded: what was wrong, what was expected, what to do; else null.</summary>
    public string? Failure { get; init; }

    /// <summary>Parts of the model that cannot be used and why, a sentence each; the rest answers without them (DEG-1).</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];
}
