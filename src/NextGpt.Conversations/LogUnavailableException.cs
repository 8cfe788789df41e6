namespace NextGpt.Conversations;

/// <summary>The log's disk fails or is full; the store reopens by itself. The message says what the operator can do.</summary>
/// <param name="message">A sentence for the operator.</param>
/// <param name="cause">The failure, or null.</param>
public sealed class LogUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
