using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>A request for one reply. A value: it can wait in a queue, and several can be decoded in one batch.</summary>
public sealed record GenerationRequest
{
    /// <summary>The conversation so far, oldest first; the last message is what is answered.</summary>
    public required IReadOnlyList<PromptMessage> Messages { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Most tokens of the reply; null is the model's default.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Seed of every random draw; null draws one, which <see cref="GenerationStarted"/> reports.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts that end the reply; they are not part of it.</summary>
    public IReadOnlyList<string> StopSequences { get; init; } = [];

    /// <summary>The adapter to speak with; null is the current one.</summary>
    public string? Adapter { get; init; }

    /// <summary>Names the conversation, so that the prefix computed for its earlier turns is used again; null is none.</summary>
    public string? ConversationKey { get; init; }

    /// <summary>Which media may or must come, and how they are made; null leaves all to the model.</summary>
    public MediaOptions? Media { get; init; }

    /// <summary>Restricts the next token step by step (signal spans, tool calls); null is free.</summary>
    public ITokenConstraint? Constraint { get; init; }
}
