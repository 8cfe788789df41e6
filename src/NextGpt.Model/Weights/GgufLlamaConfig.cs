using NextGpt.Model.Language;

namespace NextGpt.Model.Weights;

/// <summary>The network's numbers from the metadata of a GGUF file.</summary>
/// <remarks>Keys: ggml, <c>docs/gguf.md</c>, section "LLM".</remarks>
internal static class GgufLlamaConfig
{
    /// <summary>Where Llama 3 files keep their stretch: one divisor per rotary frequency.</summary>
    public const string RopeFactorsTensor = "rope_freqs.weight";

    private const int MostLayers = 1_024;
    private const int MostHeads = 1_024;
    private const int MostWidth = 1 << 17;

    /// <summary>Reads and checks the configuration.</summary>
    /// <exception cref="InvalidDataException">Names the file, the key, and what was expected.</exception>
    public static LlamaConfig Read(GgufFile file)
    {
        var metadata = file.Metadata;
        var architecture = metadata.RequiredText("general.architecture");
        if (architecture is not ("llama" or "qwen2"))
        {
            throw Bad($"has architecture '{architecture}'; llama and qwen2 are supported");
        }

        var hidden = Integer("embedding_length", MostWidth);
        var queryHeads = Integer("attention.head_count", MostHeads);
        var keyValueHeads = metadata.OptionalInteger(Key("attention.head_count_kv"), 1, queryHeads) ?? queryHeads;
        var headSize = metadata.OptionalInteger(Key("attention.key_length"), 2, MostWidth) ?? hidden / queryHeads;
        Divides(queryHeads, keyValueHeads, "query heads", "key/value heads");
        if (headSize < 2 || headSize % 2 != 0)
        {
            throw Bad($"has a head size of {headSize}; an even number is needed for rotary positions");
        }

        Same("attention.value_length", headSize, "the value size of a head");
        Same("rope.dimension_count", headSize, "the rotated part of a head");
        if (metadata.Integer(Key("expert_count")) is > 0)
        {
            throw Bad("is a mixture of experts, which is not supported");
        }

        var embedding = file.Find("token_embd.weight");
        var vocabulary = embedding.Shape is [> 0 and <= 1 << 22, _]
            ? (int)embedding.Shape[0]
            : throw Bad($"tensor 'token_embd.weight' has shape [{string.Join(", ", embedding.Shape)}]; expected [vocabulary, width]");
        Same("vocab_size", vocabulary, "the vocabulary");

        return Stretch(new LlamaConfig
        {
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = Integer("feed_forward_length", 1 << 20),
            Layers = Integer("block_count", MostLayers),
            QueryHeads = queryHeads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            NormEpsilon = Positive("attention.layer_norm_rms_epsilon", required: true) ?? 0,
            RopeBase = Positive("rope.freq_base", required: false) ?? 10_000,
            ContextLength = Integer("context_length", int.MaxValue),
            TiedHead = !file.Tensors.ContainsKey("output.weight"),
            QueryKeyValueBias = file.Tensors.ContainsKey("blk.0.attn_q.bias"),
        });

        LlamaConfig Stretch(LlamaConfig config)
        {
            var type = metadata.Text(Key("rope.scaling.type")) ?? "none";
            var factor = Positive("rope.scaling.factor", required: false) ?? Positive("rope.scale_linear", required: false) ?? 1;
            if (file.Tensors.ContainsKey(RopeFactorsTensor))
            {
                return Llama3(file, config);
            }

            return type switch
            {
                "none" or "linear" when factor == 1 => config,
                "linear" => config with { RopeScaling = RopeScaling.Linear, RopeFactor = factor },
                "none" when metadata.Contains(Key("rope.scale_linear")) =>
                    config with { RopeScaling = RopeScaling.Linear, RopeFactor = factor },
                "none" => config,
                _ => throw Bad($"stretches positions by '{type}', which is not supported; none, linear and llama3 are"),
            };
        }

        string Key(string name) => $"{architecture}.{name}";

        int Integer(string name, int most) => metadata.RequiredInteger(Key(name), 1, most);

        double? Positive(string name, bool required)
        {
            var number = metadata.Number(Key(name));
            return number is null && !required
                ? null
                : number is > 0 and < 1e12
                    ? number
                    : throw Bad($"has metadata '{Key(name)}' {(number is null ? "missing" : $"of {number}")}; expected a positive number");
        }

        void Same(string name, int expected, string what)
        {
            if (metadata.Integer(Key(name)) is { } number && number != expected)
            {
                throw Bad($"has metadata '{Key(name)}' of {number}, but {what} is {expected} elsewhere in the file");
            }
        }

        void Divides(int whole, int part, string wholeName, string partName)
        {
            if (whole % part != 0)
            {
                throw Bad($"has {whole} {wholeName} for {part} {partName}; the first must be a multiple of the second");
            }
        }

        InvalidDataException Bad(string problem) => new($"{file.Name}: {problem}.");
    }

    /// <summary>
    /// Llama 3 files hold the divisors, not the rule. All published ones follow it with band limits 1 and 4 and a trained
    /// length of 8,192; that is confirmed against the divisors, so nothing is guessed.
    /// </summary>
    private static LlamaConfig Llama3(GgufFile file, LlamaConfig config)
    {
        var half = config.HeadSize / 2;
        if (!file.Find(RopeFactorsTensor).Shape.SequenceEqual([half]))
        {
            throw new InvalidDataException($"{file.Name}: tensor '{RopeFactorsTensor}' must have {half} elements.");
        }

        var divisors = new float[half];
        file.Read(RopeFactorsTensor, divisors);
        var stretched = config with { RopeScaling = RopeScaling.Llama3, RopeFactor = divisors[^1], RopeTrainedLength = 8_192 };
        for (var index = 0; index < half; index++)
        {
            var wavelength = 2 * Math.PI * Math.Pow(config.RopeBase, 2.0 * index / config.HeadSize);
            var smooth = ((stretched.RopeTrainedLength / wavelength) - stretched.RopeLowFrequencyFactor)
                / (stretched.RopeHighFrequencyFactor - stretched.RopeLowFrequencyFactor);
            var expected = 1 / double.Lerp(1 / stretched.RopeFactor, 1, Math.Clamp(smooth, 0, 1));
            if (!(Math.Abs(divisors[index] - expected) <= 1e-3 * expected))
            {
                throw new InvalidDataException(
                    $"{file.Name}: the stretch of positions in tensor '{RopeFactorsTensor}' is not that of Llama 3 (divisor " +
                    $"{index} is {divisors[index]}, expected {expected:0.####}), so it is not supported.");
            }
        }

        return stretched;
    }
}
