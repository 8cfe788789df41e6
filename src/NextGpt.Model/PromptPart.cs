namespace NextGpt.Model;

/// <summary>A piece of a message: text now, media beside it later.</summary>
public abstract record PromptPart;

/// <summary>Plain text. Nothing in it is ever read as a role, a special token or a template mark.</summary>
/// <param name="Text">Any text, possibly empty.</param>
public sealed record TextPart(string Text) : PromptPart;
