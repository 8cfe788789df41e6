using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>A piece of the way from question to answer, in order; surfaces render them.</summary>
public abstract record ReplyPart;

/// <summary>The turn was admitted; always first.</summary>
/// <param name="TurnId">Random 128-bit id of the turn.</param>
public sealed record TurnAccepted(string TurnId) : ReplyPart
{
    /// <summary>Whether this message had come before; what follows is what its first arrival got (TRN-1).</summary>
    public bool IsRepeat { get; init; }
}

/// <summary>Others come first; repeated while waiting, first after 5 s (QUE-2).</summary>
/// <param name="Position">1 is next.</param>
/// <param name="Estimate">Expected wait.</param>
public sealed record TurnQueued(int Position, TimeSpan Estimate) : ReplyPart;

/// <summary>The model works on it.</summary>
/// <param name="ModelId">Base and adapter.</param>
/// <param name="Seed">Seed in use.</param>
public sealed record TurnStarted(string ModelId, long Seed) : ReplyPart;

/// <summary>Text of the answer.</summary>
/// <param name="Text">At least one UTF-16 unit.</param>
public sealed record AnswerText(string Text) : ReplyPart;

/// <summary>Something to say beside the answer: dropped history, not kept, AI disclosure (TRN-6, AID-1).</summary>
/// <param name="Text">A sentence.</param>
public sealed record AnswerNotice(string Text) : ReplyPart;

/// <summary>A medium was begun: "drawing ...".</summary>
/// <param name="Index">Counts the media of an answer from 0.</param>
/// <param name="Kind">Picture, sound or clip.</param>
public sealed record MediaStarted(int Index, MediaKind Kind) : ReplyPart;

/// <summary>A medium has come further.</summary>
/// <param name="Index">Of <see cref="MediaStarted"/>.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Share">0 to 1.</param>
public sealed record MediaProgress(int Index, MediaKind Kind, double Share) : ReplyPart;

/// <summary>A medium is whole, as a file that carries the mark of AID-1.</summary>
/// <param name="Index">Of <see cref="MediaStarted"/>.</param>
/// <param name="File">The file.</param>
public sealed record MediaReady(int Index, MediaFile File) : ReplyPart
{
    /// <summary>Its alternative text, at least one character.</summary>
    public required string Caption { get; init; }

    /// <summary>Its place in the answer's text, in UTF-16 units from the start.</summary>
    public required int TextOffset { get; init; }

    /// <summary>Random 128-bit id, under which its owner finds it again.</summary>
    public required string MediaId { get; init; }
}

/// <summary>A medium could not be made; the rest of the answer stands (TRN-4).</summary>
/// <param name="Index">Of <see cref="MediaStarted"/>.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Sentence">What to show in its place, with a reference.</param>
public sealed record MediaLost(int Index, MediaKind Kind, string Sentence) : ReplyPart;

/// <summary>The answer is complete; the last part unless the turn failed.</summary>
public sealed record TurnFinished : ReplyPart
{
    /// <summary><c>stop</c>, <c>length</c> or <c>cancelled</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the answer; of a stopped one about as many.</summary>
    public required int ReplyTokens { get; init; }

    /// <summary>Whether the turn is kept in the log.</summary>
    public required bool Kept { get; init; }

    /// <summary>From work begun to answer complete.</summary>
    public required TimeSpan Duration { get; init; }
}

/// <summary>The turn was refused or failed; the last part.</summary>
/// <param name="Error">What to say.</param>
public sealed record TurnFailed(TurnError Error) : ReplyPart;
