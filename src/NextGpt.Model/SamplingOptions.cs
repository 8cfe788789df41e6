namespace NextGpt.Model;

/// <summary>How the next token is chosen. Null means the model's default (rule 19: unset is null, not zero).</summary>
public sealed record SamplingOptions
{
    /// <summary>0 to 2; 0 takes the likeliest token.</summary>
    public double? Temperature { get; init; }

    /// <summary>Keep the k likeliest tokens; at least 1.</summary>
    public int? TopK { get; init; }

    /// <summary>Keep the likeliest tokens whose probabilities sum to this; above 0 to 1.</summary>
    public double? TopP { get; init; }

    /// <summary>Keep tokens at least this share as likely as the likeliest; 0 to 1.</summary>
    public double? MinP { get; init; }

    /// <summary>Divides (multiplies) positive (negative) logits of tokens already present; above 0, 1 is off.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Subtracted per earlier occurrence in the reply; −2 to 2.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Subtracted once for tokens already in the reply; −2 to 2.</summary>
    public double? PresencePenalty { get; init; }
}
