using System.Text.Json.Nodes;
using NextGpt.Model.Decoders;

namespace NextGpt.Model.Encoders;

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
