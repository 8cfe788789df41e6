using System.Text.Json.Nodes;
using NextGpt.Model.Decoders;

namespace NextGpt.Model.Encoders;

/// <summary>The tower for pictures and clips, and how both are prepared for it.</summary>
public sealed record ImageBindVisionConfig
{
    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads; must divide the width.</summary>
    public required int Heads { get; init; }

    /// <summary>Width and height of a view in pixels, a multiple of <see cref="PatchSize"/>.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Width and height of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>Frames a patch reaches over.</summary>
    public int TimePatch { get; init; } = 2;

    /// <summary>Frames taken from each piece of a clip, a multiple of <see cref="TimePatch"/>.</summary>
    public int FramesPerClip { get; init; } = 2;

    /// <summary>Pieces a clip is looked at in.</summary>
    public int ClipsPerVideo { get; init; } = 5;

    /// <summary>Length of a piece in seconds.</summary>
    public double ClipSeconds { get; init; } = 2;

    /// <summary>Squares cut from each piece along its longer side: 1 (the middle) or 3 (start, middle, end).</summary>
    public int CropsPerClip { get; init; } = 3;

    /// <summary>Subtracted from red, green and blue (0..1).</summary>
    public ColourTriple Mean { get; init; } = new(0.48145466f, 0.4578275f, 0.40821073f);

    /// <summary>Divides red, green and blue after that.</summary>
    public ColourTriple Deviation { get; init; } = new(0.26862954f, 0.26130258f, 0.27577711f);

    /// <summary>Patches along one side of a view.</summary>
    public int PatchesPerSide => ImageSize / PatchSize;

    /// <summary>Patches of a whole view of a clip.</summary>
    public int Patches => PatchesPerSide * PatchesPerSide * (FramesPerClip / TimePatch);

    internal static ImageBindVisionConfig Read(DiffusersConfig config, string file)
    {
        var kernel = config.Has("kernel_size") ? config.Integers("kernel_size") : [2, 14, 14];
        if (kernel.Count != 3 || kernel[1] != kernel[2] || kernel.Any(size => size < 1))
        {
            throw new InvalidDataException(
                $"{file}: kernel_size is [{string.Join(", ", kernel)}]; frames, height and width of square patches were expected.");
        }

        return new ImageBindVisionConfig
        {
            Width = config.Integer("vision_embed_dim"),
            Layers = config.Integer("vision_num_blocks"),
            Heads = config.Integer("vision_num_heads"),
            ImageSize = config.Integer("image_size", 224),
            PatchSize = kernel[1],
            TimePatch = kernel[0],
            FramesPerClip = config.Integer("video_frames", 2),
            ClipsPerVideo = config.Integer("video_clips", 5),
            ClipSeconds = config.Number("video_clip_seconds", 2),
            CropsPerClip = config.Integer("video_crops", 3),
            Mean = Colours(config, "image_mean", new ColourTriple(0.48145466f, 0.4578275f, 0.40821073f), file),
            Deviation = Colours(config, "image_std", new ColourTriple(0.26862954f, 0.26130258f, 0.27577711f), file),
        };
    }

    internal void Write(JsonObject settings)
    {
        settings["vision_embed_dim"] = Width;
        settings["vision_num_blocks"] = Layers;
        settings["vision_num_heads"] = Heads;
        settings["image_size"] = ImageSize;
        settings["kernel_size"] = DiffusersConfig.List([TimePatch, PatchSize, PatchSize]);
        settings["video_frames"] = FramesPerClip;
        settings["video_clips"] = ClipsPerVideo;
        settings["video_clip_seconds"] = ClipSeconds;
        settings["video_crops"] = CropsPerClip;
        settings["image_mean"] = new JsonArray(Mean.Red, Mean.Green, Mean.Blue);
        settings["image_std"] = new JsonArray(Deviation.Red, Deviation.Green, Deviation.Blue);
    }

    private static ColourTriple Colours(DiffusersConfig config, string key, ColourTriple standard, string file)
    {
        if (!config.Has(key))
        {
            return standard;
        }

        var numbers = config.Numbers(key);
        return numbers.Count == 3
            ? new ColourTriple(numbers[0], numbers[1], numbers[2])
            : throw new InvalidDataException($"{file}: {key} has {numbers.Count} numbers; one each for red, green and blue was expected.");
    }
}
