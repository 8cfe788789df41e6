namespace NextGpt.Model;

/// <summary>Who speaks in a message of a prompt.</summary>
public enum PromptRole
{
    /// <summary>Instructions of the host.</summary>
    System,

    /// <summary>The person.</summary>
    User,

    /// <summary>The model's own earlier words.</summary>
    Assistant,

    /// <summary>The result of a tool the model asked for.</summary>
    Tool,
}

/// <summary>One message of a prompt: who speaks, and in order what was said or shown.</summary>
public sealed record PromptMessage
{
    /// <summary>Who speaks.</summary>
    public required PromptRole Role { get; init; }

    /// <summary>What was said, in order; never null.</summary>
    public required IReadOnlyList<PromptPart> Parts { get; init; }

    /// <summary>The name of the speaker in a group chat, or null.</summary>
    public string? AuthorName { get; init; }

    /// <summary>A message of one text part.</summary>
    public static PromptMessage Of(PromptRole role, string text) => new() { Role = role, Parts = [new TextPart(text)] };
}
