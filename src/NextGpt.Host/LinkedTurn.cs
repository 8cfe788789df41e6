namespace NextGpt.Host;

/// <summary>A kept turn that a message of a platform leads to.</summary>
/// <param name="TurnId">The turn.</param>
/// <param name="Conversation">The conversation it belongs to.</param>
public sealed record LinkedTurn(string TurnId, ConversationId Conversation);
