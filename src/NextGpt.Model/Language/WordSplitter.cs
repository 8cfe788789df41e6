using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace NextGpt.Model.Language;

/// <summary>Splits a text into the words between which byte pairs are never merged.</summary>
/// <remarks>
/// The patterns are those of the published tokenizers; they count characters, while a .NET expression counts UTF-16
/// units. So each character beyond the basic plane is matched as a stand-in of its own Unicode category.
/// </remarks>
internal sealed partial class WordSplitter
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(10);
    private static readonly char[] StandIns = FindStandIns();
    private readonly IReadOnlyList<Regex> _steps;

    private WordSplitter(params IReadOnlyList<Regex> steps) => _steps = steps;

    /// <summary>GPT-2 and RoBERTa.</summary>
    public static WordSplitter Gpt2 { get; } = new(Gpt2Words());

    /// <summary>SmolLM2: every digit alone, then as GPT-2.</summary>
    public static WordSplitter DigitsThenGpt2 { get; } = new(SingleDigits(), Gpt2Words());

    /// <summary>Llama 3: up to three digits together.</summary>
    public static WordSplitter Llama3 { get; } = new(Llama3Words());

    /// <summary>Qwen2: as Llama 3 with every digit alone.</summary>
    public static WordSplitter Qwen2 { get; } = new(Qwen2Words());

    /// <summary>A pattern of a tokenizer file; known ones are compiled ahead.</summary>
    /// <exception cref="InvalidDataException">The pattern is none that .NET understands.</exception>
    public static WordSplitter FromPattern(string pattern)
    {
        foreach (var known in new[] { Gpt2, Llama3, Qwen2 })
        {
            // The long s beside s is what "ignore case" means to the library the patterns come from.
            if (known._steps[0].ToString().Replace("[sſ]", "s", StringComparison.Ordinal) == pattern)
            {
                return known;
            }
        }

        try
        {
            return new WordSplitter(new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, MatchLimit));
        }
        catch (ArgumentException failure)
        {
            throw new InvalidDataException(
                $"The tokenizer splits words by a pattern that is not understood ({pattern}): {failure.Message} "
                + "Use a model whose tokenizer is GPT-2's, SmolLM2's, Llama 3's or Qwen2's.",
                failure);
        }
    }

    /// <summary>A splitter whose words are those of this one, split further by the next.</summary>
    public WordSplitter Then(WordSplitter next) => new([.. _steps, .. next._steps]);

    /// <summary>Every digit (any Unicode number) alone.</summary>
    public static WordSplitter Digits { get; } = new(SingleDigits());

    /// <summary>Digits in runs.</summary>
    public static WordSplitter DigitRuns { get; } = new(DigitRunsPattern());

    /// <summary>The words as ranges of the text, in order and without gaps.</summary>
    public List<Range> Split(string text)
    {
        var (standing, offsets) = Standing(text);
        var words = new List<Range> { new(0, standing.Length) };
        foreach (var step in _steps)
        {
            var finer = new List<Range>(words.Count * 2);
            foreach (var word in words)
            {
                SplitWord(step, standing, word, finer);
            }

            words = finer;
        }

        if (offsets is not null)
        {
            for (var i = 0; i < words.Count; i++)
            {
                words[i] = new Range(offsets[words[i].Start.Value], offsets[words[i].End.Value]);
            }
        }

        return words;
    }

    private static void SplitWord(Regex step, string text, Range word, List<Range> into)
    {
        var (start, end) = (word.Start.Value, word.End.Value);
        var from = start;
        foreach (var match in step.EnumerateMatches(text.AsSpan(start, end - start)))
        {
            if (match.Length == 0)
            {
                continue;
            }

            var at = start + match.Index;
            if (at > from)
            {
                into.Add(new Range(from, at));   // what no alternative matched stays a word of its own
            }

            into.Add(new Range(at, at + match.Length));
            from = at + match.Length;
        }

        if (from < end)
        {
            into.Add(new Range(from, end));
        }
    }

    /// <summary>The text with one UTF-16 unit per character, and where each of them begins in the text (null: the same).</summary>
    private static (string Text, int[]? Offsets) Standing(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return (text, null);
        }

        var standing = new StringBuilder(text.Length);
        var offsets = new List<int>(text.Length + 1);
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            offsets.Add(at);
            standing.Append(rune.IsBmp ? (char)rune.Value : StandIns[(int)Rune.GetUnicodeCategory(rune)]);
            at += rune.Utf16SequenceLength;
        }

        offsets.Add(at);
        return (standing.ToString(), [.. offsets]);
    }

    private static char[] FindStandIns()
    {
        // The last of each category in the basic plane, so that no letter of a contraction is chosen.
        var standIns = new char[30];
        Array.Fill(standIns, '\uFFFD');
        for (var value = 0x2000; value < 0xFFFE; value++)
        {
            standIns[(int)CharUnicodeInfo.GetUnicodeCategory((char)value)] = (char)value;
        }

        return standIns;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Words();

    [GeneratedRegex(@"(?i:'[sſ]|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Words();

    [GeneratedRegex(@"(?i:'[sſ]|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2Words();

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex SingleDigits();

    [GeneratedRegex(@"\p{N}+", RegexOptions.CultureInvariant)]
    private static partial Regex DigitRunsPattern();
}
