using System.Text.Json.Nodes;
using NextGpt.Model.Decoders;

namespace NextGpt.Model.Encoders;

/// <summary>The numbers of an <see cref="ImageBind"/> and of the preparation of its media, as in its <c>config.json</c>.</summary>
/// <remarks>A tower that is null is left out: NExT-GPT itself needs no text tower, and a checkpoint's is then not read.</remarks>
public sealed record ImageBindConfig
{
    /// <summary>Width of the space that all kinds of media share.</summary>
    public int OutputSize { get; init; } = 1_024;

    /// <summary>Pictures and clips; null where there is no such tower.</summary>
    public ImageBindVisionConfig? Vision { get; init; }

    /// <summary>Sounds; null where there is no such tower.</summary>
    public ImageBindAudioConfig? Audio { get; init; }

    /// <summary>Texts; null where there is no such tower.</summary>
    public ImageBindTextConfig? Text { get; init; }

    /// <summary>ImageBind-huge as published, <c>imagebind_huge.pth</c> (its towers for pictures, clips, sounds and texts).</summary>
    public static ImageBindConfig Huge { get; } = new()
    {
        Vision = new ImageBindVisionConfig { Width = 1_280, Layers = 32, Heads = 16 },
        Audio = new ImageBindAudioConfig { Width = 768, Layers = 12, Heads = 12 },
        Text = new ImageBindTextConfig { Width = 1_024, Layers = 24, Heads = 16 },
    };

    /// <summary>Reads a <c>config.json</c>; settings it lacks are those of ImageBind-huge, towers it lacks are left out.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting means another network or is impossible; the message names it.</exception>
    public static ImageBindConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("model_type", "imagebind");
        var read = new ImageBindConfig
        {
            OutputSize = config.Integer("out_embed_dim", 1_024),
            Vision = config.Has("vision_embed_dim") ? ImageBindVisionConfig.Read(config, file) : null,
            Audio = config.Has("audio_embed_dim") ? ImageBindAudioConfig.Read(config, file) : null,
            Text = config.Has("text_embed_dim") ? ImageBindTextConfig.Read(config) : null,
        };
        try
        {
            read.Check();
        }
        catch (ArgumentException problem)
        {
            throw new InvalidDataException($"{file}: {problem.Message}", problem);
        }

        return read;
    }

    /// <summary>Writes a <c>config.json</c> that <see cref="Load"/> reads.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file)
    {
        var settings = new JsonObject { ["model_type"] = "imagebind", ["out_embed_dim"] = OutputSize };
        Vision?.Write(settings);
        Audio?.Write(settings);
        Text?.Write(settings);
        DiffusersConfig.Save(file, settings);
    }

    /// <summary>Refuses numbers of which no network can be built.</summary>
    /// <exception cref="ArgumentException">Which numbers, and what they must be.</exception>
    internal void Check()
    {
        if (Vision is null && Audio is null && Text is null)
        {
            throw new ArgumentException("The encoder has no tower; give it vision, audio or text numbers.");
        }

        CheckHeads("vision", Vision?.Width, Vision?.Heads);
        CheckHeads("audio", Audio?.Width, Audio?.Heads);
        CheckHeads("text", Text?.Width, Text?.Heads);
        if (Vision is { } vision && (vision.ImageSize % vision.PatchSize != 0 || vision.FramesPerClip % vision.TimePatch != 0))
        {
            throw new ArgumentException(
                $"Pictures of {vision.ImageSize} pixels and clips of {vision.FramesPerClip} frames cannot be cut into patches of "
                + $"{vision.PatchSize} pixels and {vision.TimePatch} frames; choose multiples.");
        }

        if (Audio is { } audio && (audio.MelBins < audio.PatchSize || audio.TargetFrames < audio.PatchSize))
        {
            throw new ArgumentException(
                $"A spectrogram of {audio.MelBins} bands and {audio.TargetFrames} frames is smaller than one patch of "
                + $"{audio.PatchSize}; choose more bands and frames.");
        }
    }

    private static void CheckHeads(string tower, int? width, int? heads)
    {
        if (width is { } size && heads is { } count && (count < 1 || size % count != 0))
        {
            throw new ArgumentException(
                $"The {tower} tower's {size} wide states cannot be split into {count} heads; choose a number that divides the width.");
        }
    }
}

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

/// <summary>A number for each of the three colours.</summary>
/// <param name="Red">For red.</param>
/// <param name="Green">For green.</param>
/// <param name="Blue">For blue.</param>
public readonly record struct ColourTriple(float Red, float Green, float Blue);

/// <summary>The tower for sounds, and how they are prepared for it.</summary>
public sealed record ImageBindAudioConfig
{
    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads; must divide the width.</summary>
    public required int Heads { get; init; }

    /// <summary>Chance that the last block leaves a residual out in training mode; earlier blocks in proportion.</summary>
    public double DropPath { get; init; } = 0.1;

    /// <summary>Samples a second the sound is brought to.</summary>
    public int SampleRateHz { get; init; } = 16_000;

    /// <summary>Bands of the spectrogram.</summary>
    public int MelBins { get; init; } = 128;

    /// <summary>Frames (of 10 ms) of the spectrogram; shorter ones are padded, longer ones cut.</summary>
    public int TargetFrames { get; init; } = 204;

    /// <summary>Bands and frames a patch reaches over.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>Bands and frames from one patch to the next.</summary>
    public int Stride { get; init; } = 10;

    /// <summary>Pieces a sound is heard in.</summary>
    public int ClipsPerSound { get; init; } = 3;

    /// <summary>Length of a piece in seconds.</summary>
    public double ClipSeconds { get; init; } = 2;

    /// <summary>Subtracted from the spectrogram (natural logarithm of power).</summary>
    public float Mean { get; init; } = -4.268f;

    /// <summary>Divides the spectrogram after that.</summary>
    public float Deviation { get; init; } = 9.138f;

    /// <summary>Patches over the bands.</summary>
    public int BandPatches => ((MelBins - PatchSize) / Stride) + 1;

    /// <summary>Patches of a whole spectrogram.</summary>
    public int Patches => BandPatches * (((TargetFrames - PatchSize) / Stride) + 1);

    internal static ImageBindAudioConfig Read(DiffusersConfig config, string file)
    {
        var read = new ImageBindAudioConfig
        {
            Width = config.Integer("audio_embed_dim"),
            Layers = config.Integer("audio_num_blocks"),
            Heads = config.Integer("audio_num_heads"),
            DropPath = config.Number("audio_drop_path", 0.1),
            SampleRateHz = config.Integer("audio_sample_rate", 16_000),
            MelBins = config.Integer("audio_num_mel_bins", 128),
            TargetFrames = config.Integer("audio_target_len", 204),
            PatchSize = config.Integer("audio_kernel_size", 16),
            Stride = config.Integer("audio_stride", 10),
            ClipsPerSound = config.Integer("audio_clips", 3),
            ClipSeconds = config.Number("audio_clip_seconds", 2),
            Mean = (float)config.Number("audio_mean", -4.268),
            Deviation = (float)config.Number("audio_std", 9.138),
        };
        return read.PatchSize > 0 && read.Stride > 0
            ? read
            : throw new InvalidDataException($"{file}: audio_kernel_size and audio_stride must be 1 or more.");
    }

    internal void Write(JsonObject settings)
    {
        settings["audio_embed_dim"] = Width;
        settings["audio_num_blocks"] = Layers;
        settings["audio_num_heads"] = Heads;
        settings["audio_drop_path"] = DropPath;
        settings["audio_sample_rate"] = SampleRateHz;
        settings["audio_num_mel_bins"] = MelBins;
        settings["audio_target_len"] = TargetFrames;
        settings["audio_kernel_size"] = PatchSize;
        settings["audio_stride"] = Stride;
        settings["audio_clips"] = ClipsPerSound;
        settings["audio_clip_seconds"] = ClipSeconds;
        settings["audio_mean"] = Mean;
        settings["audio_std"] = Deviation;
    }
}

/// <summary>The tower for texts.</summary>
public sealed record ImageBindTextConfig
{
    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads; must divide the width.</summary>
    public required int Heads { get; init; }

    /// <summary>Rows of the token embedding.</summary>
    public int VocabularySize { get; init; } = 49_408;

    /// <summary>Tokens of every text, start, end and padding included.</summary>
    public int MaxTokens { get; init; } = 77;

    internal static ImageBindTextConfig Read(DiffusersConfig config) => new()
    {
        Width = config.Integer("text_embed_dim"),
        Layers = config.Integer("text_num_blocks"),
        Heads = config.Integer("text_num_heads"),
        VocabularySize = config.Integer("text_vocab_size", 49_408),
        MaxTokens = config.Integer("text_context_length", 77),
    };

    internal void Write(JsonObject settings)
    {
        settings["text_embed_dim"] = Width;
        settings["text_num_blocks"] = Layers;
        settings["text_num_heads"] = Heads;
        settings["text_vocab_size"] = VocabularySize;
        settings["text_context_length"] = MaxTokens;
    }
}
