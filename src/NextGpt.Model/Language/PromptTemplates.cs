namespace NextGpt.Model.Language;

/// <summary>The templates we know, and which of them a checkpoint was trained with.</summary>
internal static class PromptTemplates
{
    /// <summary>Every template.</summary>
    public static IReadOnlyList<IPromptTemplate> All { get; } =
        [new ChatMlTemplate(), new Llama3Template(), new VicunaTemplate(), new VicunaV0Template()];

    /// <summary>The template of a name.</summary>
    /// <exception cref="InvalidDataException">There is none; lists those there are.</exception>
    public static IPromptTemplate Named(string name) =>
        All.FirstOrDefault(template => template.Name == name)
        ?? throw new InvalidDataException(
            $"There is no prompt template {name}; there are {string.Join(", ", All.Select(template => template.Name))}.");

    /// <summary>The template of a checkpoint.</summary>
    /// <param name="tokenizer">Its tokenizer, which has the marks of its template.</param>
    /// <param name="published">Its own template as Jinja text (GGUF metadata, <c>tokenizer_config.json</c>), or null.</param>
    /// <param name="source">The checkpoint's name, for those published without a template.</param>
    /// <exception cref="InvalidDataException">None fits; names the setting.</exception>
    public static IPromptTemplate For(ITokenizer tokenizer, string? published, string source)
    {
        bool Writes(string mark) => published?.Contains(mark, StringComparison.Ordinal) ?? false;
        bool Knows(string mark) => tokenizer.Find(mark) is not null;

        var name = Knows("<|start_header_id|>") && (published is null || Writes("<|start_header_id|>")) ? "llama3"
            : Knows("<|im_start|>") && (published is null || Writes("<|im_start|>")) ? "chatml"
            : Writes("### Human") ? "vicuna-v0"
            : Writes("USER") && Writes("ASSISTANT") ? "vicuna-v1.1"
            : published is null && source.Contains("vicuna", StringComparison.OrdinalIgnoreCase)
                ? source.Contains("v0", StringComparison.OrdinalIgnoreCase) ? "vicuna-v0" : "vicuna-v1.1"
            : null;
        return name is not null
            ? Named(name)
            : throw new InvalidDataException(
                $"{source} does not say which prompt template it was trained with, or one that is not known; set "
                + $"NextGpt:Model:Template to {string.Join(", ", All.Select(template => template.Name))}.");
    }
}
