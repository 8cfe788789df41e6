using System.ComponentModel.DataAnnotations;
using NextGpt.Media.Ffmpeg;

namespace NextGpt.Media;

/// <summary>Which files are read, how large, and what reading one may cost (product.md 2.2, THR-7).</summary>
public sealed class MediaFileOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Media";

    /// <summary>Largest file, in MiB. Default 25.</summary>
    [Range(1, 1_024)]
    public int MaxFileMegabytes { get; init; } = 25;

    /// <summary>Largest picture, in megapixels. Default 40.</summary>
    [Range(1, 400)]
    public int MaxMegapixels { get; init; } = 40;

    /// <summary>Shortest side of a picture or clip, in pixels. Default 16.</summary>
    [Range(1, 4_096)]
    public int MinSide { get; init; } = 16;

    /// <summary>Longest side of a picture, in pixels. Default 12,000.</summary>
    [Range(16, 65_535)]
    public int MaxSide { get; init; } = 12_000;

    /// <summary>Shortest sound. Default 0.2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan MinSound { get; init; } = TimeSpan.FromSeconds(0.2);

    /// <summary>Longest sound. Default 120 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")]
    public TimeSpan MaxSound { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Longest clip. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")]
    public TimeSpan MaxClip { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest side of a clip, in pixels. Default 1,920.</summary>
    [Range(16, 8_192)]
    public int MaxClipSide { get; init; } = 1_920;

    /// <summary>Fastest clip, in frames a second. Default 60.</summary>
    [Range(1, 240)]
    public int MaxFramesPerSecond { get; init; } = 60;

    /// <summary>Most frames of a clip that are kept in memory; more are thinned out evenly. Default 256.</summary>
    [Range(2, 10_000)]
    public int MaxClipFrames { get; init; } = 256;

    /// <summary>Most memory of one decoded clip, in MiB; above it frames are made smaller, then fewer. Default 128.</summary>
    [Range(16, 4_096)]
    public int MaxClipMegabytes { get; init; } = 128;

    /// <summary>Files that are decoded at once, each in its own process; others wait. Default 2.</summary>
    [Range(1, 64)]
    public int Decoders { get; init; } = 2;

    /// <summary>Files after which a decoding process is replaced by a fresh one. Default 100.</summary>
    [Range(1, 100_000)]
    public int FilesPerDecoder { get; init; } = 100;

    /// <summary>Memory of one decoding process, in MiB. Default 512.</summary>
    [Range(128, 16_384)]
    public int DecoderMegabytes { get; init; } = 512;

    /// <summary>Longest work on one file; then its process is killed. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan DecodeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The program ffmpeg, for MP3, OGG, FLAC, M4A, MP4 and WebM. Null (default) looks for it on the PATH. <c>ffprobe</c> is
    /// looked for beside it.
    /// </summary>
    public string? Ffmpeg { get; init; }

    /// <summary>The file of the ffmpeg that is used, or null where it or its <c>ffprobe</c> is not there.</summary>
    public string? FindFfmpeg() => FfmpegPrograms.Find(Ffmpeg) is { AreThere: true } programs ? programs.Ffmpeg : null;

    /// <summary>Largest file, in bytes.</summary>
    internal long MaxFileBytes => MaxFileMegabytes * 1024L * 1024;
}
