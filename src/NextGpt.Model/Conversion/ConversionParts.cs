namespace NextGpt.Model.Conversion;

/// <summary>The parts whose terms an operator states, and what is known of the published ones.</summary>
public static class ConversionParts
{
    /// <summary>The language model.</summary>
    public const string Language = "language";

    /// <summary>The encoder of pictures, sounds and clips.</summary>
    public const string Encoder = "encoder";

    /// <summary>The decoder of pictures.</summary>
    public const string Image = "image";

    /// <summary>The decoder of sounds.</summary>
    public const string Audio = "audio";

    /// <summary>The decoder of clips.</summary>
    public const string Video = "video";

    /// <summary>NExT-GPT's own weights: projections, LoRA, rows of tokens.</summary>
    public const string NextGpt = "nextgpt";

    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        [Language] = "Vicuna v0 is under the non-commercial LLaMA licence, Vicuna v1.5 under the Llama 2 Community License, "
            + "SmolLM2 under Apache-2.0",
        [Encoder] = "imagebind_huge.pth is published under CC-BY-NC-SA-4.0",
        [Image] = "Stable Diffusion 1.5 is published under CreativeML-OpenRAIL-M, Stable Diffusion 2 under CreativeML Open RAIL++-M",
        [Audio] = "AudioLDM is published under CC-BY-NC-SA-4.0",
        [Video] = "Zeroscope v2 is published under CC-BY-NC-4.0",
        [NextGpt] = "NExT-GPT is published under BSD-3-Clause, its authors add that it is not for commercial use",
    };

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = [Language, Encoder, Image, Audio, Video, NextGpt];

    /// <summary>What is known of the published weights of a part, without a full stop.</summary>
    public static string KnownTerms(string part) => Known.GetValueOrDefault(part, "");
}
