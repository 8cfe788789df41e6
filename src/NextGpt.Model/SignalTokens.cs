using NextGpt.Media;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;

namespace NextGpt.Model;

/// <summary>The tokens of a package by their ids: which of them are a signal, which stand around a medium. Immutable.</summary>
public sealed class SignalTokens
{
    private readonly HashSet<int> _added;

    private SignalTokens(
        IReadOnlyList<int> added, IReadOnlyDictionary<MediaKind, IReadOnlyList<int>> signals, int? separator, int? mediaStart, int? mediaEnd)
    {
        _added = [.. added];
        Added = added;
        Signals = signals;
        Separator = separator;
        MediaStart = mediaStart;
        MediaEnd = mediaEnd;
        Patterns = signals.ToDictionary(signal => signal.Key, signal => (IReadOnlyList<int>)Pattern(signal.Value, separator));
    }

    /// <summary>The ids of the added tokens, in the order of the package.</summary>
    public IReadOnlyList<int> Added { get; }

    /// <summary>The signal tokens of each kind, without separators.</summary>
    public IReadOnlyDictionary<MediaKind, IReadOnlyList<int>> Signals { get; }

    /// <summary>What a span of each kind consists of, separators included: what is spoken, and what is projected.</summary>
    public IReadOnlyDictionary<MediaKind, IReadOnlyList<int>> Patterns { get; }

    /// <summary>The token between two tokens of a signal, or null.</summary>
    public int? Separator { get; }

    /// <summary>The token before a spliced medium, or null.</summary>
    public int? MediaStart { get; }

    /// <summary>The token behind a spliced medium, or null.</summary>
    public int? MediaEnd { get; }

    /// <summary>Finds the ids.</summary>
    /// <param name="tokens">What the package says.</param>
    /// <param name="tokenizer">The language model's tokenizer.</param>
    /// <param name="vocabularySize">Rows of the language model without those the package adds.</param>
    /// <exception cref="InvalidDataException">The tokenizer knows some of the tokens and not others, or lacks the separator.</exception>
    public static SignalTokens Resolve(TokenPart tokens, ITokenizer tokenizer, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var known = tokens.Added.Where(token => tokenizer.Find(token) is not null).ToList();
        if (known.Count > 0 && known.Count < tokens.Added.Count)
        {
            throw new InvalidDataException(
                $"The tokenizer knows {known.Count} of the {tokens.Added.Count} added tokens (for example {known[0]}) and not the others; "
                + "it belongs to another package.");
        }

        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < tokens.Added.Count; i++)
        {
            ids.Add(tokens.Added[i], tokenizer.Find(tokens.Added[i]) ?? vocabularySize + i);
        }

        var separator = tokens.Separator is { } literal
            ? tokenizer.Find(literal) ?? SingleToken(tokenizer, literal)
            : (int?)null;
        return new SignalTokens(
            [.. tokens.Added.Select(token => ids[token])],
            tokens.Signals.ToDictionary(
                signal => signal.Key, signal => (IReadOnlyList<int>)[.. signal.Value.Select(token => ids[token])]),
            separator,
            tokens.MediaStart is { } start ? ids[start] : null,
            tokens.MediaEnd is { } end ? ids[end] : null);
    }

    /// <summary>Whether a token is one of the added ones.</summary>
    public bool IsAdded(int token) => _added.Contains(token);

    private static int SingleToken(ITokenizer tokenizer, string literal)
    {
        var ids = tokenizer.Encode([new TextRun(literal.Replace('▁', ' '), SpecialTokens.AsText)], beginsText: false);
        return ids.Count == 1
            ? ids[0]
            : throw new InvalidDataException(
                $"tokens.separator is '{literal}', which is {ids.Count} tokens of this language model; one was expected.");
    }

    private static List<int> Pattern(IReadOnlyList<int> signal, int? separator)
    {
        var pattern = new List<int>();
        foreach (var token in signal)
        {
            if (separator is { } between && pattern.Count > 0)
            {
                pattern.Add(between);
            }

            pattern.Add(token);
        }

        return pattern;
    }
}
