using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>ImageBind as a folder: the towers for pictures, clips and sounds under their published names, and a config.</summary>
internal static class EncoderPlan
{
    private const string MergedPrefix = "model.multimodal_tower.multimodal_tower.";
    private static readonly string[] Towers = ["vision", "audio"];

    /// <summary>Beside a merged checkpoint config.json is the language model's.</summary>
    private static readonly string[] ConfigNames = ["imagebind_config.json", "config.json"];

    /// <summary>Heads of the published widths; no shape tells them.</summary>
    private static readonly Dictionary<(string Tower, long Width), int> PublishedHeads = new()
    {
        [("vision", 1_280)] = 16,
        [("audio", 768)] = 12,
    };

    /// <summary>Whether a tensor of a merged checkpoint belongs to the encoder.</summary>
    public static bool IsMergedName(string stored) => stored.StartsWith(MergedPrefix, StringComparison.Ordinal);

    /// <summary>The files of the part.</summary>
    /// <param name="source">The checkpoint; may hold other things beside it.</param>
    /// <param name="path">Its file or folder; an imagebind_config.json (or ImageBind's own config.json) there is taken.</param>
    /// <param name="folder">Where the files will lie in the package.</param>
    /// <param name="notes">Gets what is left out.</param>
    /// <exception cref="InvalidDataException">It is no ImageBind, or of unknown size without a config.</exception>
    public static IEnumerable<PlannedFile> Files(IStoredTensors source, string path, string folder, List<string> notes)
    {
        var merged = source.Tensors.Keys.Any(IsMergedName);
        var all = source.Tensors.Keys.Where(name => !merged || IsMergedName(name))
            .ToDictionary(name => merged ? name[MergedPrefix.Length..] : name, name => name, StringComparer.Ordinal);
        var config = ConfigBeside(path);
        var towers = Towers.Where(tower => all.Keys.Any(name => TowerOf(name) == tower)).ToList();
        if (towers.Count == 0)
        {
            throw new InvalidDataException($"{source.Name} has neither a vision nor an audio tower of ImageBind.");
        }

        var textToo = config is not null && config.ContainsKey("text_embed_dim");
        var kept = all.Where(pair => TowerOf(pair.Key) is { } tower && (towers.Contains(tower) || (textToo && tower == "text")))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var dropped = all.Keys.Select(TowerOf).OfType<string>().Where(tower => !towers.Contains(tower) && !(textToo && tower == "text"))
            .Distinct().Order(StringComparer.Ordinal).ToList();
        if (dropped.Count > 0)
        {
            notes.Add($"The encoder's towers {string.Join(", ", dropped)} are left out; NExT-GPT does not use them.");
        }

        var strangers = all.Keys.Where(name => TowerOf(name) is null).Take(4).ToList();
        if (strangers.Count > 0)
        {
            throw new InvalidDataException($"{source.Name} has tensors that ImageBind does not have: {string.Join(", ", strangers)}.");
        }

        config ??= Measured(source, all, towers);
        yield return new WrittenFile($"{folder}/config.json", Encoding.UTF8.GetBytes(config.ToJsonString(ConversionJson.Indented) + "\n"));
        yield return new TensorFile(
            $"{folder}/model.safetensors", [.. kept.Select(pair => new PlannedTensor(pair.Key, source, pair.Value))]);
    }

    private static string? TowerOf(string name) =>
        name.StartsWith("modality_", StringComparison.Ordinal) && name.Split('.') is [_, var tower, ..] ? tower : null;

    private static JsonObject? ConfigBeside(string path)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path) ?? "";
        return ConfigNames.Select(name => Path.Combine(folder, name)).Where(File.Exists).Select(ConversionJson.Read)
            .FirstOrDefault(json => (string?)json["model_type"] == "imagebind");
    }

    /// <summary>Reads the numbers off the shapes; what no shape tells are the published settings.</summary>
    private static JsonObject Measured(IStoredTensors source, Dictionary<string, string> all, List<string> towers)
    {
        IReadOnlyList<long> Shape(string name, int dimensions) =>
            all.TryGetValue(name, out var stored) && source.Tensors[stored].Shape is { } shape && shape.Count == dimensions
                ? shape
                : throw new InvalidDataException($"{source.Name}: tensor '{name}' with {dimensions} dimensions was expected; it is no ImageBind.");

        var config = new JsonObject { ["model_type"] = "imagebind" };
        foreach (var tower in towers)
        {
            var head = Shape($"modality_heads.{tower}.2.weight", 2);
            var width = head[1];
            if (!PublishedHeads.TryGetValue((tower, width), out var heads))
            {
                throw new InvalidDataException(
                    $"{source.Name}: its {tower} tower is {width} wide, which is not ImageBind-huge; how many attention heads it has "
                    + "stands in no shape. Put an imagebind_config.json with model_type imagebind beside it.");
            }

            var layers = 0;
            while (all.ContainsKey(string.Create(CultureInfo.InvariantCulture, $"modality_trunks.{tower}.blocks.{layers}.norm_1.weight")))
            {
                layers++;
            }

            config["out_embed_dim"] = head[0];
            config[$"{tower}_embed_dim"] = width;
            config[$"{tower}_num_blocks"] = layers;
            config[$"{tower}_num_heads"] = heads;
        }

        if (towers.Contains("vision"))
        {
            var stem = Shape("modality_preprocessors.vision.rgbt_stem.proj.1.weight", 5);
            var positions = Shape("modality_preprocessors.vision.pos_embedding_helper.pos_embed", 3)[1] - 1;
            config["kernel_size"] = new JsonArray(stem[2], stem[3], stem[4]);
            config["image_size"] = (long)Math.Round(Math.Sqrt(positions)) * stem[3];
        }

        return config;
    }
}
