using System.Globalization;

namespace NextGpt.Model.Language;

/// <summary>How tokens are chosen, with nothing left open; every value lies in its range.</summary>
internal sealed record SamplingSettings
{
    /// <summary>0 takes the likeliest token.</summary>
    public double Temperature { get; private init; }

    /// <summary>Keep the k likeliest; 0 keeps all.</summary>
    public int TopK { get; private init; }

    /// <summary>Keep the likeliest that sum to this; 1 keeps all.</summary>
    public double TopP { get; private init; } = 1;

    /// <summary>Keep those at least this share as likely as the likeliest; 0 keeps all.</summary>
    public double MinP { get; private init; }

    /// <summary>1 is off.</summary>
    public double RepetitionPenalty { get; private init; } = 1;

    /// <summary>0 is off.</summary>
    public double FrequencyPenalty { get; private init; }

    /// <summary>0 is off.</summary>
    public double PresencePenalty { get; private init; }

    /// <summary>The asked values, the model's defaults where nothing was asked.</summary>
    /// <exception cref="GenerationRefusedException">A value is out of its range; the sentence names it.</exception>
    public static SamplingSettings Resolve(SamplingOptions asked, SamplingOptions defaults) => new()
    {
        Temperature = Within("temperature", asked.Temperature ?? defaults.Temperature ?? 0, 0, 2),
        TopK = (asked.TopK ?? defaults.TopK) is { } topK ? AtLeastOne("top_k", topK) : 0,
        TopP = AboveZero("top_p", asked.TopP ?? defaults.TopP ?? 1, 1),
        MinP = Within("min_p", asked.MinP ?? defaults.MinP ?? 0, 0, 1),
        RepetitionPenalty = AboveZero("repetition_penalty", asked.RepetitionPenalty ?? defaults.RepetitionPenalty ?? 1, 10),
        FrequencyPenalty = Within("frequency_penalty", asked.FrequencyPenalty ?? defaults.FrequencyPenalty ?? 0, -2, 2),
        PresencePenalty = Within("presence_penalty", asked.PresencePenalty ?? defaults.PresencePenalty ?? 0, -2, 2),
    };

    private static double Within(string name, double value, double least, double most) =>
        value >= least && value <= most
            ? value
            : throw Refuse($"{name} is {Text(value)}, it must lie between {Text(least)} and {Text(most)}.");

    private static double AboveZero(string name, double value, double most) =>
        value > 0 && value <= most
            ? value
            : throw Refuse($"{name} is {Text(value)}, it must lie above 0 and at most {Text(most)}.");

    private static int AtLeastOne(string name, int value) =>
        value >= 1 ? value : throw Refuse($"{name} is {Text(value)}, it must be at least 1; leave it out to keep all.");

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static GenerationRefusedException Refuse(string sentence) => new(GenerationRefusal.InvalidRequest, sentence);
}
