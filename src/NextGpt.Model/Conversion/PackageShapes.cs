using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Model.Encoders;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Conversion;

/// <summary>Compares every weight of a package, by name and shape, with the network that will load it, and the parts with each other.</summary>
public static class PackageShapes
{
    /// <summary>A sentence for everything that does not fit; empty where all does. Reads headers and small parts only.</summary>
    /// <param name="package">Opened, so its files are there.</param>
    /// <param name="cancellationToken">Looked at between parts.</param>
    public static IReadOnlyList<string> Problems(ModelPackage package, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(package);
        TorchRuntime.Load();
        var problems = new List<string>();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var manifest = package.Manifest;
        LlamaConfig? language = null;
        Gather(manifest.Language.Path, () => Language(package, out language));
        if (language is not null)
        {
            Gather(manifest.Language.Adapter ?? "", () => Adapter(package, language));
            Gather(manifest.Tokens?.Rows ?? "", () => Rows(package, language));
        }

        if (manifest.Input is { } input)
        {
            var width = 0;
            Gather(input.Encoder, () => Encoder(package, input, out width));
            Gather(input.Projection, () => Input(package, input, width, language));
        }

        foreach (var output in manifest.Outputs)
        {
            IReadOnlyList<long>? condition = null;
            Gather(output.Decoder, () => Decoder(package, output, out condition));
            Gather(output.Projection, () => Output(package, output, condition, language));
        }

        foreach (var enlarger in manifest.Outputs.Select(output => output.Enlarger).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            Gather(enlarger, () => Enlarger(package, enlarger));
        }

        return problems;

        void Gather(string part, Func<IEnumerable<string>> look)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                problems.AddRange(look());
            }
            catch (Exception broken) when (broken is InvalidDataException or IOException)
            {
                problems.Add($"{part}: {broken.Message}");
            }
        }
    }

    private static IEnumerable<string> Language(ModelPackage package, out LlamaConfig config)
    {
        var path = package.PathOf(package.Manifest.Language.Path);
        if (File.Exists(path))
        {
            using var gguf = new GgufLlama(path);   // compares its names and shapes itself
            config = gguf.Config;
            return [];
        }

        config = LlamaConfigFile.Read(path);
        using var source = SafetensorsFolder.Open(path);
        using var network = new LlamaModel(config, META);
        var tied = config.TiedHead;
        return [.. ShapeComparison.Problems(
            package.Manifest.Language.Path, network, source,
            name => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (tied && name == "lm_head.weight") ? null : name)];
    }

    private static IEnumerable<string> Adapter(ModelPackage package, LlamaConfig language)
    {
        if (package.Manifest.Language.Adapter is { } path)
        {
            using var network = new LlamaModel(language, META);
            using var adapter = LoraAdapter.Load(package.PathOf(path), network);
        }

        return [];
    }

    private static IEnumerable<string> Rows(ModelPackage package, LlamaConfig language)
    {
        if (package.Manifest.Tokens is not { Rows: { } path } tokens)
        {
            yield break;
        }

        using var source = SafetensorsFile.Open(package.PathOf(path));
        var names = language.TiedHead && !source.Tensors.ContainsKey("lm_head.weight")
            ? ["embed_tokens.weight"]
            : new[] { "embed_tokens.weight", "lm_head.weight" };
        foreach (var name in names)
        {
            if (!source.Tensors.TryGetValue(name, out var info))
            {
                yield return $"{path} lacks {name}.";
            }
            else if (info.Shape.Count != 2 || info.Shape[1] != language.HiddenSize
                || (info.Shape[0] != tokens.Added.Count && info.Shape[0] != language.VocabularySize + tokens.Added.Count))
            {
                yield return $"{path}: {name} is [{string.Join(", ", info.Shape)}]; [{tokens.Added.Count}, {language.HiddenSize}] or "
                    + $"[{language.VocabularySize + tokens.Added.Count}, {language.HiddenSize}] was expected.";
            }
        }
    }

    private static List<string> Encoder(ModelPackage package, InputPart input, out int width)
    {
        var folder = package.PathOf(input.Encoder);
        var config = ImageBindConfig.Load(Path.Combine(folder, "config.json"));
        width = config.OutputSize;
        using var source = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        using var network = new ImageBind(config, META);
        List<string> problems = [.. ShapeComparison.Problems(input.Encoder, network, source, network.CurrentName)];
        problems.AddRange(input.Kinds.Where(kind => kind == MediaKind.Audio ? config.Audio is null : config.Vision is null)
            .Select(kind => $"{input.Encoder} has no tower for {kind.ToString().ToLowerInvariant()}, which the manifest says it reads."));
        return problems;
    }

    private static List<string> Input(ModelPackage package, InputPart input, int width, LlamaConfig? language)
    {
        using var source = SafetensorsFile.Open(package.PathOf(input.Projection));
        using var network = InputProjection.Load(source, input.Kind, input.Heads, META);
        var problems = new List<string>();
        if (width != 0 && network.FeatureSize != width)
        {
            problems.Add($"{input.Projection} takes vectors of {network.FeatureSize}, the encoder gives {width}.");
        }

        if (language is not null && network.HiddenSize != language.HiddenSize)
        {
            problems.Add($"{input.Projection} gives vectors of {network.HiddenSize}, the language model is {language.HiddenSize} wide.");
        }

        return problems;
    }

    private static List<string> Output(
        ModelPackage package, OutputPart output, IReadOnlyList<long>? condition, LlamaConfig? language)
    {
        using var source = SafetensorsFile.Open(package.PathOf(output.Projection));
        using var network = OutputProjection.Load(source, output.Heads, META);
        var config = network.Config;
        var problems = new List<string>();
        if (language is not null && config.InputSize != language.HiddenSize)
        {
            problems.Add($"{output.Projection} takes vectors of {config.InputSize}, the language model is {language.HiddenSize} wide.");
        }

        if (condition is not null && (config.OutputSize != condition[^1] || config.Queries != (condition.Count > 1 ? condition[0] : 1)))
        {
            problems.Add(
                $"{output.Projection} gives {config.Queries} vectors of {config.OutputSize}, the decoder expects "
                + $"{(condition.Count > 1 ? condition[0] : 1)} of {condition[^1]}.");
        }

        return problems;
    }

    private static List<string> Enlarger(ModelPackage package, string path)
    {
        var folder = package.PathOf(path);
        using var source = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        using var network = new PictureEnlarger(PictureEnlargerConfig.Load(Path.Combine(folder, "config.json")), META);
        return [.. ShapeComparison.Problems(path, network, source, name => name)];
    }

    private static List<string> Decoder(ModelPackage package, OutputPart output, out IReadOnlyList<long>? condition)
    {
        var folder = package.PathOf(output.Decoder);
        var read = DiffusersFolder.Open(folder);
        condition = read.ConditioningShape;
        var problems = new List<string>();
        if (read.Kind != output.Kind)
        {
            problems.Add($"{output.Decoder} makes media of kind {read.Kind.ToString().ToLowerInvariant()}, the manifest says "
                + $"{output.Kind.ToString().ToLowerInvariant()}.");
        }

        var unet = Path.Combine(folder, "unet");
        Compare("unet", read.Kind == MediaKind.Video
            ? new UNet3DCondition(UNet3DConditionConfig.Load(Path.Combine(unet, "config.json")), META)
            : new UNet2DCondition(UNet2DConditionConfig.Load(Path.Combine(unet, "config.json")), META));
        Compare("vae", new AutoencoderKL(AutoencoderKLConfig.Load(Path.Combine(folder, "vae", "config.json")), META), AutoencoderKL.CurrentName);
        if (read.Kind == MediaKind.Audio)
        {
            Compare("vocoder", new HifiGan(HifiGanConfig.Load(Path.Combine(folder, "vocoder", "config.json")), META),
                wrap: source => new WeightNormSource(source));
        }

        if (Path.Combine(folder, "text_encoder", "config.json") is var text && File.Exists(text))
        {
            if (read.Kind == MediaKind.Audio)
            {
                Compare("text_encoder", new ClapTextEncoder(ClapTextEncoderConfig.Load(text), META), ClapTextEncoder.CurrentName);
            }
            else
            {
                Compare("text_encoder", new ClipTextEncoder(ClipTextEncoderConfig.Load(text), META), ClipTextEncoder.CurrentName);
            }
        }

        return problems;

        void Compare(
            string part, nn.Module network, Func<string, string?>? rename = null, Func<ITensorSource, ITensorSource>? wrap = null)
        {
            using (network)
            using (var file = SafetensorsFile.Open(DiffusersWeights.FileIn(Path.Combine(folder, part))))
            {
                problems.AddRange(ShapeComparison.Problems(
                    $"{output.Decoder}/{part}", network, wrap is null ? file : wrap(file), rename ?? (name => name)));
            }
        }
    }
}
