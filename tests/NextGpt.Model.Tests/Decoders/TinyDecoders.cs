using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Model.Language;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders;

/// <summary>Whole diffusion folders of every kind, a few pixels and channels large, with weights from a seed.</summary>
internal sealed class TinyDecoders : IDisposable
{
    internal const int Tokens = 8;
    internal const int Width = 16;

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    /// <summary>A folder of its own that is removed with the others.</summary>
    internal string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, Path.GetRandomFileName())).FullName;

    /// <summary>Writes the folder of a kind.</summary>
    /// <param name="kind">What it shall make.</param>
    /// <param name="sampler">What its scheduler says.</param>
    /// <param name="text">Whether it has a text encoder.</param>
    /// <param name="classFromContext">Whether a picture's conditioning also enters by way of the time embedding.</param>
    internal string Write(
        MediaKind kind, SamplerKind sampler = SamplerKind.Ddim, bool text = true, bool classFromContext = false)
    {
        var folder = NewFolder();
        switch (kind)
        {
            case MediaKind.Audio:
                Save(new UNet2DCondition(UNet(8) with { ClassSize = 12, ContextSizes = [8, 16] }), network => network.Save(Part(folder, "unet"), SafetensorsType.F32));
                Save(new AutoencoderKL(Autoencoder(1, 8)), network => network.Save(Part(folder, "vae"), SafetensorsType.F32));
                Save(new HifiGan(Vocoder), network => network.Save(Part(folder, "vocoder"), SafetensorsType.F32));
                break;
            case MediaKind.Video:
                Save(new UNet3DCondition(UNet3D), network => network.Save(Part(folder, "unet"), SafetensorsType.F32));
                Save(new AutoencoderKL(Autoencoder(3, 4)), network => network.Save(Part(folder, "vae"), SafetensorsType.F32));
                break;
            default:
                var unet = classFromContext ? UNet(4) with { ClassSize = Width, ClassFromContext = true } : UNet(4);
                Save(new UNet2DCondition(unet), network => network.Save(Part(folder, "unet"), SafetensorsType.F32));
                Save(new AutoencoderKL(Autoencoder(3, 4)), network => network.Save(Part(folder, "vae"), SafetensorsType.F32));
                break;
        }

        if (text && kind == MediaKind.Audio)
        {
            WriteClapTokenizer(Part(folder, "tokenizer"));
            Save(new ClapTextEncoder(CaptionEncoder), network => SaveClap(network, Part(folder, "text_encoder")));
        }
        else if (text)
        {
            var tokenizer = new ClipTokenizer([("a", "b</w>"), ("c", "a")]);
            tokenizer.Save(Part(folder, "tokenizer"));
            Save(new ClipTextEncoder(TextEncoder(tokenizer)), network => network.Save(Part(folder, "text_encoder"), SafetensorsType.F32));
        }

        Directory.CreateDirectory(Part(folder, "scheduler"));
        new SchedulerConfig
        {
            Kind = sampler,
            BetaStart = 0.00085,
            BetaEnd = 0.012,
            BetaSchedule = BetaSchedule.ScaledLinear,
            Spacing = TimestepSpacing.Leading,
            StepsOffset = 1,
        }.Save(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        return folder;
    }

    public void Dispose() => Directory.Delete(_root, true);

    private static UNet3DConditionConfig UNet3D { get; } = new()
    {
        SampleSize = 4,
        LevelChannels = [8, 16],
        DownAttention = [true, false],
        UpAttention = [false, true],
        BlocksPerLevel = 1,
        HeadSize = 4,
        ContextSize = Width,
        NormGroups = 4,
    };

    private static HifiGanConfig Vocoder { get; } = new()
    {
        Mels = 8,
        InitialChannels = 16,
        UpsampleRates = [4, 4],
        UpsampleKernels = [8, 8],
        ResidualKernels = [3],
        ResidualDilations = [[1, 3]],
        Normalises = false,
    };

    private static UNet2DConditionConfig UNet(int channels) => new()
    {
        InputChannels = channels,
        OutputChannels = channels,
        SampleSize = 4,
        LevelChannels = [8, 16],
        DownAttention = [true, false],
        UpAttention = [false, true],
        BlocksPerLevel = 1,
        Heads = [2, 2],
        ContextSizes = [Width, Width],
        NormGroups = 4,
    };

    private static AutoencoderKLConfig Autoencoder(int pictureChannels, int latentChannels) => new()
    {
        PictureChannels = pictureChannels,
        LatentChannels = latentChannels,
        LevelChannels = [8, 8],
        NormGroups = 4,
        SampleSize = 8,
    };

    private static ClipTextEncoderConfig TextEncoder(ClipTokenizer tokenizer) => new()
    {
        VocabularySize = tokenizer.VocabularySize,
        HiddenSize = Width,
        IntermediateSize = 32,
        Layers = 1,
        Heads = 2,
        MaxTokens = Tokens,
    };

    private static ClapTextEncoderConfig CaptionEncoder { get; } = new()
    {
        VocabularySize = 261,
        HiddenSize = Width,
        IntermediateSize = 32,
        Layers = 1,
        Heads = 2,
        ProjectionSize = 12,
        Positions = 34,
    };

    // RoBERTa's special tokens around the 256 bytes, without merges.
    private static void WriteClapTokenizer(string folder)
    {
        string[] tokens =
        [
            "<s>", "<pad>", "</s>", "<unk>", .. Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToText([(byte)value])), "<mask>",
        ];
        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, "vocab.json"),
            JsonSerializer.Serialize(tokens.Select((token, id) => (token, id)).ToDictionary(entry => entry.token, entry => entry.id)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"model_max_length": 32}""");   // as many as there are positions
    }

    private static void SaveClap(ClapTextEncoder network, string folder)
    {
        DiffusersWeights.Save(network, Path.Combine(folder, "model.safetensors"), SafetensorsType.F32);
        network.Config.Save(Path.Combine(folder, "config.json"));
    }

    private static string Part(string folder, string part) => Path.Combine(folder, part);

    private static void Save<T>(T network, Action<T> save)
        where T : nn.Module
    {
        using (network)
        using (var generator = new Generator(11))
        using (no_grad())
        {
            foreach (var (_, weight) in network.named_parameters().OrderBy(entry => entry.name, StringComparer.Ordinal))
            {
                if (weight.dim() > 1)
                {
                    weight.normal_(0, 0.2, generator);
                }
            }

            save(network);
        }
    }
}
