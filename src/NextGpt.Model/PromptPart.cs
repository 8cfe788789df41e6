using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>A piece of a message: text or a medium.</summary>
public abstract record PromptPart;

/// <summary>Plain text. Nothing in it is ever read as a role, a special token or a template mark.</summary>
/// <param name="Text">Any text, possibly empty.</param>
public sealed record TextPart(string Text) : PromptPart;

/// <summary>A picture, sound or clip, spliced in at its place in the message.</summary>
/// <param name="Medium">Decoded; files from strangers are decoded before they come near the model.</param>
public sealed record MediaPart(Medium Medium) : PromptPart;
