using NextGpt.Media;

namespace NextGpt.Model.Packages;

/// <summary>The tokens that NExT-GPT adds to a language model, and what they are for.</summary>
/// <remarks>
/// The ids are those of the tokenizer where it knows the literals; where it does not, the added tokens are the last rows of the
/// vocabulary, in their order. NExT-GPT/NExT-GPT: <c>NExT-GPT-Lagacy/code/model/anyToImageVideoAudio.py</c> (v0),
/// <c>nextgpt/model/nextgpt_arch.py</c> (v2).
/// </remarks>
public sealed record TokenPart
{
    /// <summary>The literals in the order of their rows, each once.</summary>
    public required IReadOnlyList<string> Added { get; init; }

    /// <summary>
    /// A safetensors file with the rows: <c>embed_tokens.weight</c> [rows, hidden] and, unless the head is the embedding,
    /// <c>lm_head.weight</c> of the same shape. As many rows as there are added tokens stand behind those of the language model;
    /// as many as the language model's and the added ones together replace them all (the published v0 delta trained them all).
    /// Null where the language model's files have the rows already.
    /// </summary>
    public string? Rows { get; init; }

    /// <summary>The token before a spliced medium; null is none.</summary>
    public string? MediaStart { get; init; }

    /// <summary>The token behind a spliced medium; null is none.</summary>
    public string? MediaEnd { get; init; }

    /// <summary>
    /// Whether spaces before a spliced medium are left out and one stands behind it: what tokenizers make of the plain added
    /// tokens of v0, which swallow the spaces around them.
    /// </summary>
    public bool SwallowsSpaces { get; init; }

    /// <summary>
    /// The token that stands between two tokens of a signal, as the vocabulary writes it (v2: <c>▁</c>); null where they stand
    /// side by side (v0).
    /// </summary>
    public string? Separator { get; init; }

    /// <summary>The signal of each kind of medium that the model makes: its tokens in order, each one of <see cref="Added"/>.</summary>
    public IReadOnlyDictionary<MediaKind, IReadOnlyList<string>> Signals { get; init; } =
        new Dictionary<MediaKind, IReadOnlyList<string>>();

    /// <summary>The tokens of <c>7b_tiva_v0</c>: 38, of which 4 mean a picture, 24 a clip and 8 a sound; nothing between them.</summary>
    public static TokenPart V0 { get; } = Make("[IMG{0}]", "[VID{0}]", "[AUD{0}]", "<Img>", "</Img>", null);

    /// <summary>The tokens of the rewrite of October 2024: 36, no marks around media, a bare space between the tokens of a signal.</summary>
    public static TokenPart V2 { get; } = Make("<image_{0:D2}>", "<video_{0:D2}>", "<audio_{0:D2}>", null, null, "▁");

    private static TokenPart Make(string image, string video, string audio, string? start, string? end, string? separator)
    {
        static string[] Named(string pattern, int count) =>
            [.. Enumerable.Range(0, count).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, i))];
        var (pictures, clips, sounds) = (Named(image, 4), Named(video, 24), Named(audio, 8));
        return new TokenPart
        {
            Added = [.. new[] { start, end }.OfType<string>(), .. pictures, .. clips, .. sounds],
            MediaStart = start,
            MediaEnd = end,
            SwallowsSpaces = start is not null,
            Separator = separator,
            Signals = new Dictionary<MediaKind, IReadOnlyList<string>>
            {
                [MediaKind.Image] = pictures,
                [MediaKind.Video] = clips,
                [MediaKind.Audio] = sounds,
            },
        };
    }
}
