namespace NextGpt.Model.Language.Quantized;

/// <summary>Computes on the CPU with quantised weights; prompts and replies alike.</summary>
/// <param name="weights">The packed network; owned by the engine.</param>
/// <param name="contextTokens">Longest sequence, in tokens.</param>
/// <param name="threads">Threads in all.</param>
/// <param name="added">Rows of tokens behind the network's own, kept as they are; null is none.</param>
internal sealed class QuantizedEngine(QuantizedLlama weights, int contextTokens, int threads, FloatRows? added = null) : ILanguageEngine
{
    private readonly QuantizedDecoder _decoder = new(weights, threads);
    private readonly float[] _state = new float[weights.Config.HiddenSize];

    /// <summary>The decoder, for what needs embeddings or hidden states.</summary>
    public QuantizedDecoder Decoder => _decoder;

    public int VocabularySize => Own + (added?.Count ?? 0);

    /// <summary>Tokens behind the network's own.</summary>
    public int AddedTokens => added?.Count ?? 0;

    public int HiddenSize => _decoder.Config.HiddenSize;

    private int Own => _decoder.Config.VocabularySize;

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
        Read(sequence, tokens, logits, []);

    public void Decode(ILanguageSequence sequence, int token, Span<float> logits, Span<float> hidden) =>
        Read(sequence, [token], logits, hidden);

    public void PrefillEmbeddings(ILanguageSequence sequence, ReadOnlySpan<float> embeddings, Span<float> logits)
    {
        var states = StatesFor(logits, []);
        _decoder.RunEmbeddings(((QuantizedSequence)sequence).Cache, embeddings, OwnPart(logits), states);
        Score(states, logits);
    }

    public void Embed(int token, Span<float> destination)
    {
        if (token < Own)
        {
            _decoder.Embed(token, destination);
        }
        else
        {
            RowsOf(token).EmbeddingOf(token - Own).CopyTo(destination);
        }
    }

    private void Read(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits, Span<float> hidden)
    {
        var cache = ((QuantizedSequence)sequence).Cache;
        var states = StatesFor(logits, hidden);
        if (added is null || !tokens.ContainsAnyInRange(Own, int.MaxValue))
        {
            _decoder.Run(cache, tokens, OwnPart(logits), states);
        }
        else
        {
            var embeddings = new float[tokens.Length * HiddenSize];
            for (var i = 0; i < tokens.Length; i++)
            {
                Embed(tokens[i], embeddings.AsSpan(i * HiddenSize, HiddenSize));
            }

            _decoder.RunEmbeddings(cache, embeddings, OwnPart(logits), states);
        }

        Score(states, logits);
    }

    /// <summary>Where the last state goes: to whoever wants it, else to our own scratch if the added rows need it.</summary>
    private Span<float> StatesFor(Span<float> logits, Span<float> hidden) =>
        !hidden.IsEmpty ? hidden : added is null || logits.IsEmpty ? [] : _state;

    private Span<float> OwnPart(Span<float> logits) => logits.IsEmpty ? [] : logits[..Own];

    private void Score(ReadOnlySpan<float> state, Span<float> logits)
    {
        if (added is not null && !logits.IsEmpty)
        {
            added.Score(state, logits[Own..]);
        }
    }

    private FloatRows RowsOf(int token) => added is not null && token < VocabularySize
        ? added
        : throw new ArgumentOutOfRangeException(nameof(token), token, $"A token id must be 0 to {VocabularySize - 1}.");

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
