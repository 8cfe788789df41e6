using System.Text;
using NextGpt.Model.Language;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>The language model as a folder in Hugging Face layout with safetensors, or as its GGUF file.</summary>
internal static class LanguagePlan
{
    private static readonly string[] Companions =
    [
        "generation_config.json", "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "chat_template.jinja", "vocab.json", "merges.txt",
    ];

    /// <summary>Its numbers.</summary>
    /// <exception cref="InvalidDataException">It is not of the LLaMA architecture, or damaged.</exception>
    public static LlamaConfig ConfigOf(ConversionSources sources)
    {
        var path = sources.Language!;
        if (File.Exists(path))
        {
            using var gguf = new GgufLlama(path);
            return gguf.Config;
        }

        if (!sources.IsMerged)
        {
            return LlamaConfigFile.Read(path);
        }

        // The rewrite calls its LLaMA nextgpt_llama; the numbers are those of LLaMA.
        var plain = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(plain, PlainConfig(path));
            return LlamaConfigFile.Read(plain);
        }
        finally
        {
            File.Delete(plain);
        }
    }

    /// <summary>The files of the part.</summary>
    /// <param name="sources">With a language model.</param>
    /// <param name="folder">Where they will lie in the package.</param>
    public static IEnumerable<PlannedFile> Files(ConversionSources sources, string folder)
    {
        var path = sources.Language!;
        if (File.Exists(path))
        {
            yield return new CopiedFile($"{folder}/{Path.GetFileName(path)}", path);
            yield break;
        }

        yield return sources.IsMerged
            ? new WrittenFile($"{folder}/config.json", PlainConfig(path))
            : new CopiedFile($"{folder}/config.json", Path.Combine(path, "config.json"));
        foreach (var name in Companions.Where(name => File.Exists(Path.Combine(path, name))))
        {
            yield return new CopiedFile($"{folder}/{name}", Path.Combine(path, name));
        }

        foreach (var file in Terms(path, folder))
        {
            yield return file;
        }

        if (!sources.IsMerged && FolderWeights.SingleSafetensors(path) is { } single)
        {
            yield return new CopiedFile($"{folder}/model.safetensors", single);
            yield break;
        }

        var source = sources.LanguageTensors!;
        yield return new TensorFile($"{folder}/model.safetensors",
        [
            .. source.Tensors.Keys
                .Where(name => !sources.IsMerged || !(EncoderPlan.IsMergedName(name) || DeltaTensors.IsProjection(name)))
                .Where(name => !name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => new PlannedTensor(name, source, name)),
        ]);
    }

    /// <summary>Texts of terms that lie beside weights travel with them.</summary>
    public static IEnumerable<PlannedFile> Terms(string path, string folder) => Directory.EnumerateFiles(path)
        .Where(file => Path.GetFileName(file) is var name && (name.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("LICENCE", StringComparison.OrdinalIgnoreCase) || name is "NOTICE" or "NOTICE.txt" or "USE_POLICY.md"))
        .Order(StringComparer.Ordinal)
        .Select(file => new CopiedFile($"{folder}/{Path.GetFileName(file)}", file));

    private static byte[] PlainConfig(string path)
    {
        var config = ConversionJson.Read(Path.Combine(path, "config.json"));
        config["model_type"] = "llama";
        config["architectures"] = new System.Text.Json.Nodes.JsonArray("LlamaForCausalLM");
        return Encoding.UTF8.GetBytes(config.ToJsonString(ConversionJson.Indented) + "\n");
    }
}
