using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>
/// An act that takes something back. It is kept without content, because a backup made before it must not undo it.
/// </summary>
/// <param name="Id">Random id of the act, 32 hexadecimal digits.</param>
/// <param name="Kind">What was taken back.</param>
/// <param name="Person">Whose.</param>
/// <param name="Turn">The turn, or empty.</param>
/// <param name="UtcTicks">When.</param>
internal sealed record Tombstone(string Id, TombstoneKind Kind, string Person, string Turn, long UtcTicks)
{
    /// <summary>The records that make it true again in a restored journal.</summary>
    public IReadOnlyList<JournalEntry> Reapply()
    {
        var (id, person) = (TurnDirectory.Number(Id), TurnDirectory.Number(Person));
        return Kind switch
        {
            TombstoneKind.Erased => [new(Erasure(id, person, RecordFlags.None), default)],
            TombstoneKind.KeepingWithdrawn =>
            [
                new(Erasure(id, person, RecordFlags.Withdrawal), default),
                LogState.ConsentEntry(id, person, new(false, false, "", "reapplied"), UtcTicks),
            ],
            TombstoneKind.KeepingPaused =>
                [LogState.ConsentEntry(id, person, new(false, false, "", ConsentContent.UnderAge), UtcTicks)],
            TombstoneKind.TrainingWithdrawn =>
                [LogState.ConsentEntry(id, person, new(true, false, "", "training withdrawn"), UtcTicks)],
            _ => [new(new(RecordKind.Removal, RecordFlags.None, 0, person, TurnDirectory.Number(Turn), id, UtcTicks), default)],
        };
    }

    private RecordHead Erasure(UInt128 id, UInt128 person, RecordFlags flags) =>
        new(RecordKind.Erasure, flags, 0, person, id, 0, UtcTicks);
}

/// <summary>What an act took back.</summary>
internal enum TombstoneKind
{
    /// <summary>Everything of a person.</summary>
    Erased = 1,

    /// <summary>The consent to keep, and with it all turns.</summary>
    KeepingWithdrawn = 2,

    /// <summary>The consent to train.</summary>
    TrainingWithdrawn = 3,

    /// <summary>One turn.</summary>
    TurnRemoved = 4,

    /// <summary>Keeping was switched off without removing anything (a statement of age).</summary>
    KeepingPaused = 5,
}
