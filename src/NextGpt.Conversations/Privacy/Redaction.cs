namespace NextGpt.Conversations.Privacy;

/// <summary>A text after redaction.</summary>
/// <param name="Text">What may be stored.</param>
/// <param name="Count">Stretches replaced.</param>
internal readonly record struct Redaction(string Text, int Count);
