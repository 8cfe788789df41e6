using NextGpt.Model.Language;

namespace NextGpt.Model.Tests;

/// <summary>An engine whose next token is a function of the tokens read; it can be held and made to fail.</summary>
internal sealed class ToyEngine(int vocabularySize, Func<IReadOnlyList<int>, int> next) : ILanguageEngine
{
    private int _live;
    private int _decoded;

    public int VocabularySize => vocabularySize;

    public int HiddenSize => 4;

    public string Description => "toy";

    public int ChunkTokens => 64;

    public bool DependsOnChunks { get; init; } = true;

    /// <summary>Tokens of each prompt chunk read, in order.</summary>
    public List<int> Chunks { get; } = [];

    /// <summary>Sequences that were made and not disposed.</summary>
    public int LiveSequences => Volatile.Read(ref _live);

    /// <summary>Reply tokens read.</summary>
    public int Decoded => Volatile.Read(ref _decoded);

    public bool Disposed { get; private set; }

    /// <summary>Runs before each step: waits, throws, or does nothing.</summary>
    public Action BeforeStep { get; set; } = () => { };

    public ILanguageSequence NewSequence()
    {
        Interlocked.Increment(ref _live);
        return new ToySequence(() => Interlocked.Decrement(ref _live));
    }

    public void Prefill(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        BeforeStep();
        Chunks.Add(tokens.Length);
        var read = ((ToySequence)sequence).Tokens;
        read.AddRange(tokens);
        if (!logits.IsEmpty)
        {
            // Every token is a little likely, so that temperature and seed matter; the chosen one clearly most.
            for (var token = 0; token < logits.Length; token++)
            {
                logits[token] = token % 7 * 0.1f;
            }

            logits[next(read)] = 5;
        }
    }

    public void Decode(ILanguageSequence sequence, int token, Span<float> logits, Span<float> hidden)
    {
        Prefill(sequence, [token], logits);
        Chunks.RemoveAt(Chunks.Count - 1);
        Interlocked.Increment(ref _decoded);
        hidden.Fill(((ToySequence)sequence).Tokens.Count);   // the state tells the position
    }

    public void Embed(int token, Span<float> destination) => destination.Fill(token / 1_000f);

    public void PrefillEmbeddings(ILanguageSequence sequence, ReadOnlySpan<float> embeddings, Span<float> logits)
    {
        var tokens = new int[embeddings.Length / HiddenSize];
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = (int)MathF.Round(embeddings[i * HiddenSize] * 1_000);
        }

        Prefill(sequence, tokens, logits);
    }

    public void Dispose() => Disposed = true;

    private sealed class ToySequence(Action disposed) : ILanguageSequence
    {
        public List<int> Tokens { get; } = [];

        public int Length => Tokens.Count;

        public long SizeBytes => Tokens.Count * 1_024L;

        public void Truncate(int length) => Tokens.RemoveRange(length, Tokens.Count - length);

        public void Dispose() => disposed();
    }
}
