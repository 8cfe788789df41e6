namespace NextGpt.Conversations.Audit;

/// <summary>What an audit record holds.</summary>
internal sealed record AuditContent(string Actor, string Act, string Detail, string Hash);
