using System.Text.Json.Nodes;
using NextGpt.Media;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>What the configurations of a diffusers folder say, and how its networks are read.</summary>
internal sealed record DiffusersFolder
{
    private const string Index = "model_index.json";

    internal required string Path { get; init; }

    internal required MediaKind Kind { get; init; }

    /// <summary>[tokens, width] or [width].</summary>
    internal required IReadOnlyList<long> ConditioningShape { get; init; }

    internal required SchedulerConfig Scheduler { get; init; }

    /// <summary>Width and height that it was trained to draw, in pixels; 0 for sounds.</summary>
    internal required int PixelSide { get; init; }

    /// <summary>Pixels per place of the latent; 1 for sounds.</summary>
    internal required int PixelStep { get; init; }

    /// <summary>Whether there is a text encoder with a tokenizer.</summary>
    internal required bool HasText { get; init; }

    /// <summary>Reads and checks the configurations.</summary>
    /// <exception cref="InvalidDataException">One is missing or means a model this program does not have.</exception>
    internal static DiffusersFolder Open(string folder)
    {
        Expect(folder, "unet", "config.json");
        Expect(folder, "vae", "config.json");
        var index = System.IO.Path.Combine(folder, Index);
        if (File.Exists(index))
        {
            DiffusersConfig.Load(index).Expect("_class_name", Pipelines.Values.ToArray());
        }

        var kind = KindOf(DiffusersConfig.Load(Expect(folder, "unet", "config.json")));
        if (kind == MediaKind.Audio)
        {
            Expect(folder, "vocoder", "config.json");
        }

        var text = System.IO.Path.Combine(folder, "text_encoder", "config.json");
        var unet = System.IO.Path.Combine(folder, "unet", "config.json");
        var step = kind == MediaKind.Audio ? 1 : AutoencoderKLConfig.Load(System.IO.Path.Combine(folder, "vae", "config.json")).Downscale;
        return new DiffusersFolder
        {
            Path = folder,
            Kind = kind,
            ConditioningShape = Shape(folder, kind, text),
            PixelStep = step,
            PixelSide = kind switch
            {
                MediaKind.Audio => 0,
                MediaKind.Video => UNet3DConditionConfig.Load(unet).SampleSize * step,
                _ => UNet2DConditionConfig.Load(unet).SampleSize * step,
            },
            Scheduler = SchedulerConfig.Load(Expect(folder, "scheduler", "scheduler_config.json")),
            HasText = File.Exists(text) && Directory.Exists(System.IO.Path.Combine(folder, "tokenizer")),
        };
    }

    internal IDiffusionNetworks LoadNetworks(Device device, ScalarType type) => Kind switch
    {
        MediaKind.Audio => new AudioLdmNetworks(Path, Scheduler, device, type),
        MediaKind.Video => new TextToVideoNetworks(Path, Scheduler, device, type),
        _ => new StableDiffusionNetworks(Path, Scheduler, device, type),
    };

    internal ITextConditioner LoadText(Device device, ScalarType type) => Kind == MediaKind.Audio
        ? new ClapConditioner(Path, device, type)
        : new ClipConditioner(Path, device, type);

    /// <summary>Writes scheduler and index beside the networks.</summary>
    internal void SaveIndex(string folder)
    {
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "scheduler"));
        Scheduler.Save(System.IO.Path.Combine(folder, "scheduler", "scheduler_config.json"));
        DiffusersConfig.Save(System.IO.Path.Combine(folder, Index), new JsonObject { ["_class_name"] = Pipelines[Kind] });
    }

    private static Dictionary<MediaKind, string> Pipelines { get; } = new()
    {
        [MediaKind.Image] = "StableDiffusionPipeline",
        [MediaKind.Audio] = "AudioLDMPipeline",
        [MediaKind.Video] = "TextToVideoSDPipeline",
    };

    private static MediaKind KindOf(DiffusersConfig unet)
    {
        unet.Expect("_class_name", "UNet2DConditionModel", "UNet3DConditionModel");
        return unet.Text("_class_name") == "UNet3DConditionModel" ? MediaKind.Video
            : unet.Has("class_embed_type") && !unet.Flag("class_embeddings_from_context", false) ? MediaKind.Audio
            : MediaKind.Image;
    }

    private static long[] Shape(string folder, MediaKind kind, string text)
    {
        var unet = System.IO.Path.Combine(folder, "unet", "config.json");
        if (kind == MediaKind.Audio)
        {
            return [UNet2DConditionConfig.Load(unet).ClassSize ?? 0];
        }

        var tokens = File.Exists(text) ? ClipTextEncoderConfig.Load(text).MaxTokens : ClipTokenizer.UsualLength;
        return
        [
            tokens,
            kind == MediaKind.Video ? UNet3DConditionConfig.Load(unet).ContextSize : UNet2DConditionConfig.Load(unet).ContextSizes[0],
        ];
    }

    private static string Expect(string folder, string part, string file)
    {
        var path = System.IO.Path.Combine(folder, part, file);
        return File.Exists(path)
            ? path
            : throw new InvalidDataException(
                $"{folder} lacks {part}/{file}; a diffusion model in diffusers layout was expected (unet, vae, scheduler).");
    }
}
