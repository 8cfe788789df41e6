using System.Text.Json;

namespace NextGpt.Model.Language;

/// <summary>Begin, end and pad tokens of a checkpoint, wherever its files say them.</summary>
internal sealed record TokenizerEndings
{
    // What ends a turn in the families we read, whether or not a checkpoint lists it.
    private static readonly string[] KnownEnds =
        ["<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "<|end|>", "<end_of_turn>"];

    /// <summary>End tokens by id.</summary>
    public IReadOnlyList<int> EndIds { get; init; } = [];

    /// <summary>End token by literal.</summary>
    public string? End { get; init; }

    /// <summary>Pad token by literal.</summary>
    public string? Pad { get; init; }

    /// <summary>Begin token by literal.</summary>
    public string? Begin { get; init; }

    /// <summary>Whether a sequence begins with the begin token; null where the checkpoint does not say.</summary>
    public bool? AddsBegin { get; init; }

    /// <summary>Whether SentencePiece text after a special token gets a prefix space; null where it is not said.</summary>
    public bool? Legacy { get; init; }

    /// <summary>Reads the small files of a Hugging Face folder; missing ones say nothing.</summary>
    /// <exception cref="InvalidDataException">A file is not JSON of the expected shape.</exception>
    public static TokenizerEndings FromFolder(string folder)
    {
        var endings = new TokenizerEndings();
        foreach (var file in new[] { "config.json", "generation_config.json", "tokenizer_config.json" })
        {
            var path = Path.Combine(folder, file);
            if (!File.Exists(path))
            {
                continue;
            }

            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                endings = endings.With(document.RootElement);
            }
            catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
            {
                throw new InvalidDataException($"{file} is damaged: {failure.Message} Download it again.", failure);
            }
        }

        return endings;
    }

    /// <summary>The end tokens, once the vocabulary can be asked.</summary>
    public HashSet<int> EndTokens(Func<string, int?> find)
    {
        var ends = EndIds.ToHashSet();
        foreach (var literal in KnownEnds.Append(End))
        {
            if (literal is not null && find(literal) is { } id)
            {
                ends.Add(id);
            }
        }

        return ends;
    }

    /// <summary>The begin token, where a sequence has one.</summary>
    public int? BeginToken(Func<string, int?> find, int? ofTokenizerFile) => AddsBegin switch
    {
        false => null,
        true => ofTokenizerFile ?? (Begin is null ? null : find(Begin)),
        null => ofTokenizerFile,
    };

    /// <summary>The pad token; an end token where the checkpoint has none.</summary>
    public int PadToken(Func<string, int?> find, IReadOnlySet<int> ends) =>
        (Pad is null ? null : find(Pad)) ?? ends.DefaultIfEmpty().Min();

    private TokenizerEndings With(JsonElement root)
    {
        bool? Flag(string name) => root.TryGetProperty(name, out var value)
            && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
        return this with
        {
            EndIds = [.. EndIds, .. Ids(root, "eos_token_id")],
            Begin = Literal(root, "bos_token") ?? Begin,
            End = Literal(root, "eos_token") ?? End,
            Pad = Literal(root, "pad_token") ?? Pad,
            AddsBegin = Flag("add_bos_token") ?? AddsBegin,
            Legacy = Flag("legacy") ?? Legacy,
        };
    }

    private static IEnumerable<int> Ids(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
        {
            return [];
        }

        return value.ValueKind switch
        {
            JsonValueKind.Number => [value.GetInt32()],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(id => id.GetInt32())],
            _ => [],
        };
    }

    /// <summary>A token written as a string, or as an object with its content.</summary>
    private static string? Literal(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Object => value.TryGetProperty("content", out var content) ? content.GetString() : null,
            _ => null,
        };
    }
}
