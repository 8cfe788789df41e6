namespace NextGpt.Model.Packages;

/// <summary>The language model of a package.</summary>
public sealed record LanguagePart
{
    /// <summary>A folder in Hugging Face layout, or one GGUF file.</summary>
    public required string Path { get; init; }

    /// <summary>A folder with a LoRA adapter in the layout of peft; null is none.</summary>
    public string? Adapter { get; init; }

    /// <summary>
    /// How conversations are written: <c>chatml</c>, <c>llama3</c>, <c>vicuna-v1.1</c> or <c>vicuna-v0</c>. Null finds it in the
    /// language model's files.
    /// </summary>
    public string? Template { get; init; }

    /// <summary>Longest prompt plus reply the weights were tuned for, in tokens; null is the language model's own.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>System text of requests that have none; null is the template's own, empty is none.</summary>
    public string? SystemText { get; init; }

    /// <summary>How tokens are chosen where a request does not say; null is what the language model's files recommend.</summary>
    public SamplingOptions? Sampling { get; init; }
}
