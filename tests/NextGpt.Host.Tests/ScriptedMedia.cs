using NextGpt.Media;

namespace NextGpt.Host.Tests;

/// <summary>
/// Stands for the codecs. Files are the first bytes of a format and then one letter that says what is in it; what is
/// written are the first bytes of PNG, WAV or MP4 and what the medium was.
/// </summary>
internal sealed class ScriptedMedia : IMediaReader, IMediaWriter
{
    /// <summary>A 1 x 1 picture that every browser shows.</summary>
    public static byte[] Png { get; } = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    /// <summary>A quarter of a second of silence.</summary>
    public static byte[] Wav { get; } =
        WaveFile.Write(new AudioClip { SampleRateHz = 8_000, Channels = [new float[2_000]] });

    /// <summary>The beginning of an MP4 file.</summary>
    public static byte[] Mp4 { get; } = [0, 0, 0, 24, .. "ftypisom"u8, 0, 0, 2, 0, .. "isommp41"u8];

    /// <summary>A file of a format that the reader finds damaged.</summary>
    public static byte[] DamagedPng { get; } = [.. Png.AsSpan(0, 8), (byte)'!'];

    /// <summary>Names of the files that were read, in order.</summary>
    public List<string?> Read { get; } = [];

    /// <summary>Said of every file that is read, or null.</summary>
    public string? Notice { get; set; }

    /// <summary>Reading waits for it; null does not wait.</summary>
    public Task? Gate { get; set; }

    public async Task<ReadMedium> ReadAsync(
        ReadOnlyMemory<byte> bytes, string? name = null, CancellationToken cancellationToken = default)
    {
        if (Gate is not null)
        {
            await Gate.WaitAsync(cancellationToken);
        }

        Read.Add(name);
        var format = MediaFormat.Sniff(bytes.Span)
            ?? throw new MediaException(MediaProblem.Unsupported, "This is no medium; send one.");
        if (bytes.Span.SequenceEqual(DamagedPng))
        {
            throw new MediaException(MediaProblem.Corrupt, $"{name} ends after 1.2 of 3.4 MB; upload it again.");
        }

        return new ReadMedium(
            format.Kind switch
            {
                MediaKind.Image => new Picture(2, 1, [10, 20, 30, 40, 50, 60]),
                MediaKind.Audio => new AudioClip { SampleRateHz = 32_000, Channels = [new float[8_000], new float[8_000]] },
                _ => new VideoClip { FramesPerSecond = 8, Frames = [new Picture(1, 1, [1, 2, 3])] },
            },
            format)
        { Notice = Notice };
    }

    public Task<MediaFile> WriteAsync(Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default) =>
        Task.FromResult(medium switch
        {
            Picture => new MediaFile((byte[])[.. Png, .. "clean"u8], MediaFormat.Png),
            AudioClip sound => new MediaFile(WaveFile.Write(sound), MediaFormat.Wav),
            _ => new MediaFile((byte[])[.. Mp4, .. "clean"u8], MediaFormat.Mp4),
        });
}
