namespace NextGpt.Conversations;

/// <summary>An entry of the audit trail: who did what when, never any content.</summary>
/// <param name="Number">Rises along the trail; numbers may be left out.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Actor">A person's key, <c>admin</c> or <c>system</c>.</param>
/// <param name="Act">For example <c>consent</c>, <c>erase</c>, <c>export</c>, <c>compact</c>.</param>
/// <param name="Detail">Counts and versions, no content.</param>
/// <param name="Hash">SHA-256 over the previous entry's hash and this entry, 64 hexadecimal digits.</param>
public sealed record AuditEntry(
    long Number, DateTimeOffset At, string Actor, string Act, string Detail, string Hash);
