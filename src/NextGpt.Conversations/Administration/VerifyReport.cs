namespace NextGpt.Conversations;

/// <summary>What checking the whole log found (LOG-6).</summary>
public sealed record VerifyReport
{
    /// <summary>Sound records in the journal, erased ones included.</summary>
    public required long Records { get; init; }

    /// <summary>Kept turns that can be read.</summary>
    public required int Turns { get; init; }

    /// <summary>Bytes read.</summary>
    public required long Bytes { get; init; }

    /// <summary>Records that are damaged or missing.</summary>
    public required IReadOnlyList<DamagedRecord> Damaged { get; init; }

    /// <summary>Media files that are missing or do not match their hash, by hash.</summary>
    public required IReadOnlyList<string> DamagedMedia { get; init; }

    /// <summary>Media files no turn uses; <see cref="ConversationLog.SweepOrphansAsync"/> removes them.</summary>
    public required IReadOnlyList<string> OrphanMedia { get; init; }

    /// <summary>Records that were damaged at an earlier compaction and are gone.</summary>
    public required long LostEarlier { get; init; }

    /// <summary>Whether the audit trail's chain is unbroken.</summary>
    public required bool AuditIsSound { get; init; }

    /// <summary>Whether the index agrees with the journal; a false is repaired by making it anew.</summary>
    public required bool IndexAgrees { get; init; }

    /// <summary>Whether nothing is damaged; false is exit code 1.</summary>
    public bool IsSound => Damaged.Count == 0 && DamagedMedia.Count == 0 && AuditIsSound;
}

/// <summary>A record, or a run of records, that cannot be read.</summary>
/// <param name="FirstSequence">First sequence number.</param>
/// <param name="LastSequence">Last sequence number.</param>
/// <param name="TurnId">The turn it was, if that is still known.</param>
public sealed record DamagedRecord(long FirstSequence, long LastSequence, string? TurnId);
