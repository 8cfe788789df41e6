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

    /// <summary>The ids of a text, without begin and end tokens.</summary>
    IReadOnlyList<int> Encode(string text, SpecialTokens specials);

    /// <summary>The bytes a token adds to a text (UTF-8, possibly part of a character); empty for special tokens.</summary>
    ReadOnlySpan<byte> BytesOf(int token);

    /// <summary>The text of ids, special tokens left out, invalid bytes as U+FFFD.</summary>
    string Decode(IEnumerable<int> tokens);

    /// <summary>The id of a token by its literal (for example <c>&lt;|im_end|&gt;</c>), or null.</summary>
    int? Find(string literal);
}
