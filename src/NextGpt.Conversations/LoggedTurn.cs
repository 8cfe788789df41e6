using NextGpt.Media;

namespace NextGpt.Conversations;

/// <summary>A vote on an answer.</summary>
public enum TurnVote
{
    /// <summary>No vote.</summary>
    None,

    /// <summary>Thumbs up.</summary>
    Good,

    /// <summary>Thumbs down.</summary>
    Bad,
}

/// <summary>A turn as it is kept: redacted, with its vote.</summary>
public sealed record LoggedTurn
{
    /// <summary>The turn as offered, after redaction; media are listed in <see cref="MediaHashes"/> instead.</summary>
    public required TurnDraft Turn { get; init; }

    /// <summary>Journal sequence number, rising without gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>
    /// Whether it may train: allowed when it was kept, not withdrawn since, and on no sensitive topic.
    /// </summary>
    public required bool Trainable { get; init; }

    /// <summary>SHA-256 of each medium in order, as hexadecimal digits.</summary>
    public IReadOnlyList<string> MediaHashes { get; init; } = [];

    /// <summary>What is known of each medium, in the order of <see cref="MediaHashes"/>.</summary>
    public IReadOnlyList<LoggedMedium> Media { get; init; } = [];

    /// <summary>The person's vote.</summary>
    public TurnVote Vote { get; init; }

    /// <summary>The person's reason for the vote, redacted, or null.</summary>
    public string? VoteReason { get; init; }

    /// <summary>The person's corrected answer, redacted, or null.</summary>
    public string? Correction { get; init; }

    /// <summary>Sensitive topics found; any of them keeps the turn from training (PRI-7).</summary>
    public SensitiveTopics Topics { get; init; }

    /// <summary>Datasets it went into (lineage, PRI-5).</summary>
    public IReadOnlyList<string> Datasets { get; init; } = [];

    /// <summary>Number of redactions made in question and answer.</summary>
    public int Redactions { get; init; }
}

/// <summary>A medium of a kept turn; its bytes come from <see cref="ConversationLog.ReadMedium"/>.</summary>
/// <param name="FromPerson">True if the person sent it, false if the model made it.</param>
/// <param name="MediaType">For example <c>image/png</c>.</param>
/// <param name="Hash">SHA-256 of its file, 64 hexadecimal digits.</param>
/// <param name="Caption">What it shows, redacted, or null.</param>
public sealed record LoggedMedium(bool FromPerson, string MediaType, string Hash, string? Caption)
{
    /// <summary>Picture, sound or clip where the type alone does not say; else null.</summary>
    public MediaKind? Kind { get; init; }

    /// <summary>Its place in the answer's text, in UTF-16 units from the start.</summary>
    public int TextOffset { get; init; }
}
