namespace NextGpt.Conversations;

/// <summary>What a compaction did.</summary>
/// <param name="Records">Records copied.</param>
/// <param name="BytesBefore">Bytes of the journal before.</param>
/// <param name="BytesAfter">Bytes of the journal after.</param>
/// <param name="LostRecords">Damaged records that could not be copied.</param>
public sealed record CompactReport(long Records, long BytesBefore, long BytesAfter, long LostRecords);
