using NextGpt.Media;

namespace NextGpt.Conversations;

/// <summary>An answered turn offered to the log. Kept only if the person's consent says so at that moment.</summary>
public sealed record TurnDraft
{
    /// <summary>Random 128-bit id, 32 hexadecimal digits, shown to the person.</summary>
    public required string TurnId { get; init; }

    /// <summary>Unique key of the question: surface, message id, revision.</summary>
    public required string MessageKey { get; init; }

    /// <summary>The conversation's id.</summary>
    public required string ConversationId { get; init; }

    /// <summary>The turn this one follows, or null for the first (branches share a parent).</summary>
    public string? ParentTurnId { get; init; }

    /// <summary>Whose question it is.</summary>
    public required PersonKey Person { get; init; }

    /// <summary><c>console</c>, <c>web</c>, <c>api</c>, <c>discord</c> or <c>teams</c>.</summary>
    public required string Surface { get; init; }

    /// <summary>What was asked.</summary>
    public required string Question { get; init; }

    /// <summary>What was answered.</summary>
    public required string Answer { get; init; }

    /// <summary>Media of question and answer, in order.</summary>
    public IReadOnlyList<TurnMedium> Media { get; init; } = [];

    /// <summary>What leads to the turn on its platform; written with it, as keyed hashes. At most 100.</summary>
    public IReadOnlyList<TurnLink> Links { get; init; } = [];

    /// <summary>Base model and adapter that spoke.</summary>
    public required string ModelId { get; init; }

    /// <summary>The seed in use.</summary>
    public required long Seed { get; init; }

    /// <summary><c>stop</c>, <c>length</c>, <c>cancelled</c> ...</summary>
    public required string FinishReason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens of the answer.</summary>
    public int ReplyTokens { get; init; }

    /// <summary>When the question was received, UTC.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>When the answer was complete, UTC.</summary>
    public required DateTimeOffset AnsweredAt { get; init; }
}

/// <summary>A medium of a turn.</summary>
/// <param name="FromPerson">True if the person sent it, false if the model made it.</param>
/// <param name="MediaType">For example <c>image/png</c>.</param>
/// <param name="Bytes">The whole file, re-encoded by whoever hands it over: without EXIF, location or foreign bytes.</param>
/// <param name="Caption">What it shows, or null.</param>
public sealed record TurnMedium(bool FromPerson, string MediaType, ReadOnlyMemory<byte> Bytes, string? Caption)
{
    /// <summary>Picture, sound or clip where the type alone does not say (an animated WebP is a clip); null is as the type says.</summary>
    public MediaKind? Kind { get; init; }

    /// <summary>Its place in the answer's text, in UTF-16 units from the start; 0 for a person's.</summary>
    public int TextOffset { get; init; }
}
