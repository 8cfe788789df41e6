using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>A model ready to speak: what computes, how text becomes tokens, how a conversation is written.</summary>
internal sealed record LoadedModel
{
    /// <summary>Computes the logits; disposed by whoever holds the model.</summary>
    public required ILanguageEngine Engine { get; init; }

    /// <summary>Text to tokens and back.</summary>
    public required ITokenizer Tokenizer { get; init; }

    /// <summary>How a conversation is written.</summary>
    public required IPromptTemplate Template { get; init; }

    /// <summary>Longest prompt plus reply, in tokens.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>What is used where a request does not say.</summary>
    public required ModelDefaults Defaults { get; init; }

    /// <summary>The adapter that speaks, or null.</summary>
    public string? Adapter { get; init; }

    /// <summary>What reads and makes media; null where the model only speaks. Disposed by whoever holds the model.</summary>
    public NextGptModel? Media { get; init; }

    /// <summary>What of the package could not be used and why, a sentence each (DEG-1).</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];
}

/// <summary>What is used where a request does not say.</summary>
/// <param name="Sampling">How tokens are chosen.</param>
/// <param name="SystemText">The system text of a request that has none; empty is none.</param>
internal sealed record ModelDefaults(SamplingOptions Sampling, string SystemText);

/// <summary>Loads a model; runs on the model thread.</summary>
/// <param name="progress">Gets the share that is done, 0 to 1.</param>
/// <param name="cancellationToken">Stops loading.</param>
/// <exception cref="InvalidDataException">The files are not usable, with what to do.</exception>
internal delegate LoadedModel ModelLoading(IProgress<double> progress, CancellationToken cancellationToken);
