namespace NextGpt.Model;

/// <summary>Tells how well a model foresees a text: for perplexity, and for comparing two models.</summary>
public interface ITextScorer
{
    /// <summary>Reads a text as plain text, without any conversation around it, and says how likely each token was.</summary>
    /// <param name="text">Plain; nothing in it is read as a special token.</param>
    /// <param name="cancellationToken">Looked at after every token.</param>
    /// <returns>
    /// The natural logarithm of the probability of every token given those before it; one fewer than there are tokens where the
    /// model has no begin token, because the first one follows nothing.
    /// </returns>
    /// <exception cref="GenerationRefusedException">The text is longer than the model's context, or the model cannot be loaded.</exception>
    Task<IReadOnlyList<double>> ScoreAsync(string text, CancellationToken cancellationToken = default);
}
