using System.Text.Json;

namespace NextGpt.Model.Language;

/// <summary>Reads the <c>config.json</c> of a checkpoint folder in Hugging Face layout.</summary>
/// <remarks>
/// Knows <c>llama</c>, <c>mistral</c> without a sliding window, and <c>qwen2</c>; rotary scaling under <c>rope_scaling</c> with
/// the old key <c>type</c> or the new <c>rope_type</c>, and under <c>rope_parameters</c> (transformers 5). What this network does
/// not do is refused by name, never dropped.
/// </remarks>
public static class LlamaConfigFile
{
    private const int MaxBytes = 1 << 20;

    /// <summary>Reads and checks a config.</summary>
    /// <param name="path"><c>config.json</c>, or the folder that holds it.</param>
    /// <exception cref="InvalidDataException">Names file, entry and problem.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static LlamaConfig Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        if (new FileInfo(file).Length > MaxBytes)
        {
            throw new InvalidDataException($"{file}: more than {MaxBytes} bytes; a config.json was expected.");
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 16 });
            var config = Parse(file, json.RootElement);
            config.Validate(file);
            return config;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException(
                $"{file}: not a config of a LLaMA-architecture network ({broken.Message.ReplaceLineEndings(" ")}).", broken);
        }
    }

    private static LlamaConfig Parse(string file, JsonElement root)
    {
        var kind = Text(root, "model_type") ?? "llama";
        if (kind is not ("llama" or "mistral" or "qwen2"))
        {
            throw Unsupported(file, "model_type", kind, "llama, mistral or qwen2");
        }

        RefuseOtherThan(file, root, "hidden_act", "silu");
        RefuseTrue(file, root, "mlp_bias");
        RefuseTrue(file, root, "use_sliding_window");
        RefuseTrue(file, root, "attention_bias");
        if (kind == "mistral" && Number(root, "sliding_window") is { } window)
        {
            throw Unsupported(file, "sliding_window", $"{window}", "null");
        }

        var heads = Whole(file, root, "num_attention_heads");
        var hidden = Whole(file, root, "hidden_size");
        var config = new LlamaConfig
        {
            VocabularySize = Whole(file, root, "vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = Whole(file, root, "intermediate_size"),
            Layers = Whole(file, root, "num_hidden_layers"),
            QueryHeads = heads,
            KeyValueHeads = Whole(file, root, "num_key_value_heads", heads),
            HeadSize = Whole(file, root, "head_dim", heads > 0 ? hidden / heads : 0),
            NormEpsilon = Number(root, "rms_norm_eps") ?? 1e-6,
            RopeBase = Number(root, "rope_theta") ?? 10_000,
            ContextLength = Whole(file, root, "max_position_embeddings", 2_048),
            TiedHead = Flag(root, "tie_word_embeddings"),
            QueryKeyValueBias = kind == "qwen2",
        };
        return WithRope(file, root, config);
    }

    private static LlamaConfig WithRope(string file, JsonElement root, LlamaConfig config)
    {
        if (!Present(root, "rope_parameters", out var rope) && !Present(root, "rope_scaling", out rope))
        {
            return config;
        }

        config = config with { RopeBase = Number(rope, "rope_theta") ?? config.RopeBase };
        var kind = Text(rope, "rope_type") ?? Text(rope, "type") ?? "default";
        return kind switch
        {
            "default" => config,
            "linear" => config with { RopeScaling = RopeScaling.Linear, RopeFactor = Needed(file, rope, "factor") },
            "llama3" => config with
            {
                RopeScaling = RopeScaling.Llama3,
                RopeFactor = Needed(file, rope, "factor"),
                RopeLowFrequencyFactor = Needed(file, rope, "low_freq_factor"),
                RopeHighFrequencyFactor = Needed(file, rope, "high_freq_factor"),
                RopeTrainedLength = Whole(file, rope, "original_max_position_embeddings"),
            },
            _ => throw Unsupported(file, "rope type", kind, "default, linear or llama3"),
        };
    }

    private static bool Present(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private static int Whole(string file, JsonElement parent, string name, int? otherwise = null) =>
        !Present(parent, name, out var value)
            ? otherwise ?? throw new InvalidDataException($"{file}: the entry {name} is missing.")
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
                ? number
                : throw new InvalidDataException($"{file}: {name} is {value.GetRawText()}, a whole number was expected.");

    private static double? Number(JsonElement parent, string name) =>
        Present(parent, name, out var value) ? value.GetDouble() : null;

    private static double Needed(string file, JsonElement parent, string name) =>
        Number(parent, name) ?? throw new InvalidDataException($"{file}: the rope scaling lacks {name}.");

    private static string? Text(JsonElement parent, string name) =>
        Present(parent, name, out var value) ? value.GetString() : null;

    private static bool Flag(JsonElement parent, string name) => Present(parent, name, out var value) && value.GetBoolean();

    private static void RefuseTrue(string file, JsonElement root, string name)
    {
        if (Flag(root, name))
        {
            throw Unsupported(file, name, "true", "false");
        }
    }

    private static void RefuseOtherThan(string file, JsonElement root, string name, string wanted)
    {
        if (Text(root, name) is { } value && value != wanted)
        {
            throw Unsupported(file, name, value, wanted);
        }
    }

    private static InvalidDataException Unsupported(string file, string name, string value, string wanted) =>
        new($"{file}: {name} is {value}, which this program does not run; it runs {wanted}.");
}
