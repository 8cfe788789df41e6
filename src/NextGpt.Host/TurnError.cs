namespace NextGpt.Host;

/// <summary>An error of the catalogue: one code on every surface, a sentence, a reference that is in the log line too.</summary>
/// <param name="Code">For example <c>prompt_too_long</c>.</param>
/// <param name="Sentence">What was wrong, what was expected, what to do.</param>
/// <param name="Reference">For example <c>7F3K</c>.</param>
/// <param name="RetryAfter">When trying again makes sense, or null.</param>
public sealed record TurnError(string Code, string Sentence, string Reference, TimeSpan? RetryAfter = null)
{
    /// <summary>The HTTP status a web surface answers with.</summary>
    public int HttpStatus { get; init; } = 500;

    /// <summary>The request's field that was wrong, or null.</summary>
    public string? Field { get; init; }

    /// <summary>The sentence with its reference, as shown to a person.</summary>
    public string Message => $"{Sentence} (ref {Reference})";
}
