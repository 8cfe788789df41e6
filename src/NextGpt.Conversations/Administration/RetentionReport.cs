namespace NextGpt.Conversations;

/// <summary>What the daily retention removed (PRI-8).</summary>
/// <param name="Turns">Turns past their time.</param>
/// <param name="Media">Media files past their time.</param>
/// <param name="AuditEntries">Entries of the audit trail past their time.</param>
/// <param name="Messages">Message keys forgotten.</param>
/// <param name="Exports">Exports older than a day.</param>
/// <param name="Backups">Backups past their time.</param>
public sealed record RetentionReport(
    int Turns, int Media, int AuditEntries, int Messages, int Exports, int Backups);
