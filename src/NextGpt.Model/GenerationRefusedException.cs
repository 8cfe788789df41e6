namespace NextGpt.Model;

/// <summary>Why the model refused a request before the first token.</summary>
public enum GenerationRefusal
{
    /// <summary>As many requests wait as may wait.</summary>
    QueueFull,

    /// <summary>The newest message alone does not fit into the context.</summary>
    PromptTooLong,

    /// <summary>A setting of the request is out of its range or not offered.</summary>
    InvalidRequest,

    /// <summary>The named adapter is not there.</summary>
    UnknownAdapter,

    /// <summary>The weights could not be loaded.</summary>
    ModelUnavailable,
}

/// <summary>A request was refused before the first token; the message is a sentence for the person.</summary>
/// <param name="refusal">Why.</param>
/// <param name="message">What was wrong, what was expected, what to do.</param>
public sealed class GenerationRefusedException(GenerationRefusal refusal, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public GenerationRefusal Refusal { get; } = refusal;
}
