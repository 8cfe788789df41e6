using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>A diffusion model in diffusers layout: every part's weights as one safetensors file, its configurations as they are.</summary>
internal static class DecoderPlan
{
    private static readonly string[] Parts = ["unet", "vae", "text_encoder", "vocoder"];
    private static readonly string[] PlainParts = ["tokenizer", "scheduler"];
    private static readonly string[] Texts = [".json", ".txt", ".model", ".jinja"];
    private const long MaxTextBytes = 64 << 20;

    /// <summary>The files of the part.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="folder">Where they will lie in the package.</param>
    /// <param name="opened">Gets the checkpoints that must stay open until the files are written.</param>
    /// <param name="notes">Gets what is left out.</param>
    public static IEnumerable<PlannedFile> Files(string path, string folder, List<IStoredTensors> opened, List<string> notes)
    {
        var index = Path.Combine(path, "model_index.json");
        if (File.Exists(index))
        {
            yield return new CopiedFile($"{folder}/model_index.json", index);
        }

        foreach (var file in LanguagePlan.Terms(path, folder))
        {
            yield return file;
        }

        foreach (var part in Parts.Concat(PlainParts).Where(part => Directory.Exists(Path.Combine(path, part))))
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(path, part)).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(file);
                if (Texts.Contains(Path.GetExtension(name)) && !name.EndsWith(".index.json", StringComparison.Ordinal)
                    && new FileInfo(file).Length <= MaxTextBytes)
                {
                    yield return new CopiedFile($"{folder}/{part}/{name}", file);
                }
            }
        }

        foreach (var part in Parts.Where(part => Directory.Exists(Path.Combine(path, part))))
        {
            var place = Path.Combine(path, part);
            var name = $"{folder}/{part}/{(part is "unet" or "vae" ? "diffusion_pytorch_model" : "model")}.safetensors";
            if (FolderWeights.SingleSafetensors(place) is { } single)
            {
                yield return new CopiedFile(name, single);
                continue;
            }

            var source = FolderWeights.Open(place);
            opened.Add(source);
            yield return new TensorFile(
                name, [.. source.Tensors.Keys.Order(StringComparer.Ordinal).Select(tensor => new PlannedTensor(tensor, source, tensor))]);
        }

        var left = Directory.EnumerateDirectories(path).Select(Path.GetFileName).OfType<string>()
            .Where(name => !Parts.Contains(name) && !PlainParts.Contains(name) && !name.StartsWith('.')).Order(StringComparer.Ordinal).ToList();
        if (left.Count > 0)
        {
            notes.Add($"Of {path} the folders {string.Join(", ", left)} are left out; the decoder does not use them.");
        }
    }
}
