using NextGpt.Media;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Model.Encoders;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>Says what a package needs in memory and whether a device has it; reads headers, loads nothing.</summary>
/// <remarks>
/// Weights are counted in the type they are used in: on a GPU bfloat16; on the CPU the language model in eight bits with a
/// scale per 32 (a GGUF file as its own blocks), all else float32. Keys and values have two bytes a number on both. The work
/// of a part is an estimate: twelve feature maps of the U-Net's widest level (two rows for guidance) or four of the
/// autoencoder's last, or of the enlarged picture, whichever is most; of the encoder twelve copies of its widest hidden states; of the language model a
/// block of 512 positions through one layer, and the logits.
/// </remarks>
public static class PackageFit
{
    private const double PackedBytesPerWeight = 544.0 / 512;   // eight bits and a half per 32 of them
    private const int PromptBlock = 512;
    private const int WorkingMaps = 12;
    private const int DecodingMaps = 4;

    /// <summary>Estimates.</summary>
    /// <param name="package">Opened.</param>
    /// <param name="device"><c>cpu</c>, or the name of a GPU such as <c>cuda:0</c>.</param>
    /// <param name="deviceBytes">What it has.</param>
    /// <param name="contextTokens">Prompt plus reply; null is the package's own, at most 2,048 as the program's default.</param>
    /// <exception cref="InvalidDataException">A configuration is damaged.</exception>
    public static FitReport Estimate(ModelPackage package, string device, long deviceBytes, int? contextTokens = null)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentException.ThrowIfNullOrEmpty(device);
        var cpu = device == "cpu";
        var (language, config) = Language(package, cpu);
        var context = contextTokens ?? Math.Min(package.Manifest.Language.ContextTokens ?? config.ContextLength, 2_048);
        var keyValues = 2L * config.Layers * config.KeyValueHeads * config.HeadSize * sizeof(short) * context;
        language = language with { WorkBytes = language.WorkBytes + keyValues };
        List<PartNeed> others = [.. Others(package, cpu)];
        var needed = language.WeightBytes + others.Sum(part => part.WeightBytes)
            + Math.Max(language.WorkBytes, keyValues + others.Select(part => part.WorkBytes).DefaultIfEmpty().Max());
        var least = language.WeightBytes + Math.Max(
            language.WorkBytes, keyValues + others.Select(part => part.WeightBytes + part.WorkBytes).DefaultIfEmpty().Max());
        var offLoaded = needed <= deviceBytes || least > deviceBytes ? [] : OffLoad(others, needed - deviceBytes);
        return new FitReport
        {
            Parts = [language, .. others],
            ContextTokens = context,
            KeyValueBytes = keyValues,
            Device = device,
            DeviceBytes = deviceBytes,
            NeededBytes = needed,
            LeastBytes = least,
            OffLoaded = offLoaded,
            Verdict = needed <= deviceBytes ? FitVerdict.Whole : least <= deviceBytes ? FitVerdict.OffLoaded : FitVerdict.TooLarge,
        };
    }

    /// <summary>The largest first, until the rest fits.</summary>
    private static List<string> OffLoad(List<PartNeed> parts, long surplus)
    {
        var names = new List<string>();
        foreach (var part in parts.Where(part => part.Name != "projections").OrderByDescending(part => part.WeightBytes))
        {
            if (surplus <= 0)
            {
                break;
            }

            names.Add(part.Name);
            surplus -= part.WeightBytes;
        }

        return names;
    }

    private static (PartNeed Need, LlamaConfig Config) Language(ModelPackage package, bool cpu)
    {
        var path = package.PathOf(package.Manifest.Language.Path);
        var (parameters, fileBytes, config) = Read();
        var added = (long)(package.Manifest.Tokens?.Rows is null ? 0 : package.Manifest.Tokens.Added.Count) * config.HiddenSize * 2;
        parameters += added + Parameters(package, package.Manifest.Language.Adapter);
        var weights = cpu ? fileBytes ?? (long)(parameters * PackedBytesPerWeight) : parameters * 2;
        var work = (PromptBlock * ((4L * config.HiddenSize) + (3L * config.IntermediateSize)) * (cpu ? 4 : 2)) + (config.VocabularySize * 4L);
        return (new PartNeed(
            ConversionParts.Language, parameters, weights, work, cpu ? fileBytes is null ? "int8" : "as in the GGUF file" : "bfloat16"), config);

        (long Parameters, long? FileBytes, LlamaConfig Config) Read()
        {
            if (File.Exists(path))
            {
                using var gguf = new GgufLlama(path);
                return (gguf.Tensors.Values.Sum(tensor => tensor.Count), new FileInfo(path).Length, gguf.Config);
            }

            using var source = SafetensorsFolder.Open(path);
            return (source.Tensors.Values.Sum(tensor => tensor.Count), null, LlamaConfigFile.Read(path));
        }
    }

    private static IEnumerable<PartNeed> Others(ModelPackage package, bool cpu)
    {
        var manifest = package.Manifest;
        var (type, bytes) = cpu ? ("float32", 4) : ("bfloat16", 2);
        var projections = Parameters(package, manifest.Input?.Projection) + manifest.Outputs.Sum(output => Parameters(package, output.Projection));
        if (projections > 0)
        {
            yield return new PartNeed("projections", projections, projections * bytes, 0, type);
        }

        if (manifest.Input is { } input)
        {
            var config = ImageBindConfig.Load(Path.Combine(package.PathOf(input.Encoder), "config.json"));
            var vision = config.Vision is { } v
                ? (v.Patches + 1L) * v.Width * (input.Kinds.Contains(MediaKind.Video) ? v.ClipsPerVideo * v.CropsPerClip : 1)
                : 0;
            var audio = config.Audio is { } a ? (a.Patches + 1L) * a.Width * a.ClipsPerSound : 0;
            var parameters = Parameters(package, input.Encoder);
            yield return new PartNeed(
                ConversionParts.Encoder, parameters, parameters * bytes, Math.Max(vision, audio) * WorkingMaps * bytes, type);
        }

        foreach (var output in manifest.Outputs)
        {
            var parameters = Parameters(package, output.Decoder) + Parameters(package, output.Enlarger);
            yield return new PartNeed(
                output.Kind.ToString().ToLowerInvariant(), parameters, parameters * bytes, Work(package, output) * bytes, type);
        }
    }

    /// <summary>Numbers in the feature maps of one drawing.</summary>
    private static long Work(ModelPackage package, OutputPart output)
    {
        var folder = package.PathOf(output.Decoder);
        var vae = AutoencoderKLConfig.Load(Path.Combine(folder, "vae", "config.json"));
        var downscale = 1L << (vae.LevelChannels.Count - 1);
        var enlarged = output.Enlarger is { } enlarger
            ? PictureEnlargerConfig.Load(Path.Combine(package.PathOf(enlarger), "config.json")).Factor
            : 0L;
        var unet = Path.Combine(folder, "unet", "config.json");
        if (output.Kind == MediaKind.Video)
        {
            var clip = UNet3DConditionConfig.Load(unet);
            var height = (output.Height ?? clip.SampleSize * downscale) / downscale;
            var width = (output.Width ?? clip.SampleSize * downscale) / downscale;
            return Maps(height, width, output.Frames ?? 16, clip.LevelChannels[0], 1);
        }

        var flat = UNet2DConditionConfig.Load(unet);
        if (output.Kind == MediaKind.Audio)
        {
            var frames = (long)Math.Ceiling((output.Seconds ?? 5) * 100 / downscale);
            return Maps(frames, 16, 1, flat.LevelChannels[0], 1);
        }

        return Maps(
            output.Height / downscale ?? flat.SampleSize, output.Width / downscale ?? flat.SampleSize, 1, flat.LevelChannels[0], 1);

        long Maps(long height, long width, long frames, long channels, long decodedFrames)
        {
            var pixels = height * downscale * width * downscale;
            return new[]
            {
                2 * height * width * frames * channels * WorkingMaps, pixels * decodedFrames * vae.LevelChannels[0] * DecodingMaps,
                enlarged * enlarged * pixels * 3 * DecodingMaps,   // frames are enlarged one by one
            }.Max();
        }
    }

    /// <summary>Numbers in the safetensors files of a part: a file, or a folder with subfolders.</summary>
    private static long Parameters(ModelPackage package, string? part)
    {
        if (part is null)
        {
            return 0;
        }

        return package.Manifest.Files
            .Where(file => (file.Path == part || file.Path.StartsWith(part + "/", StringComparison.Ordinal))
                && file.Path.EndsWith(".safetensors", StringComparison.Ordinal))
            .Sum(file =>
            {
                using var source = SafetensorsFile.Open(package.PathOf(file.Path));
                return source.Tensors.Values.Sum(tensor => tensor.Count);
            });
    }
}
