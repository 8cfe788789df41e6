using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>The sources of a conversion, recognised by their content, with every checkpoint of them open.</summary>
internal sealed class ConversionSources : IDisposable
{
    /// <summary>Files of the second generation in the order of its stages: later ones count.</summary>
    private static readonly string[] DeltaFiles =
    [
        "mm_input_projector.bin", "mm_output_projector.bin", "adapter_model.bin", "adapter_model.safetensors",
        "non_lora_trainables.bin", "pytorch_model.pt",
    ];

    private readonly List<IStoredTensors> _open = [];

    /// <summary>The language model: a folder or a GGUF file.</summary>
    public string? Language { get; private set; }

    /// <summary>The weights of the language folder, where they must be taken apart (merged) or rewritten (.bin).</summary>
    public IStoredTensors? LanguageTensors { get; private set; }

    /// <summary>Whether language model, encoder and projections lie in one checkpoint (merge_lora_weights.py).</summary>
    public bool IsMerged { get; private set; }

    /// <summary>ImageBind.</summary>
    public IStoredTensors? Encoder { get; private set; }

    /// <summary>The file or folder of the encoder.</summary>
    public string? EncoderPath { get; private set; }

    /// <summary>Diffusers folders by what they make.</summary>
    public Dictionary<MediaKind, string> Decoders { get; } = [];

    /// <summary>NExT-GPT's own weights; null where no source has any.</summary>
    public DeltaTensors? Delta { get; private set; }

    /// <summary>Files and folders of NExT-GPT's own weights.</summary>
    public List<string> DeltaPaths { get; } = [];

    /// <summary>peft's config of the LoRA, where one lies beside it.</summary>
    public string? LoraConfig { get; private set; }

    /// <summary>Recognises and opens all sources.</summary>
    /// <exception cref="InvalidDataException">One is none of the known kinds, damaged, or there are two of a kind.</exception>
    /// <exception cref="IOException">One is missing or cannot be read.</exception>
    public static ConversionSources Open(IReadOnlyList<string> paths)
    {
        var sources = new ConversionSources();
        try
        {
            foreach (var path in paths.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))
            {
                if (Directory.Exists(path))
                {
                    sources.TakeFolder(path);
                }
                else if (File.Exists(path))
                {
                    sources.TakeFile(path);
                }
                else
                {
                    throw new FileNotFoundException($"There is no file or folder {path}; name what was downloaded.");
                }
            }

            return sources;
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _open.ForEach(source => source.Dispose());

    private void TakeFolder(string folder)
    {
        if (Directory.Exists(Path.Combine(folder, "unet")))
        {
            TakeDecoder(folder);
            return;
        }

        var delta = DeltaFiles.Select(file => Path.Combine(folder, file)).Where(File.Exists).ToList();
        if (delta.Count > 0)
        {
            foreach (var file in delta)
            {
                TakeDelta(Opened(FolderWeights.OpenFile(file)));
            }

            DeltaPaths.Add(folder);
            var config = Path.Combine(folder, "adapter_config.json");
            LoraConfig = File.Exists(config) ? config : LoraConfig;
            return;
        }

        switch (ModelTypeOf(folder))
        {
            case null:
                throw new InvalidDataException(
                    $"{folder} is none of what is converted: a language model (config.json with weights), a diffusers folder (unet, "
                    + "vae, scheduler), or NExT-GPT's own files (pytorch_model.pt, mm_*_projector.bin, adapter_model.*).");
            case "imagebind":
                TakeEncoder(Opened(FolderWeights.Open(folder)), folder);
                break;
            case "nextgpt_llama":
                Only(Language, folder, "language model");
                (Language, IsMerged, LanguageTensors) = (folder, true, Opened(FolderWeights.Open(folder)));
                TakeDelta(LanguageTensors, DeltaTensors.IsProjection);
                DeltaPaths.Add(folder);
                if (LanguageTensors.Tensors.Keys.Any(EncoderPlan.IsMergedName))
                {
                    TakeEncoder(LanguageTensors, folder);
                }

                break;
            default:
                Only(Language, folder, "language model");
                Language = folder;
                if (!FolderWeights.AreIn(folder))
                {
                    throw new InvalidDataException($"{folder} has a config.json and no weights; download model.safetensors or pytorch_model.bin too.");
                }

                LanguageTensors = Opened(FolderWeights.Open(folder));
                break;
        }
    }

    private void TakeFile(string file)
    {
        if (file.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            Only(Language, file, "language model");
            Language = file;
            return;
        }

        var source = Opened(FolderWeights.OpenFile(file));
        if (source.Tensors.Keys.Any(name => name.StartsWith("modality_trunks.", StringComparison.Ordinal)))
        {
            TakeEncoder(source, file);
        }
        else if (DeltaTensors.IsDelta(source.Tensors.Keys))
        {
            TakeDelta(source);
            DeltaPaths.Add(file);
            var config = Path.Combine(Path.GetDirectoryName(file) ?? "", "adapter_config.json");
            LoraConfig = File.Exists(config) ? config : LoraConfig;
        }
        else
        {
            throw new InvalidDataException(
                $"{file} is none of what is converted by itself: imagebind_huge.pth, or NExT-GPT's own weights (its first tensors are "
                + $"{string.Join(", ", source.Tensors.Keys.Take(3))}). Of other models name the folder.");
        }
    }

    private void TakeDecoder(string folder)
    {
        var kind = DiffusersFolder.Open(folder).Kind;
        Only(Decoders.GetValueOrDefault(kind), folder, $"decoder of kind {kind.ToString().ToLowerInvariant()}");
        Decoders[kind] = folder;
    }

    private void TakeEncoder(IStoredTensors source, string path)
    {
        Only(EncoderPath, path, "encoder");
        (Encoder, EncoderPath) = (source, path);
    }

    private void TakeDelta(IStoredTensors source, Func<string, bool>? only = null) => (Delta ??= new DeltaTensors()).Add(source, only);

    private IStoredTensors Opened(IStoredTensors source)
    {
        _open.Add(source);
        return source;
    }

    private static void Only(string? before, string now, string what)
    {
        if (before is not null)
        {
            throw new InvalidDataException($"Both {before} and {now} are a {what}; a package has one. Name one of them.");
        }
    }

    private static string? ModelTypeOf(string folder)
    {
        var file = Path.Combine(folder, "config.json");
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 32 });
            return json.RootElement.TryGetProperty("model_type", out var type) ? type.GetString() ?? "llama" : "llama";
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{file} is damaged: {broken.Message.ReplaceLineEndings(" ")}", broken);
        }
    }
}
