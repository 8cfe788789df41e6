namespace NextGpt.Model.Language;

/// <summary>Whether special tokens written in a text become tokens or stay text.</summary>
public enum SpecialTokens
{
    /// <summary>They are ordinary characters: the only choice for anything a person wrote.</summary>
    AsText,

    /// <summary>They become their token: for the marks of our own templates.</summary>
    Parse,
}

/// <summary>Text to token ids and back. Immutable and thread-safe.</summary>
public interface ITokenizer
{
    /// <summary>Number of ids, added tokens included.</summary>
    int VocabularySize { get; }

    /// <summary>The token that begins a sequence, or null where the model has none.</summary>
    int? BeginToken { get; }

    /// <summary>Tokens that end a reply.</summary>
    IReadOnlySet<int> EndTokens { get; }

    /// <summary>The token that pads a batch.</summary>
    int PadToken { get; }

    /// <summary>
    /// Whether the first word of a text is encoded with a space before it that the text does not have (SentencePiece);
    /// whoever joins <see cref="BytesOf"/> takes that space away.
    /// </summary>
    bool AddsPrefixSpace { get; }

    /// <summary>The ids of a text, without begin and end tokens.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD.</param>
    /// <param name="specials">Whether special tokens written in it become tokens.</param>
    IReadOnlyList<int> Encode(string text, SpecialTokens specials) => Encode([new TextRun(text, specials)], true);

    /// <summary>
    /// The ids of several runs as if they were one text; special tokens are found only inside runs that ask for it, never
    /// across a border.
    /// </summary>
    /// <param name="runs">The runs, in order.</param>
    /// <param name="beginsText">False where the runs continue a text, so that no prefix space is added.</param>
    IReadOnlyList<int> Encode(IReadOnlyList<TextRun> runs, bool beginsText);

    /// <summary>The bytes a token adds to a text (UTF-8, possibly part of a character); empty for special tokens.</summary>
    /// <param name="token">An id; one outside the vocabulary has no bytes.</param>
    ReadOnlySpan<byte> BytesOf(int token);

    /// <summary>The text of ids, special tokens left out, invalid bytes as U+FFFD.</summary>
    /// <param name="tokens">Ids, in order.</param>
    string Decode(IEnumerable<int> tokens);

    /// <summary>The id of a token by its literal (for example <c>&lt;|im_end|&gt;</c>), or null.</summary>
    /// <param name="literal">The token as the vocabulary writes it.</param>
    int? Find(string literal);
}
