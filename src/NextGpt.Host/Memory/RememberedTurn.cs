namespace NextGpt.Host.Memory;

/// <summary>A question with its answer, as remembered for the turns that follow.</summary>
internal sealed record RememberedTurn
{
    public required string TurnId { get; init; }

    /// <summary>The turn it follows; null for the first of a branch.</summary>
    public required string? ParentTurnId { get; init; }

    public required string MessageId { get; init; }

    public required int Revision { get; init; }

    public required string Question { get; init; }

    public required string Answer { get; init; }

    /// <summary>Files of the question, then media of the answer.</summary>
    public IReadOnlyList<RememberedMedium> Media { get; init; } = [];

    public required string FinishReason { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public required DateTimeOffset AnsweredAt { get; init; }

    /// <summary>Whether it is in the log; what is not is forgotten after an hour (PRI-1).</summary>
    public required bool Kept { get; init; }

    /// <summary>Whether a newer revision of its question exists (TRN-5).</summary>
    public bool Outdated { get; init; }
}
