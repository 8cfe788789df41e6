namespace NextGpt.Conversations;

/// <summary>What an erasure removed.</summary>
/// <param name="Turns">Kept turns.</param>
/// <param name="Records">Journal records overwritten: turns, votes, consent acts.</param>
/// <param name="Media">Media files removed; those that others' turns use stay.</param>
/// <param name="Datasets">Datasets that held any of the turns: to be marked, with their adapters (PRI-5).</param>
public sealed record EraseReport(int Turns, int Records, int Media, IReadOnlyList<string> Datasets);
