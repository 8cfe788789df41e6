using NextGpt.Model.Weights;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// The weights of a LLaMA-architecture network packed for decoding on the CPU. Immutable after loading; decoders share it.
/// </summary>
/// <remarks>
/// From a GGUF file stored blocks are repacked without loss where <see cref="PanelPacker"/> keeps their type; every other
/// source (merged adapters, safetensors) is read as float32 and quantised to eight bits.
/// </remarks>
internal sealed unsafe class QuantizedLlama : IDisposable
{
    private readonly WeightArena _arena = new();

    /// <summary>Packs a checkpoint, on all cores.</summary>
    /// <param name="source">Tensors under Hugging Face names; may be disposed afterwards.</param>
    /// <param name="config">The network's numbers.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every layer.</param>
    /// <exception cref="InvalidDataException">
    /// A tensor is missing, has another shape than the configuration asks for, or holds values that are no numbers.
    /// </exception>
    public QuantizedLlama(
        ITensorSource source, LlamaConfig config, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        try
        {
            var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
            var queryRows = config.QueryHeads * config.HeadSize;
            var keyRows = config.KeyValueHeads * config.HeadSize;
            Embedding = Stack(Matrix("model.embed_tokens.weight", config.VocabularySize, hidden));
            Head = config.TiedHead ? Embedding : Stack(Matrix("lm_head.weight", config.VocabularySize, hidden));
            FinalNorm = Vectors((["model.norm.weight"], hidden));
            var layers = new QuantizedLayer[config.Layers];
            for (var index = 0; index < layers.Length; index++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report((index + 1.0) / (layers.Length + 1));
                var layer = $"model.layers.{index}.";
                layers[index] = new QuantizedLayer
                {
                    AttentionNorm = Vectors(([$"{layer}input_layernorm.weight"], hidden)),
                    QueryKeyValue = Stack(
                        Matrix($"{layer}self_attn.q_proj.weight", queryRows, hidden),
                        Matrix($"{layer}self_attn.k_proj.weight", keyRows, hidden),
                        Matrix($"{layer}self_attn.v_proj.weight", keyRows, hidden)),
                    QueryKeyValueBias = config.QueryKeyValueBias
                        ? Vectors(
                            ([$"{layer}self_attn.q_proj.bias"], queryRows),
                            ([$"{layer}self_attn.k_proj.bias", $"{layer}self_attn.v_proj.bias"], keyRows))
                        : null,
                    Output = Stack(Matrix($"{layer}self_attn.o_proj.weight", hidden, queryRows)),
                    FeedForwardNorm = Vectors(([$"{layer}post_attention_layernorm.weight"], hidden)),
                    GateUp = PanelPacker.Interleave(
                        _arena,
                        Matrix($"{layer}mlp.gate_proj.weight", inner, hidden),
                        Matrix($"{layer}mlp.up_proj.weight", inner, hidden)),
                    Down = Stack(Matrix($"{layer}mlp.down_proj.weight", hidden, inner)),
                };
            }

            Layers = layers;
            progress?.Report(1);
        }
        catch
        {
            _arena.Dispose();
            throw;
        }

        PanelMatrix Stack(params ReadOnlySpan<PanelPacker.Part> parts) => PanelPacker.Stack(_arena, parts);

        PanelPacker.Part Matrix(string name, int rows, int columns)
        {
            Check(name, rows, columns);
            if (source is GgufLlama gguf)
            {
                var part = gguf.Find(name);
                var (first, rowBytes) = ((nint)gguf.File.Blocks(part.Tensor), part.Tensor.RowBytes);
                return new($"{source.Name}: tensor '{name}'", part.Tensor.Type, rows, columns, row => first + (nint)(part.ToStored(row) * rowBytes), null);
            }

            var values = new float[(long)rows * columns];
            source.Read(name, values);
            return new($"{source.Name}: tensor '{name}'", GgufType.F32, rows, columns, null, values);
        }

        float* Vectors(params ReadOnlySpan<(string[] Names, int Count)> vectors)
        {
            var total = 0;
            foreach (var (names, count) in vectors)
            {
                total += names.Length * count;
            }

            var start = (float*)_arena.Take((long)total * sizeof(float));
            var next = start;
            foreach (var (names, count) in vectors)
            {
                foreach (var name in names)
                {
                    Check(name, count);
                    var values = new Span<float>(next, count);
                    source.Read(name, values);
                    foreach (var value in values)
                    {
                        if (!float.IsFinite(value))
                        {
                            throw new InvalidDataException(
                                $"{source.Name}: tensor '{name}' holds values that are no numbers; the weights are damaged, " +
                                "download them again.");
                        }
                    }

                    next += count;
                }
            }

            return start;
        }

        void Check(string name, params ReadOnlySpan<long> shape)
        {
            if (!source.Tensors.TryGetValue(name, out var info))
            {
                throw new InvalidDataException($"{source.Name}: tensor '{name}' is missing; the network is not whole.");
            }

            if (!shape.SequenceEqual([.. info.Shape]))
            {
                throw new InvalidDataException(
                    $"{source.Name}: tensor '{name}' has shape [{string.Join(", ", info.Shape)}]; expected " +
                    $"[{string.Join(", ", shape.ToArray())}].");
            }
        }
    }

    /// <summary>The network's numbers.</summary>
    public LlamaConfig Config { get; }

    /// <summary>[vocab, hidden]</summary>
    public PanelMatrix Embedding { get; }

    /// <summary>[vocab, hidden]; the embedding itself where they are tied.</summary>
    public PanelMatrix Head { get; }

    /// <summary>[hidden]</summary>
    public float* FinalNorm { get; }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<QuantizedLayer> Layers { get; }

    /// <summary>Bytes of packed weights; a token reads nearly all of them.</summary>
    public long SizeBytes => _arena.UsedBytes;

    /// <summary>Frees the weights. Call it once no decoder uses them any more.</summary>
    public void Dispose() => _arena.Dispose();
}

/// <summary>The weights of one layer.</summary>
internal sealed unsafe class QuantizedLayer
{
    /// <summary>[hidden]</summary>
    public required float* AttentionNorm { get; init; }

    /// <summary>[query + 2 key/value rows, hidden]</summary>
    public required PanelMatrix QueryKeyValue { get; init; }

    /// <summary>[query + 2 key/value rows], or null.</summary>
    public required float* QueryKeyValueBias { get; init; }

    /// <summary>[hidden, query rows]</summary>
    public required PanelMatrix Output { get; init; }

    /// <summary>[hidden]</summary>
    public required float* FeedForwardNorm { get; init; }

    /// <summary>Panels of gate and up in turns, [2 inner, hidden].</summary>
    public required PanelMatrix GateUp { get; init; }

    /// <summary>[hidden, inner]</summary>
    public required PanelMatrix Down { get; init; }
}
