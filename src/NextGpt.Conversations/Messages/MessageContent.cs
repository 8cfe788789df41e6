namespace NextGpt.Conversations.Messages;

/// <summary>What the ledger writes of a message: its key and where to answer while work is open, its end afterwards.</summary>
internal sealed record MessageContent(string? Key, string? Route, int Attempt, MessageEnd End);
