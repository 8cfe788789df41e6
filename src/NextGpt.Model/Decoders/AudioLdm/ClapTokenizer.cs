using System.Text.Json;
using NextGpt.Model.Language;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>Cuts captions into the tokens of a <see cref="ClapTextEncoder"/>. Thread-safe.</summary>
/// <remarks>
/// RoBERTa's byte pairs (Liu et al. 2019, section 3) between its begin and end token. Reads <c>tokenizer.json</c>, or
/// <c>vocab.json</c> and <c>merges.txt</c>, of a diffusers or transformers folder. A special token written in a caption
/// stays the characters it is made of.
/// </remarks>
public sealed class ClapTokenizer
{
    private readonly ITokenizer _pairs;

    /// <summary>Wraps byte pairs.</summary>
    /// <param name="pairs">A byte-level tokenizer with RoBERTa's special tokens in its vocabulary.</param>
    /// <param name="maxTokens">Longest text, in tokens, begin and end included.</param>
    /// <exception cref="InvalidDataException">The vocabulary lacks a special token; the message names it.</exception>
    internal ClapTokenizer(ITokenizer pairs, int maxTokens = 512)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 2);
        _pairs = pairs;
        MaxTokens = maxTokens;
        BeginToken = Required(pairs, "<s>");
        EndToken = Required(pairs, "</s>");
        PadToken = Required(pairs, "<pad>");
    }

    /// <summary>Id that begins every text.</summary>
    public int BeginToken { get; }

    /// <summary>Id that ends every text.</summary>
    public int EndToken { get; }

    /// <summary>Id that fills the shorter texts of a batch.</summary>
    public int PadToken { get; }

    /// <summary>Longest text, in tokens, begin and end included.</summary>
    public int MaxTokens { get; }

    /// <summary>Reads the tokenizer's folder.</summary>
    /// <param name="folder">With <c>tokenizer.json</c>, or <c>vocab.json</c> and <c>merges.txt</c>.</param>
    /// <exception cref="InvalidDataException">A file is missing or damaged; the message names it.</exception>
    public static ClapTokenizer Load(string folder)
    {
        var file = Path.Combine(folder, "tokenizer.json");
        var pairs = File.Exists(file)
            ? TokenizerJson.Read(file, TokenizerEndings.FromFolder(folder))
            : ReadTables(folder);
        return new ClapTokenizer(pairs, MaxTokensOf(folder));
    }

    /// <summary>The ids of a caption between begin and end token; what is too long is cut.</summary>
    /// <param name="text">Any text.</param>
    /// <returns>2 to <see cref="MaxTokens"/> ids.</returns>
    public IReadOnlyList<int> Encode(string text) =>
        [BeginToken, .. _pairs.Encode(text, SpecialTokens.AsText).Take(MaxTokens - 2), EndToken];

    /// <summary>Several captions as the encoder takes them.</summary>
    /// <param name="texts">At least one.</param>
    /// <param name="length">
    /// Ids per caption, from 2 to <see cref="MaxTokens"/>; null is the longest of the captions. The encoder's result does not
    /// depend on it, but its time does.
    /// </param>
    /// <param name="device">Where the tensors shall lie; null is the CPU.</param>
    /// <returns>
    /// Ids and mask, both [batch, length] int64; the mask is 1 for text and 0 for padding. Owned by the caller's dispose
    /// scope.
    /// </returns>
    public (Tensor Tokens, Tensor Mask) Encode(IReadOnlyList<string> texts, int? length = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfZero(texts.Count);
        if (length is < 2 || length > MaxTokens)
        {
            throw new ArgumentOutOfRangeException(nameof(length), length, $"2 to {MaxTokens} ids per caption were expected.");
        }

        var rows = texts.Select(Encode).ToList();
        var width = length ?? rows.Max(row => row.Count);
        var ids = new long[rows.Count * width];
        var mask = new long[ids.Length];
        Array.Fill(ids, PadToken);
        for (var row = 0; row < rows.Count; row++)
        {
            var kept = Math.Min(rows[row].Count, width);
            for (var at = 0; at < kept; at++)
            {
                ids[(row * width) + at] = at == width - 1 ? EndToken : rows[row][at];   // a cut text ends all the same
                mask[(row * width) + at] = 1;
            }
        }

        return (tensor(ids, [rows.Count, width], device: device), tensor(mask, [rows.Count, width], device: device));
    }

    /// <summary>The tables of GPT-2's and RoBERTa's first tokenizers.</summary>
    private static ByteBpeTokenizer ReadTables(string folder)
    {
        var file = Path.Combine(folder, "vocab.json");
        var merges = Path.Combine(folder, "merges.txt");
        if (!File.Exists(file) || !File.Exists(merges))
        {
            throw new InvalidDataException(
                $"{folder} holds no tokenizer; tokenizer.json, or vocab.json and merges.txt, were expected.");
        }

        try
        {
            var ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(file)) ?? [];
            if (ids.Count == 0 || ids.Values.Any(id => id is < 0 or >= 4_000_000))
            {
                throw new InvalidDataException($"{file} holds no usable ids.");
            }

            var tokens = new string?[ids.Values.Max() + 1];
            foreach (var (token, id) in ids)
            {
                tokens[id] = token;
            }

            string[] specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
            return new ByteBpeTokenizer(new ByteBpeVocabulary
            {
                Tokens = tokens,
                Merges = [.. File.ReadLines(merges)
                    .Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
                    .Select(TokenizerJson.SplitMerge)],
                Added = [.. specials.Where(ids.ContainsKey).Select(token => new AddedToken(ids[token], token, Special: true))],
                Words = WordSplitter.Gpt2,
                BeginToken = ids.TryGetValue("<s>", out var begin) ? begin : null,
                EndTokens = new HashSet<int>(ids.TryGetValue("</s>", out var end) ? [end] : []),
                PadToken = ids.GetValueOrDefault("<pad>"),
            });
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{file} is not a table of tokens and ids ({failure.Message}).", failure);
        }
    }

    private static int MaxTokensOf(string folder)
    {
        const int Standard = 512;
        var file = Path.Combine(folder, "tokenizer_config.json");
        if (!File.Exists(file))
        {
            return Standard;
        }

        // Some checkpoints write an astronomical number for "no limit".
        var length = DiffusersConfig.Load(file).Number("model_max_length", Standard);
        return length is >= 2 and <= 1_000_000 ? (int)length : Standard;
    }

    private static int Required(ITokenizer pairs, string literal) => pairs.Find(literal)
        ?? throw new InvalidDataException($"The tokenizer lacks '{literal}'; a RoBERTa tokenizer was expected.");
}
