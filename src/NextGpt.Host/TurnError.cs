namespace NextGpt.Host;

/// <summary>An error of the catalogue: one code on every surface, a sentence, a reference that is in the log line too.</summary>
/// <param name="Code">For example <c>prompt_too_long</c>.</param>
/// <param name="Sentence">What was wrong, what was expected, what to do.</param>
/// <param name="Reference">For example <c>7F3K</c>.</param>
/// <param name="RetryAfter">When trying again makes sense, or null.</param>
public sealed record TurnError(string Code, string Sentence, string Reference, TimeSpan? RetryAfter = null);
