namespace NextGpt.Conversations;

/// <summary>Counts of the log.</summary>
public sealed record LogStats
{
    /// <summary>Kept turns.</summary>
    public required int Turns { get; init; }

    /// <summary>People whose turns are kept.</summary>
    public required int Contributors { get; init; }

    /// <summary>People with a record of consent or withdrawal.</summary>
    public required int PeopleAsked { get; init; }

    /// <summary>Turns that may train now.</summary>
    public required int Trainable { get; init; }

    /// <summary>Last journal record.</summary>
    public required long LastSequence { get; init; }

    /// <summary>Bytes of the journal.</summary>
    public required long JournalBytes { get; init; }

    /// <summary>Of these, bytes that compaction would free.</summary>
    public required long FreeableBytes { get; init; }

    /// <summary>Media files.</summary>
    public required int MediaFiles { get; init; }

    /// <summary>Bytes of the index and of LiteDB's own log.</summary>
    public required long IndexBytes { get; init; }

    /// <summary>How often the index was made anew since the log was opened.</summary>
    public required int IndexRebuilds { get; init; }

    /// <summary>Records cut from the journal's end at opening because they were not whole.</summary>
    public required int TornRecords { get; init; }

    /// <summary>Records damaged or missing at opening.</summary>
    public required long DamagedRecords { get; init; }

    /// <summary>Entries of the audit trail.</summary>
    public required int AuditEntries { get; init; }

    /// <summary>Oldest and newest kept turn, UTC; null if there is none.</summary>
    public required (DateTimeOffset Oldest, DateTimeOffset Newest)? Span { get; init; }
}
