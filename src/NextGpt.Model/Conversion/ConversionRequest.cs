namespace NextGpt.Model.Conversion;

/// <summary>What is to be made into a model package.</summary>
public sealed record ConversionRequest
{
    /// <summary>
    /// Files and folders in any order; each is recognised by its content: language model (Hugging Face folder, GGUF file),
    /// ImageBind, diffusers folders, the files of NExT-GPT itself.
    /// </summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The package's folder; must not exist yet.</summary>
    public required string Target { get; init; }

    /// <summary>The model's id; null takes the target's name.</summary>
    public string? Id { get; init; }

    /// <summary>The terms of each part (<see cref="ConversionParts"/>), as SPDX identifiers or names.</summary>
    public IReadOnlyDictionary<string, string> Licences { get; init; } = new Dictionary<string, string>();

    /// <summary>Alpha of the LoRA where its files do not say; null is the rank for v0 (as trained), and required for v2.</summary>
    public double? LoraAlpha { get; init; }
}

/// <summary>How far a conversion is.</summary>
/// <param name="Doing">The file under way.</param>
/// <param name="Share">Of the bytes, 0 to 1.</param>
public sealed record ConversionProgress(string Doing, double Share);

/// <summary>What a conversion made, or would make.</summary>
/// <param name="Folder">The package.</param>
/// <param name="SizeBytes">Of all files but the manifest.</param>
/// <param name="Parts">What each part was made of.</param>
/// <param name="Notes">What was left out and why, in sentences.</param>
public sealed record ConversionReport(
    string Folder, long SizeBytes, IReadOnlyDictionary<string, string> Parts, IReadOnlyList<string> Notes);
