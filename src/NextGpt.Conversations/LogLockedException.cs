namespace NextGpt.Conversations;

/// <summary>The log is in use by another process; the message names it and says what to do (exit code 4).</summary>
/// <param name="message">For example: The log is in use by process 4711; stop it or use its API.</param>
public sealed class LogLockedException(string message) : Exception(message);
