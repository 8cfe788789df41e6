namespace NextGpt.Model.Language.Quantized;

/// <summary>Computes on the CPU with quantised weights; prompts and replies alike.</summary>
/// <param name="weights">The packed network; owned by the engine.</param>
/// <param name="contextTokens">Longest sequence, in tokens.</param>
/// <param name="threads">Threads in all.</param>
internal sealed class QuantizedEngine(QuantizedLlama weights, int contextTokens, int threads) : ILanguageEngine
{
    private readonly QuantizedDecoder _decoder = new(weights, threads);

    /// <summary>The decoder, for what needs embeddings or hidden states.</summary>
    public QuantizedDecoder Decoder => _decoder;

    public int VocabularySize => _decoder.Config.VocabularySize;

    public string Description =>
        $"{weights.Layers[0].GateUp.Format switch
        {
            PanelFormat.FourBits => "4-bit",
            PanelFormat.EightBits => "8-bit",
            PanelFormat.Half => "float16",
            _ => "bfloat16",
        }} weights on {_decoder.Threads} CPU thread{(_decoder.Threads == 1 ? "" : "s")} ({_decoder.Path})";

    public int ChunkTokens => QuantizedDecoder.MostRows;

    public bool DependsOnChunks => false;

    public ILanguageSequence NewSequence() => new QuantizedSequence(_decoder.NewCache(contextTokens));

    public void Prefill(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits) =>
        _decoder.Run(((QuantizedSequence)sequence).Cache, tokens, logits, []);

    public void Decode(ILanguageSequence sequence, int token, Span<float> logits) =>
        _decoder.Run(((QuantizedSequence)sequence).Cache, [token], logits, []);

    public void Dispose()
    {
        _decoder.Dispose();
        weights.Dispose();
    }
}

/// <summary>A sequence of a <see cref="QuantizedEngine"/>.</summary>
internal sealed class QuantizedSequence(QuantizedKeyValueCache cache) : ILanguageSequence
{
    /// <summary>Keys and values.</summary>
    public QuantizedKeyValueCache Cache => cache;

    public int Length => cache.Length;

    public long SizeBytes => cache.UsedBytes;

    public void Truncate(int length) => cache.Truncate(length);

    public void Dispose() => cache.Dispose();
}
