using System.Text.Json;

namespace NextGpt.Model.Language;

/// <summary>Reads the <c>tokenizer.json</c> of a Hugging Face checkpoint.</summary>
/// <remarks>
/// Byte-level BPE (GPT-2, RoBERTa, SmolLM2, Llama 3, Qwen2) and SentencePiece pieces rewritten as merges (Llama 2,
/// TinyLlama, Mistral). A step that would change the ids and is not known is refused by name.
/// </remarks>
internal static class TokenizerJson
{
    private const long MaxBytes = 256 << 20;

    /// <summary>What a tokenizer file says; end and pad tokens come from the files beside it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="endings">Begin, end and pad tokens; what is null there is found in the file.</param>
    /// <exception cref="InvalidDataException">Names the file and the problem.</exception>
    public static ITokenizer Read(string path, TokenizerEndings endings)
    {
        var name = Path.GetFileName(path);
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new InvalidDataException($"it is larger than {MaxBytes:N0} bytes");
            }

            using var stream = File.OpenRead(path);
            using var document = JsonDocument.Parse(stream);
            return Build(document.RootElement, endings);
        }
        catch (Exception failure) when (failure is JsonException or InvalidDataException or InvalidOperationException
            or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException(
                $"{name} is not a usable tokenizer: {failure.Message.TrimEnd('.')}. Download it again, or use a model with "
                + "the tokenizer of GPT-2, SmolLM2, Llama or Qwen2.",
                failure);
        }
    }

    private static ITokenizer Build(JsonElement root, TokenizerEndings endings)
    {
        var model = root.GetProperty("model");
        if (model.TryGetProperty("type", out var type) && type.GetString() is { } kind && kind != "BPE")
        {
            throw new InvalidDataException($"its model is {kind}, only BPE is read");
        }

        var added = ReadAdded(root);
        var tokens = ReadVocabulary(model.GetProperty("vocab"));
        var merges = ReadMerges(model.GetProperty("merges"));
        int? Find(string literal) =>
            added.FirstOrDefault(token => token.Literal == literal)?.Id
            ?? (Array.IndexOf(tokens, literal) is >= 0 and var id ? id : null);

        var ends = endings.EndTokens(Find);
        var begin = endings.BeginToken(Find, BeginOfPostProcessor(root, Find));
        var pad = endings.PadToken(Find, ends);
        if (model.TryGetProperty("byte_fallback", out var fallback) && fallback.GetBoolean())
        {
            return new SentencePieceTokenizer(Pieces(root, tokens, merges, added) with
            {
                BeginToken = begin,
                EndTokens = ends,
                PadToken = pad,
            });
        }

        var words = ReadPreTokenizer(root, out var prefixSpace);
        return new ByteBpeTokenizer(new ByteBpeVocabulary
        {
            Tokens = tokens,
            Merges = merges,
            Added = added,
            Words = words,
            WholeWordsFirst = model.TryGetProperty("ignore_merges", out var ignore) && ignore.GetBoolean(),
            Composes = ReadComposes(root),
            PrefixSpace = prefixSpace,
            BeginToken = begin,
            EndTokens = ends,
            PadToken = pad,
        });
    }

    private static string?[] ReadVocabulary(JsonElement vocabulary)
    {
        var count = vocabulary.EnumerateObject().Select(entry => entry.Value.GetInt32() + 1).DefaultIfEmpty().Max();
        if (count > 4_000_000)
        {
            throw new InvalidDataException($"its vocabulary has an id of {count - 1:N0}");
        }

        var tokens = new string?[count];
        foreach (var entry in vocabulary.EnumerateObject())
        {
            tokens[entry.Value.GetInt32()] = entry.Name;
        }

        return tokens;
    }

    private static List<(string Left, string Right)> ReadMerges(JsonElement merges)
    {
        var pairs = new List<(string, string)>(merges.GetArrayLength());
        foreach (var merge in merges.EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.Array)
            {
                pairs.Add((merge[0].GetString() ?? "", merge[1].GetString() ?? ""));
            }
            else
            {
                pairs.Add(SplitMerge(merge.GetString() ?? ""));
            }
        }

        return pairs;
    }

    /// <summary>The halves of a merge written as one string: the space between them is never the first character.</summary>
    internal static (string Left, string Right) SplitMerge(string merge)
    {
        var space = merge.Length > 0 ? merge.IndexOf(' ', 1) : -1;
        return space > 0
            ? (merge[..space], merge[(space + 1)..])
            : throw new InvalidDataException($"a merge has no two halves ('{merge}')");
    }

    private static List<AddedToken> ReadAdded(JsonElement root)
    {
        var added = new List<AddedToken>();
        if (root.TryGetProperty("added_tokens", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var entry in list.EnumerateArray())
            {
                added.Add(ReadAddedToken(entry, entry.GetProperty("id").GetInt32()));
            }
        }

        return added;
    }

    /// <summary>One entry of <c>added_tokens</c> or <c>added_tokens_decoder</c>.</summary>
    internal static AddedToken ReadAddedToken(JsonElement entry, int id)
    {
        bool Flag(string name) => entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
        return id is >= 0 and < 4_000_000
            ? new AddedToken(id, entry.GetProperty("content").GetString() ?? "", Flag("special"))
            {
                StripsLeft = Flag("lstrip"),
                StripsRight = Flag("rstrip"),
                WholeWord = Flag("single_word"),
            }
            : throw new InvalidDataException($"an added token has the id {id}");
    }

    private static bool ReadComposes(JsonElement root)
    {
        if (!root.TryGetProperty("normalizer", out var normaliser) || normaliser.ValueKind == JsonValueKind.Null)
        {
            return false;
        }

        var kinds = Steps(normaliser, "normalizers").Select(step => step.GetProperty("type").GetString()).ToList();
        return kinds.All(kind => kind == "NFC")
            ? kinds.Count > 0
            : throw new InvalidDataException($"its normaliser is {string.Join(" + ", kinds)}, only NFC is known");
    }

    private static WordSplitter ReadPreTokenizer(JsonElement root, out bool prefixSpace)
    {
        prefixSpace = false;
        WordSplitter? words = null;
        if (root.TryGetProperty("pre_tokenizer", out var preTokenizer) && preTokenizer.ValueKind == JsonValueKind.Object)
        {
            foreach (var step in Steps(preTokenizer, "pretokenizers"))
            {
                prefixSpace |= step.TryGetProperty("add_prefix_space", out var prefix) && prefix.GetBoolean();
                if (ReadSplit(step) is { } split)
                {
                    words = words is null ? split : words.Then(split);
                }
            }
        }

        return words ?? throw new InvalidDataException("it does not say how words are split");
    }

    private static WordSplitter? ReadSplit(JsonElement step)
    {
        switch (step.GetProperty("type").GetString())
        {
            case "ByteLevel":
                return !step.TryGetProperty("use_regex", out var usesRegex) || usesRegex.GetBoolean()
                    ? WordSplitter.Gpt2
                    : null;
            case "Digits":
                return step.TryGetProperty("individual_digits", out var alone) && alone.GetBoolean()
                    ? WordSplitter.Digits
                    : WordSplitter.DigitRuns;
            case "Split" when step.GetProperty("pattern").TryGetProperty("Regex", out var pattern)
                && step.GetProperty("behavior").GetString() is "Isolated" or "Removed"
                && step.GetProperty("behavior").GetString() == "Removed" == IsInverted(step):
                return WordSplitter.FromPattern(pattern.GetString() ?? "");
            case var other:
                throw new InvalidDataException($"its word splitting has a step that is not known ({other})");
        }
    }

    private static bool IsInverted(JsonElement step) =>
        step.TryGetProperty("invert", out var invert) && invert.GetBoolean();

    private static List<JsonElement> Steps(JsonElement step, string inner) =>
        step.GetProperty("type").GetString() == "Sequence" ? [.. step.GetProperty(inner).EnumerateArray()] : [step];

    /// <summary>SentencePiece pieces from merges: a piece's score is the rank of the first merge that makes it.</summary>
    private static SentencePieceVocabulary Pieces(
        JsonElement root, string?[] tokens, List<(string Left, string Right)> merges, List<AddedToken> added)
    {
        var ranks = new Dictionary<string, int>(merges.Count, StringComparer.Ordinal);
        foreach (var (left, right) in merges)
        {
            ranks.TryAdd(left + right, ranks.Count);
        }

        var addedIds = added.Select(token => token.Id).ToHashSet();
        var pieces = tokens.Select((token, id) => new SentencePiece(
            token ?? "", -ranks.GetValueOrDefault(token ?? "", ranks.Count), KindOf(token, addedIds.Contains(id)))).ToList();
        var (prefix, everywhere) = PrefixOf(root);
        return new SentencePieceVocabulary
        {
            Pieces = pieces,
            Added = added,
            PrefixSpace = prefix,
            PrefixSpaceAfterSpecial = everywhere,
            EndTokens = new HashSet<int>(),
            PadToken = 0,
        };
    }

    private static SentencePieceKind KindOf(string? token, bool added) => token switch
    {
        null => SentencePieceKind.Unused,
        "<unk>" => SentencePieceKind.Unknown,
        ['<', '0', 'x', _, _, '>'] => SentencePieceKind.Byte,
        _ => added ? SentencePieceKind.Control : SentencePieceKind.Normal,
    };

    private static (bool Prefix, bool Everywhere) PrefixOf(JsonElement root)
    {
        if (root.TryGetProperty("normalizer", out var normaliser) && normaliser.ValueKind == JsonValueKind.Object
            && Steps(normaliser, "normalizers").Exists(step => step.GetProperty("type").GetString() == "Prepend"))
        {
            return (true, true);
        }

        if (root.TryGetProperty("pre_tokenizer", out var preTokenizer) && preTokenizer.ValueKind == JsonValueKind.Object)
        {
            foreach (var step in Steps(preTokenizer, "pretokenizers"))
            {
                if (step.GetProperty("type").GetString() == "Metaspace")
                {
                    var scheme = step.TryGetProperty("prepend_scheme", out var value) ? value.GetString() : "always";
                    return (scheme != "never", scheme == "always");
                }
            }
        }

        return (false, false);
    }

    private static int? BeginOfPostProcessor(JsonElement root, Func<string, int?> find)
    {
        if (!root.TryGetProperty("post_processor", out var post) || post.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (var step in Steps(post, "processors"))
        {
            if (step.TryGetProperty("cls", out var begin) && begin.GetArrayLength() == 2)
            {
                return begin[1].GetInt32();
            }

            if (step.TryGetProperty("single", out var single) && single.GetArrayLength() > 0
                && single[0].TryGetProperty("SpecialToken", out var special))
            {
                return find(special.GetProperty("id").GetString() ?? "");
            }
        }

        return null;
    }
}
