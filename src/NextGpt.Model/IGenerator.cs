namespace NextGpt.Model;

/// <summary>What answers requests: the model thread, or a scripted stand-in in tests.</summary>
public interface IGenerator
{
    /// <summary>The base model's id (and its adapter's, after <c>+</c>). Known without loading weights.</summary>
    string ModelId { get; }

    /// <summary>Which media it reads and makes. Known without loading weights.</summary>
    ModelAbilities Abilities => ModelAbilities.TextOnly;

    /// <summary>Answers one request as a stream of events; thread-safe, many may be asked at once.</summary>
    /// <remarks>
    /// The first event is <see cref="GenerationStarted"/>, the last <see cref="GenerationFinished"/>. Leaving the
    /// enumeration early, or cancelling, frees the model within one decoding step.
    /// </remarks>
    /// <exception cref="GenerationRefusedException">The request was refused before the first token.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, CancellationToken cancellationToken = default);
}
