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
