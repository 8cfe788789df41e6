using System.Buffers;
using System.Text;

namespace NextGpt.Model.Language;

/// <summary>A token that is matched in a text before the text is split into words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Literal">Its text, at least one character.</param>
/// <param name="Special">Whether it is a mark rather than text: it adds nothing to a decoded text.</param>
internal sealed record AddedToken(int Id, string Literal, bool Special)
{
    /// <summary>Whether it swallows the white space before it.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether it swallows the white space after it.</summary>
    public bool StripsRight { get; init; }

    /// <summary>Whether it is matched only where no word character touches it.</summary>
    public bool WholeWord { get; init; }
}

/// <summary>Cuts runs of text at the added tokens written in them.</summary>
/// <remarks>
/// In a run that somebody wrote only tokens of white space are matched: those are text, however they came into the
/// vocabulary. Everything else, special or not, stays the characters it is made of.
/// </remarks>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, AddedToken[]> _parsed;
    private readonly Dictionary<char, AddedToken[]> _text;
    private readonly SearchValues<char> _parsedFirst;
    private readonly SearchValues<char> _textFirst;

    public AddedTokens(IReadOnlyList<AddedToken> tokens)
    {
        All = [.. tokens.Where(token => token.Literal.Length > 0)];
        _parsed = ByFirstCharacter(All);
        _text = ByFirstCharacter(All.Where(token => string.IsNullOrWhiteSpace(token.Literal.Replace('▁', ' '))));
        _parsedFirst = SearchValues.Create([.. _parsed.Keys]);
        _textFirst = SearchValues.Create([.. _text.Keys]);
    }

    public IReadOnlyList<AddedToken> All { get; }

    /// <summary>The runs as one text, cut at added tokens: stretches of plain text and tokens in turn.</summary>
    public List<TextSegment> Split(IReadOnlyList<TextRun> runs)
    {
        var segments = new List<TextSegment>();
        var plain = new StringBuilder();
        foreach (var run in runs)
        {
            SplitRun(WellFormed(run.Text), run.Specials, plain, segments);
        }

        Flush(plain, segments);
        return segments;
    }

    /// <summary>The text with every lone surrogate replaced by U+FFFD.</summary>
    internal static string WellFormed(string text)
    {
        var at = 0;
        while (at < text.Length && Rune.DecodeFromUtf16(text.AsSpan(at), out _, out var length) == OperationStatus.Done)
        {
            at += length;
        }

        if (at == text.Length)
        {
            return text;
        }

        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            repaired.Append(rune);   // the enumerator gives U+FFFD for a lone surrogate
        }

        return repaired.ToString();
    }

    private void SplitRun(string text, SpecialTokens specials, StringBuilder plain, List<TextSegment> segments)
    {
        var (byFirst, firsts) = specials == SpecialTokens.Parse ? (_parsed, _parsedFirst) : (_text, _textFirst);
        var plainFrom = 0;
        var at = 0;
        while (byFirst.Count > 0 && at < text.Length)
        {
            var step = text.AsSpan(at).IndexOfAny(firsts);
            if (step < 0)
            {
                break;
            }

            at += step;
            if (Match(byFirst[text[at]], text, at) is not { } token)
            {
                at++;
                continue;
            }

            var before = text.AsSpan(plainFrom, at - plainFrom);
            plain.Append(token.StripsLeft ? before.TrimEnd() : before);
            Flush(plain, segments);
            segments.Add(new TextSegment(null, token.Id));
            at += token.Literal.Length;
            while (token.StripsRight && at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            plainFrom = at;
        }

        plain.Append(text.AsSpan(plainFrom));
    }

    private static AddedToken? Match(AddedToken[] candidates, string text, int at)
    {
        foreach (var token in candidates)   // longest first
        {
            if (text.AsSpan(at).StartsWith(token.Literal, StringComparison.Ordinal)
                && (!token.WholeWord || StandsAlone(text, at, token.Literal.Length)))
            {
                return token;
            }
        }

        return null;
    }

    private static bool StandsAlone(string text, int at, int length) =>
        (at == 0 || !IsWord(text[at - 1])) && (at + length == text.Length || !IsWord(text[at + length]));

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_';

    private static void Flush(StringBuilder plain, List<TextSegment> segments)
    {
        if (plain.Length > 0)
        {
            segments.Add(new TextSegment(plain.ToString(), 0));
            plain.Clear();
        }
    }

    private static Dictionary<char, AddedToken[]> ByFirstCharacter(IEnumerable<AddedToken> tokens) =>
        tokens.GroupBy(token => token.Literal[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Literal.Length).ToArray());
}

/// <summary>A stretch of plain text, or one token where the text is null.</summary>
/// <param name="Text">The text, or null.</param>
/// <param name="Token">The token, where there is no text.</param>
internal readonly record struct TextSegment(string? Text, int Token);
