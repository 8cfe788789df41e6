namespace NextGpt.Conversations;

/// <summary>A person's conversation in a list.</summary>
/// <param name="ConversationId">Its id.</param>
/// <param name="Surface">Where it took place.</param>
/// <param name="Turns">Kept turns.</param>
/// <param name="First">When the first was asked, UTC.</param>
/// <param name="Last">When the last was asked, UTC.</param>
public sealed record ConversationSummary(
    string ConversationId, string Surface, int Turns, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>The name the person gave it, redacted, or null.</summary>
    public string? Name { get; init; }
}
