namespace NextGpt.Conversations;

/// <summary>An export that waits to be fetched.</summary>
/// <param name="Id">Random id; hand it to its person only.</param>
/// <param name="ExpiresAt">When it is removed, UTC.</param>
/// <param name="Turns">Turns in it.</param>
public sealed record ExportTicket(string Id, DateTimeOffset ExpiresAt, int Turns);
