namespace NextGpt.Conversations;

/// <summary>A backup that was made.</summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Sequence">Last record in it.</param>
/// <param name="Turns">Kept turns in it.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Bytes">Bytes of them.</param>
public sealed record BackupReport(string Folder, long Sequence, int Turns, int Files, long Bytes);
