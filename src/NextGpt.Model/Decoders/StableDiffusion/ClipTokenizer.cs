using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using NextGpt.Model.Language;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Cuts captions into the tokens of a <see cref="ClipTextEncoder"/>. Thread-safe.</summary>
/// <remarks>
/// Byte pairs within words; the last piece of a word carries the mark <c>&lt;/w&gt;</c> (Sennrich et al. 2016, Radford et
/// al. 2021). Reads and writes <c>vocab.json</c> and <c>merges.txt</c> of diffusers folders.
/// </remarks>
public sealed partial class ClipTokenizer
{
    /// <summary>The token that begins every text.</summary>
    public const string StartLiteral = "<|startoftext|>";

    /// <summary>The token that ends every text and, in Stable Diffusion 1, pads it.</summary>
    public const string EndLiteral = "<|endoftext|>";

    /// <summary>Length of the texts that Stable Diffusion was trained with.</summary>
    internal const int UsualLength = 77;

    private const string SpecialTokens = "special_tokens_map.json";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, int> _ids;
    private readonly List<(string Left, string Right)> _merges;
    private readonly Dictionary<(string Left, string Right), int> _ranks;
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);

    /// <summary>Makes a tokenizer from its merges; ids follow CLIP's order.</summary>
    /// <param name="merges">Pairs of pieces, most frequent first.</param>
    public ClipTokenizer(IReadOnlyList<(string Left, string Right)> merges)
        : this(Vocabulary(merges), merges)
    {
    }

    private ClipTokenizer(
        Dictionary<string, int> ids, IReadOnlyList<(string Left, string Right)> merges, string padding = EndLiteral)
    {
        _ids = ids;
        _merges = [.. merges];
        _ranks = _merges.Select((pair, rank) => (pair, rank)).ToDictionary(entry => entry.pair, entry => entry.rank);
        StartToken = Required(StartLiteral);
        EndToken = Required(EndLiteral);
        PadToken = Required(padding);
    }

    /// <summary>Number of ids.</summary>
    public int VocabularySize => _ids.Count;

    /// <summary>Id of the token that begins every text.</summary>
    public int StartToken { get; }

    /// <summary>Id of the token that ends every text.</summary>
    public int EndToken { get; }

    /// <summary>Id of the token that pads every text: the end token in Stable Diffusion 1, an exclamation mark in 2 and Zeroscope.</summary>
    public int PadToken { get; }

    /// <summary>Reads <c>vocab.json</c>, <c>merges.txt</c> and, where there is one, the pad token of <c>special_tokens_map.json</c>.</summary>
    /// <param name="folder">The tokenizer's folder.</param>
    /// <exception cref="InvalidDataException">A file is damaged or does not fit the other.</exception>
    public static ClipTokenizer Load(string folder)
    {
        var file = Path.Combine(folder, "vocab.json");
        Dictionary<string, int> ids;
        try
        {
            ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(file)) ?? [];
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{file} is not a table of tokens and ids ({failure.Message}).", failure);
        }

        var merges = File.ReadLines(Path.Combine(folder, "merges.txt"))
            .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
            .Select(line => line.Split(' ') is [var left, var right]
                ? (left, right)
                : throw new InvalidDataException($"{folder}: merges.txt has the line '{line}'; two pieces were expected."))
            .ToList();
        var orphan = merges.FirstOrDefault(pair => !ids.ContainsKey(pair.left + pair.right));
        return orphan == default
            ? new ClipTokenizer(ids, merges, Padding(folder))
            : throw new InvalidDataException($"{folder}: merges.txt makes '{orphan.left}{orphan.right}', which vocab.json lacks.");
    }

    /// <summary>Writes <c>vocab.json</c>, <c>merges.txt</c> and <c>special_tokens_map.json</c>.</summary>
    /// <param name="folder">The tokenizer's folder; made where it is missing.</param>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var ordered = _ids.OrderBy(entry => entry.Value).ToDictionary(entry => entry.Key, entry => entry.Value);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(ordered, Readable));
        File.WriteAllLines(
            Path.Combine(folder, "merges.txt"), ["#version: 0.2", .. _merges.Select(pair => $"{pair.Left} {pair.Right}")]);
        var padding = _ids.First(entry => entry.Value == PadToken).Key;
        File.WriteAllText(
            Path.Combine(folder, SpecialTokens),
            JsonSerializer.Serialize(
                new SortedDictionary<string, string>(StringComparer.Ordinal)
                {
                    ["bos_token"] = StartLiteral,
                    ["eos_token"] = EndLiteral,
                    ["pad_token"] = padding,
                    ["unk_token"] = EndLiteral,
                },
                Readable));
    }

    /// <summary>The ids of a text between start and end token, cut and padded to a length.</summary>
    /// <param name="text">Any text; case and repeated white space do not matter.</param>
    /// <param name="length">Number of ids to return, at least 2.</param>
    /// <returns>Start, the text's ids, end, then the pad token.</returns>
    public long[] Encode(string text, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        var row = new long[length];
        Array.Fill(row, PadToken);
        row[0] = StartToken;
        var at = 1;
        foreach (var id in Words(text).SelectMany(Pieces).Take(length - 2))
        {
            row[at++] = id;
        }

        row[at] = EndToken;
        return row;
    }

    /// <summary>The words of a text as the tokenizer cuts them, before byte pairs.</summary>
    /// <param name="text">Any text.</param>
    public static IEnumerable<string> Words(string text) =>
        Word().Matches(White().Replace(text, " ").Trim().ToLowerInvariant()).Select(match => match.Value);

    /// <summary>A word's first pieces: its bytes in GPT-2's alphabet, the last with the mark.</summary>
    /// <param name="word">Not empty.</param>
    public static IReadOnlyList<string> Letters(string word)
    {
        var letters = ByteAlphabet.ToText(Encoding.UTF8.GetBytes(word)).Select(letter => letter.ToString()).ToArray();
        letters[^1] += "</w>";
        return letters;
    }

    /// <summary>The ids of one word.</summary>
    /// <param name="word">As <see cref="Words"/> gives it.</param>
    internal int[] Pieces(string word) => _words.GetOrAdd(word, unseen =>
    {
        List<string> pieces = [.. Letters(unseen)];
        while (pieces.Count > 1)
        {
            var best = Enumerable.Range(0, pieces.Count - 1)
                .MinBy(at => _ranks.GetValueOrDefault((pieces[at], pieces[at + 1]), int.MaxValue));
            if (!_ranks.ContainsKey((pieces[best], pieces[best + 1])))
            {
                break;
            }

            pieces[best] += pieces[best + 1];
            pieces.RemoveAt(best + 1);
        }

        return [.. pieces.Select(Required)];
    });

    private int Required(string token) => _ids.TryGetValue(token, out var id)
        ? id
        : throw new InvalidDataException($"The CLIP vocabulary lacks '{token}'.");

    // The token is written as a text, or as an object that holds it.
    private static string Padding(string folder)
    {
        var file = Path.Combine(folder, SpecialTokens);
        if (!File.Exists(file))
        {
            return EndLiteral;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (!document.RootElement.TryGetProperty("pad_token", out var token))
            {
                return EndLiteral;
            }

            return (token.ValueKind == JsonValueKind.Object ? token.GetProperty("content") : token).GetString() ?? EndLiteral;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{file} is not a list of special tokens ({failure.Message}).", failure);
        }
    }

    // CLIP's order: bytes, bytes that end a word, merges, start, end. The bytes are in the order of GPT-2's alphabet.
    private static Dictionary<string, int> Vocabulary(IReadOnlyList<(string Left, string Right)> merges)
    {
        var letters = Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToText([(byte)value]))
            .OrderBy(letter => letter, StringComparer.Ordinal).ToList();
        string[] tokens =
        [
            .. letters, .. letters.Select(letter => letter + "</w>"), .. merges.Select(pair => pair.Left + pair.Right),
            StartLiteral, EndLiteral,
        ];
        return tokens.Select((token, id) => (token, id)).ToDictionary(entry => entry.token, entry => entry.id, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")]
    private static partial Regex Word();
}
