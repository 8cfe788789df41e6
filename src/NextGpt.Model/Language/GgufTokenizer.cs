using NextGpt.Model.Weights;

namespace NextGpt.Model.Language;

/// <summary>Builds the tokenizer that a GGUF file carries in its metadata.</summary>
/// <remarks>
/// Keys as in ggml-org/ggml, docs/gguf.md. The word splitting is named, not given (<c>tokenizer.ggml.pre</c>): a name
/// that is not known is refused, because a guess would change ids without a sign.
/// </remarks>
internal static class GgufTokenizer
{
    private const int Control = 3;
    private const int UserDefined = 4;
    private static readonly string[] EndKeys = ["eos_token_id", "eot_token_id", "eom_token_id"];

    /// <summary>The tokenizer of a file.</summary>
    /// <exception cref="InvalidDataException">Names the file, the key and the problem.</exception>
    public static ITokenizer Read(GgufMetadata metadata)
    {
        var tokens = metadata.Texts("tokenizer.ggml.tokens");
        if (tokens is not { Count: > 0 })
        {
            throw new InvalidDataException($"{metadata.FileName} carries no tokenizer; use a GGUF file that does.");
        }

        var kinds = metadata.Integers("tokenizer.ggml.token_type") ?? [];
        if (kinds.Count != 0 && kinds.Count != tokens.Count)
        {
            throw new InvalidDataException(
                $"{metadata.FileName} has {tokens.Count:N0} tokens but {kinds.Count:N0} token types; the file is damaged, "
                + "download it again.");
        }

        return metadata.RequiredText("tokenizer.ggml.model") switch
        {
            "gpt2" => ReadByteBpe(metadata, tokens, kinds),
            "llama" => ReadSentencePiece(metadata, tokens, kinds),
            var other => throw new InvalidDataException(
                $"{metadata.FileName} has a tokenizer of the kind {other}; only gpt2 (byte-level BPE) and llama "
                + "(SentencePiece) are read."),
        };
    }

    private static ByteBpeTokenizer ReadByteBpe(
        GgufMetadata metadata, IReadOnlyList<string> tokens, IReadOnlyList<long> kinds)
    {
        var merges = metadata.Texts("tokenizer.ggml.merges")
            ?? throw new InvalidDataException($"{metadata.FileName} has no merges for its tokenizer; download it again.");
        var added = new List<AddedToken>();
        for (var id = 0; id < kinds.Count; id++)
        {
            if (kinds[id] is Control or UserDefined)
            {
                added.Add(new AddedToken(id, tokens[id], kinds[id] == Control));
            }
        }

        var pre = metadata.Text("tokenizer.ggml.pre") ?? "gpt-2";
        var ends = Ends(metadata, tokens);
        return new ByteBpeTokenizer(new ByteBpeVocabulary
        {
            Tokens = tokens,
            Merges = [.. merges.Select(merge => Merge(merge, metadata.FileName))],
            Added = added,
            Words = WordsOf(pre, metadata.FileName),
            WholeWordsFirst = pre is "llama-bpe" or "llama3" or "llama-v3",
            Composes = pre is "qwen2" or "deepseek-r1-qwen",
            PrefixSpace = metadata.Flag("tokenizer.ggml.add_space_prefix") ?? false,
            BeginToken = Begin(metadata, tokens.Count, addsByDefault: pre is "llama-bpe" or "llama3" or "llama-v3"),
            EndTokens = ends,
            PadToken = Id(metadata, "padding_token_id", tokens.Count) ?? ends.DefaultIfEmpty().Min(),
        });
    }

    private static SentencePieceTokenizer ReadSentencePiece(
        GgufMetadata metadata, IReadOnlyList<string> tokens, IReadOnlyList<long> kinds)
    {
        var scores = metadata.Numbers("tokenizer.ggml.scores");
        if (scores is null || scores.Count != tokens.Count || kinds.Count != tokens.Count)
        {
            throw new InvalidDataException(
                $"{metadata.FileName} has {tokens.Count:N0} tokens but {scores?.Count ?? 0:N0} scores and {kinds.Count:N0} "
                + "types; the file is damaged, download it again.");
        }

        var ends = Ends(metadata, tokens);
        return new SentencePieceTokenizer(new SentencePieceVocabulary
        {
            Pieces = [.. tokens.Select((token, id) => new SentencePiece(
                token, (float)scores[id], (SentencePieceKind)kinds[id]))],
            PrefixSpace = metadata.Flag("tokenizer.ggml.add_space_prefix") ?? true,
            BeginToken = Begin(metadata, tokens.Count, addsByDefault: true),
            EndTokens = ends,
            PadToken = Id(metadata, "padding_token_id", tokens.Count) ?? ends.DefaultIfEmpty().Min(),
        });
    }

    private static WordSplitter WordsOf(string pre, string file) => pre switch
    {
        "gpt-2" or "gpt2" or "roberta-bpe" => WordSplitter.Gpt2,
        "smollm" => WordSplitter.DigitsThenGpt2,
        "llama-bpe" or "llama3" or "llama-v3" => WordSplitter.Llama3,
        "qwen2" or "deepseek-r1-qwen" => WordSplitter.Qwen2,
        _ => throw new InvalidDataException(
            $"{file} splits words the way of {pre}, which is not known; gpt-2, smollm, llama-bpe and qwen2 are."),
    };

    private static (string Left, string Right) Merge(string merge, string file)
    {
        try
        {
            return TokenizerJson.SplitMerge(merge);
        }
        catch (InvalidDataException failure)
        {
            throw new InvalidDataException($"{file}: {failure.Message}; the file is damaged, download it again.", failure);
        }
    }

    private static HashSet<int> Ends(GgufMetadata metadata, IReadOnlyList<string> tokens)
    {
        var ids = EndKeys.Select(key => Id(metadata, key, tokens.Count)).OfType<int>();
        var byText = new Lazy<Dictionary<string, int>>(() =>
        {
            var map = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
            for (var id = 0; id < tokens.Count; id++)
            {
                map.TryAdd(tokens[id], id);
            }

            return map;
        });
        return new TokenizerEndings { EndIds = [.. ids] }.EndTokens(
            literal => byText.Value.TryGetValue(literal, out var id) ? id : null);
    }

    private static int? Begin(GgufMetadata metadata, int count, bool addsByDefault) =>
        metadata.Flag("tokenizer.ggml.add_bos_token") ?? addsByDefault ? Id(metadata, "bos_token_id", count) : null;

    private static int? Id(GgufMetadata metadata, string key, int count) =>
        metadata.OptionalInteger($"tokenizer.ggml.{key}", 0, count - 1);
}
