using System.Text.Json;

namespace NextGpt.Model.Lora;

/// <summary>Reads and writes <c>adapter_config.json</c> with the entries of peft.</summary>
internal static class LoraConfigFile
{
    public const string Name = "adapter_config.json";

    private const int MaxBytes = 1 << 20;

    /// <summary>Switches of other methods under the same roof: an adapter made with one of them computes something else.</summary>
    private static readonly string[] Foreign =
    [
        "use_dora", "use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "modules_to_save", "layers_to_transform", "layer_replication",
        "rank_pattern", "alpha_pattern", "target_parameters", "trainable_token_indices", "alora_invocation_tokens",
        "arrow_config", "corda_config", "eva_config", "megatron_config", "velora_config", "monteclora_config", "lora_ga_config",
    ];

    /// <summary>Reads the settings.</summary>
    /// <param name="file">The file.</param>
    /// <param name="layersInFile">Last parts of the layers that the weights are for; they replace a pattern as target.</param>
    /// <exception cref="InvalidDataException">Names file, entry and problem.</exception>
    public static LoraSettings Read(string file, IReadOnlyList<string> layersInFile)
    {
        if (new FileInfo(file).Length > MaxBytes)
        {
            throw new InvalidDataException($"{file}: more than {MaxBytes} bytes; an {Name} was expected.");
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 16 });
            var root = json.RootElement;
            RefuseForeign(file, root);
            var settings = new LoraSettings
            {
                Rank = root.GetProperty("r").GetInt32(),
                Alpha = root.GetProperty("lora_alpha").GetDouble(),
                RankStabilised = root.TryGetProperty("use_rslora", out var stabilised) && stabilised.GetBoolean(),
                Dropout = root.TryGetProperty("lora_dropout", out var dropout) ? dropout.GetDouble() : 0,
                TargetModules = Targets(root.GetProperty("target_modules"), layersInFile),
            };
            settings.Validate(file);
            return settings;
        }
        catch (Exception broken)
            when (broken is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException(
                $"{file}: not the config of a LoRA adapter ({broken.Message.ReplaceLineEndings(" ")}); expected peft's r, "
                + "lora_alpha and target_modules.",
                broken);
        }
    }

    /// <summary>The settings as peft writes them.</summary>
    public static byte[] Write(LoraSettings settings)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNull("base_model_name_or_path");
            writer.WriteString("bias", "none");
            writer.WriteBoolean("fan_in_fan_out", false);
            writer.WriteBoolean("inference_mode", true);
            writer.WriteNumber("lora_alpha", settings.Alpha);
            writer.WriteNumber("lora_dropout", settings.Dropout);
            writer.WriteNull("modules_to_save");
            writer.WriteString("peft_type", "LORA");
            writer.WriteNumber("r", settings.Rank);
            writer.WriteStartArray("target_modules");
            foreach (var target in settings.TargetModules.Order(StringComparer.Ordinal))
            {
                writer.WriteStringValue(target);
            }

            writer.WriteEndArray();
            writer.WriteString("task_type", "CAUSAL_LM");
            writer.WriteBoolean("use_rslora", settings.RankStabilised);
            writer.WriteEndObject();
        }

        return json.ToArray();
    }

    private static IReadOnlyList<string> Targets(JsonElement targets, IReadOnlyList<string> layersInFile) =>
        targets.ValueKind == JsonValueKind.String
            ? layersInFile
            : [.. targets.EnumerateArray().Select(target => target.GetString() ?? "")];

    private static void RefuseForeign(string file, JsonElement root)
    {
        if (root.TryGetProperty("peft_type", out var kind) && kind.GetString() is { } method && method != "LORA")
        {
            throw new InvalidDataException($"{file}: peft_type is {method}; this program uses LORA.");
        }

        if (root.TryGetProperty("bias", out var bias) && bias.GetString() is { } trained && trained != "none")
        {
            throw new InvalidDataException($"{file}: bias is {trained}; this program uses adapters that leave the biases alone (none).");
        }

        foreach (var name in Foreign)
        {
            var off = !root.TryGetProperty(name, out var value) || value.ValueKind switch
            {
                JsonValueKind.Null or JsonValueKind.False => true,
                JsonValueKind.Object => !value.EnumerateObject().Any(),
                JsonValueKind.Array => value.GetArrayLength() == 0,
                _ => false,
            };
            if (!off)
            {
                throw new InvalidDataException($"{file}: {name} is set, which this program does not do; train the adapter without it.");
            }
        }
    }
}
