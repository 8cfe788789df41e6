namespace NextGpt.Model.Language;

/// <summary>What a piece of a SentencePiece vocabulary is; the numbers are those of its file format and of GGUF.</summary>
internal enum SentencePieceKind
{
    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>Stands for what no piece covers.</summary>
    Unknown = 2,

    /// <summary>A mark such as the begin of a sequence; never matched in text.</summary>
    Control = 3,

    /// <summary>Always one token where it is matched.</summary>
    UserDefined = 4,

    /// <summary>Never produced.</summary>
    Unused = 5,

    /// <summary>One byte, written <c>&lt;0x41&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>A piece with its score; of two possible merges the one with the higher score comes first.</summary>
/// <param name="Text">The piece, with U+2581 for a space.</param>
/// <param name="Score">Its score.</param>
/// <param name="Kind">What it is.</param>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceKind Kind);

/// <summary>What a SentencePiece BPE tokenizer is made of, whatever file it came from.</summary>
internal sealed record SentencePieceVocabulary
{
    /// <summary>Pieces by id.</summary>
    public required IReadOnlyList<SentencePiece> Pieces { get; init; }

    /// <summary>Tokens of the checkpoint beyond the pieces (<c>added_tokens.json</c>), matched before text is split.</summary>
    public IReadOnlyList<AddedToken> Added { get; init; } = [];

    /// <summary>Whether a text gets a space before its first word.</summary>
    public bool PrefixSpace { get; init; } = true;

    /// <summary>
    /// Whether the text after a special token gets that space too, as Hugging Face's tokenizer does in its "legacy" mode.
    /// </summary>
    public bool PrefixSpaceAfterSpecial { get; init; } = true;

    /// <summary>The token that begins a sequence, or null.</summary>
    public int? BeginToken { get; init; }

    /// <summary>Tokens that end a reply.</summary>
    public required IReadOnlySet<int> EndTokens { get; init; }

    /// <summary>The token that pads a batch.</summary>
    public required int PadToken { get; init; }
}
