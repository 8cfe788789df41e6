namespace NextGpt.Conversations.Journals;

/// <summary>The fixed part of a record: enough to rebuild what the program holds in memory without reading content.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Flags">Meaning depends on the kind; see <see cref="RecordFlags"/>.</param>
/// <param name="Count">For <see cref="RecordKind.Void"/>: how many sequence numbers end here (0 is one).</param>
/// <param name="Person">Whose record, or zero.</param>
/// <param name="Subject">Turn id, message hash or random id of the act.</param>
/// <param name="MessageHash">Keyed hash of a turn's message key, or zero.</param>
/// <param name="UtcTicks">When it was written.</param>
internal readonly record struct RecordHead(
    RecordKind Kind,
    RecordFlags Flags,
    uint Count,
    UInt128 Person,
    UInt128 Subject,
    UInt128 MessageHash,
    long UtcTicks)
{
    /// <summary>Sequence numbers a record covers.</summary>
    public long Covers => Kind is RecordKind.Void && Count > 1 ? Count : 1;
}

/// <summary>Facts about a record that are needed without reading its content.</summary>
[Flags]
internal enum RecordFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Training was allowed when the turn was kept, and nothing in it forbids it.</summary>
    Trainable = 1,

    /// <summary>The turn has media.</summary>
    HasMedia = 2,

    /// <summary>A void record that stands for damage found at compaction.</summary>
    WasDamaged = 4,

    /// <summary>The erasure follows a withdrawal of consent, not a request to erase.</summary>
    Withdrawal = 8,
}

/// <summary>Where a record lies.</summary>
/// <param name="Segment">Its file.</param>
/// <param name="Offset">First byte of its frame.</param>
/// <param name="BodyLength">Bytes of head and content.</param>
/// <param name="Sequence">Its number.</param>
internal readonly record struct RecordLocation(JournalSegment Segment, int Offset, int BodyLength, long Sequence);

/// <summary>A record to be written.</summary>
/// <param name="Head">Fixed part.</param>
/// <param name="Content">UTF-8 JSON, or empty.</param>
internal readonly record struct JournalEntry(RecordHead Head, ReadOnlyMemory<byte> Content);
