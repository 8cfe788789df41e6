namespace NextGpt.Model;

/// <summary>Something that happened while a reply was made, in order. Plain data: no tensors (rule 10).</summary>
public abstract record GenerationEvent;

/// <summary>Work on the request began; the first event of every reply.</summary>
public sealed record GenerationStarted : GenerationEvent
{
    /// <summary>The base model's id, followed by <c>+adapter</c> where one speaks.</summary>
    public required string ModelId { get; init; }

    /// <summary>The adapter that speaks, or null.</summary>
    public string? Adapter { get; init; }

    /// <summary>The seed in use; the same request with it gives the same reply.</summary>
    public required long Seed { get; init; }

    /// <summary>Tokens of the prompt as fed to the language model.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Of these, tokens whose keys and values were still there from an earlier turn.</summary>
    public required int CachedPromptTokens { get; init; }

    /// <summary>Oldest messages left out because the prompt did not fit (never the system text).</summary>
    public int DroppedMessages { get; init; }
}

/// <summary>Text was spoken; whole characters only, never part of a stop sequence.</summary>
/// <param name="Text">At least one UTF-16 unit.</param>
public sealed record TextGenerated(string Text) : GenerationEvent;

/// <summary>The reply is complete; the last event.</summary>
public sealed record GenerationFinished : GenerationEvent
{
    /// <summary>Why it ended.</summary>
    public required GenerationFinishReason Reason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the reply, the end token not counted.</summary>
    public required int ReplyTokens { get; init; }
}

/// <summary>Why a reply ended.</summary>
public enum GenerationFinishReason
{
    /// <summary>The model ended it, or a stop sequence came.</summary>
    Stop,

    /// <summary>The token limit or the end of the context was reached.</summary>
    Length,

    /// <summary>The same passage repeated without end and the guard stopped it.</summary>
    Repetition,
}
