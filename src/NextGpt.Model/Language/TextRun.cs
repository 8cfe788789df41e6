namespace NextGpt.Model.Language;

/// <summary>A stretch of text with one rule for the special tokens written in it.</summary>
/// <param name="Text">Any text; lone surrogates count as U+FFFD.</param>
/// <param name="Specials">Parse for the marks of our own templates, AsText for what somebody said.</param>
public readonly record struct TextRun(string Text, SpecialTokens Specials);
