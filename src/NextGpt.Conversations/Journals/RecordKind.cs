namespace NextGpt.Conversations.Journals;

/// <summary>What a journal record is about. The numbers are on disk and never change.</summary>
internal enum RecordKind : byte
{
    /// <summary>Nothing any more: erased, torn before it was acknowledged, or merged by compaction.</summary>
    Void = 0,

    /// <summary>A kept turn.</summary>
    Turn = 1,

    /// <summary>A vote on a turn; the latest one counts, earlier ones are voided.</summary>
    Vote = 2,

    /// <summary>An act of consent or withdrawal.</summary>
    Consent = 3,

    /// <summary>Everything of a person before this record is erased.</summary>
    Erasure = 4,

    /// <summary>One turn is removed.</summary>
    Removal = 5,

    /// <summary>Turns went into a dataset (lineage).</summary>
    DatasetUse = 6,

    /// <summary>
    /// Names the records that are about to be overwritten, so that an overwriting cut short by a crash is finished at the
    /// next opening and not taken for damage. Content: sequence numbers of 8 bytes each.
    /// </summary>
    Overwriting = 7,

    /// <summary>A person's name for a conversation; the latest one counts, earlier ones are voided. Since schema 2.</summary>
    ConversationName = 8,

    /// <summary>
    /// A message or place of a platform leads to a turn: its keyed hash stands where a turn has its message's. No content.
    /// Since schema 3.
    /// </summary>
    TurnLink = 9,

    /// <summary>Work on a message began (message ledger).</summary>
    MessageBegun = 16,

    /// <summary>Work on a message ended (message ledger).</summary>
    MessageEnded = 17,

    /// <summary>An entry of the audit trail.</summary>
    Audit = 32,
}
