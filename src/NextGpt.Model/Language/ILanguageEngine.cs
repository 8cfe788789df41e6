namespace NextGpt.Model.Language;

/// <summary>Computes a language model's logits; the way the numbers are made is its own affair.</summary>
/// <remarks>
/// Belongs to one thread. Reading the same tokens in the same chunks gives the same bits on the CPU, whatever was read
/// before in other sequences: replies are repeatable because of it (TRN-8).
/// </remarks>
internal interface ILanguageEngine : IDisposable
{
    /// <summary>Number of logits, added tokens included.</summary>
    int VocabularySize { get; }

    /// <summary>Width of an embedding and of a hidden state.</summary>
    int HiddenSize { get; }

    /// <summary>What computes, for people: number format and device.</summary>
    string Description { get; }

    /// <summary>Most tokens of a prompt that are read at once; between two chunks the work can be stopped.</summary>
    int ChunkTokens { get; }

    /// <summary>
    /// Whether a token's numbers depend on the chunk it was read in. If so, only whole chunks of a prompt may be used
    /// again in a later turn; if not, everything, the reply included.
    /// </summary>
    bool DependsOnChunks { get; }

    /// <summary>An empty sequence.</summary>
    ILanguageSequence NewSequence();

    /// <summary>Reads a chunk of a prompt behind what the sequence holds.</summary>
    /// <param name="sequence">One of this engine's.</param>
    /// <param name="tokens">At least one.</param>
    /// <param name="logits">[vocab] of the token after the last one, or empty where they are not wanted.</param>
    void Prefill(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Reads one token of a reply behind what the sequence holds.</summary>
    /// <param name="sequence">One of this engine's.</param>
    /// <param name="token">The token.</param>
    /// <param name="logits">[vocab] of the token after it.</param>
    void Decode(ILanguageSequence sequence, int token, Span<float> logits) => Decode(sequence, token, logits, []);

    /// <summary>Reads one token of a reply and tells what the network thinks there.</summary>
    /// <param name="sequence">One of this engine's.</param>
    /// <param name="token">The token.</param>
    /// <param name="logits">[vocab] of the token after it.</param>
    /// <param name="hidden">[hidden] after the final norm at the token's own position, or empty where it is not wanted.</param>
    void Decode(ILanguageSequence sequence, int token, Span<float> logits, Span<float> hidden);

    /// <summary>The embedding of a token.</summary>
    /// <param name="token">0 to <see cref="VocabularySize"/> − 1.</param>
    /// <param name="destination">[hidden]</param>
    void Embed(int token, Span<float> destination);

    /// <summary>Reads a chunk of a prompt given as embeddings: media among tokens.</summary>
    /// <remarks>The embeddings of tokens give the same bits as the tokens themselves.</remarks>
    /// <param name="sequence">One of this engine's.</param>
    /// <param name="embeddings">[positions, hidden], at least one.</param>
    /// <param name="logits">[vocab] of the token after the last one, or empty where they are not wanted.</param>
    void PrefillEmbeddings(ILanguageSequence sequence, ReadOnlySpan<float> embeddings, Span<float> logits);
}

/// <summary>The keys and values of the tokens read so far. Belongs to its engine and that engine's thread.</summary>
internal interface ILanguageSequence : IDisposable
{
    /// <summary>Tokens read.</summary>
    int Length { get; }

    /// <summary>Memory taken now.</summary>
    long SizeBytes { get; }

    /// <summary>Forgets everything after the first tokens.</summary>
    /// <param name="length">0 to <see cref="Length"/>.</param>
    void Truncate(int length);
}
