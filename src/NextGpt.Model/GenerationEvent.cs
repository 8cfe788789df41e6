using NextGpt.Media;

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

/// <summary>The signal of a medium is complete; it is being made.</summary>
/// <param name="Index">Counts the media of a reply from 0, in the order in which they were spoken.</param>
/// <param name="Kind">Picture, sound or clip.</param>
public sealed record MediaBegun(int Index, MediaKind Kind) : GenerationEvent;

/// <summary>A medium has come further; at most two a second.</summary>
/// <param name="Index">Of <see cref="MediaBegun"/>.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Share">0 to 1.</param>
public sealed record MediaProgressed(int Index, MediaKind Kind, double Share) : GenerationEvent;

/// <summary>A medium is whole.</summary>
/// <param name="Index">Of <see cref="MediaBegun"/>.</param>
/// <param name="Medium">The picture, sound or clip.</param>
public sealed record MediaGenerated(int Index, Medium Medium) : GenerationEvent
{
    /// <summary>The sentence of the reply up to its signal: its alternative text. Possibly empty.</summary>
    public required string Caption { get; init; }

    /// <summary>The seed of its noise; the same request with it gives the same medium.</summary>
    public required long Seed { get; init; }

    /// <summary>Denoising steps taken.</summary>
    public required int Steps { get; init; }

    /// <summary>Strength of the classifier-free guidance; 1 is none.</summary>
    public required double GuidanceScale { get; init; }
}

/// <summary>A medium could not be made; the reply goes on (TRN-4).</summary>
/// <param name="Index">Of <see cref="MediaBegun"/>.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Reason">A sentence.</param>
public sealed record MediaFailed(int Index, MediaKind Kind, string Reason) : GenerationEvent;

/// <summary>The reply is complete; the last event.</summary>
public sealed record GenerationFinished : GenerationEvent
{
    /// <summary>Why it ended.</summary>
    public required GenerationFinishReason Reason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the reply, the end token not counted.</summary>
    public required int ReplyTokens { get; init; }

    /// <summary>What of this went into media; null where there were none.</summary>
    public MediaUsage? Media { get; init; }
}

/// <summary>What media took of a prompt and of a reply.</summary>
public sealed record MediaUsage
{
    /// <summary>Positions of the prompt that pictures, sounds and clips took, by kind; part of the prompt's tokens.</summary>
    public IReadOnlyDictionary<MediaKind, int> PromptTokens { get; init; } = new Dictionary<MediaKind, int>();

    /// <summary>Signal tokens of the reply, by kind; part of the reply's tokens.</summary>
    public IReadOnlyDictionary<MediaKind, int> SignalTokens { get; init; } = new Dictionary<MediaKind, int>();

    /// <summary>Denoising steps of all media together.</summary>
    public int DenoisingSteps { get; init; }
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
