using System.Buffers.Binary;
using ImageMagick;
using NextGpt.Media.Ffmpeg;

namespace NextGpt.Media.Tests;

/// <summary>A reader with decoding processes, a writer, and files to try them on; one for each test class.</summary>
public sealed class MediaStand : IDisposable
{
    private static readonly MediaFileOptions Patient = new() { DecodeTimeout = TimeSpan.FromMinutes(2) };   // a busy machine

    public static MediaChildCommand Child { get; } = ChildWith();

    public static GenerationMark Mark { get; } = new("mini+a1", new DateTimeOffset(2026, 11, 23, 19, 30, 5, TimeSpan.Zero));

    internal MediaReader Reader { get; } = NewReader(Patient);

    internal MediaWriter Writer { get; } = new(FfmpegPrograms.Find(null));

    /// <summary>One that finds no ffmpeg.</summary>
    internal MediaWriter PlainWriter { get; } = new(FfmpegPrograms.Find("/nowhere/ffmpeg"));

    public static MediaChildCommand ChildWith(params string[] words) => new(
        Path.Combine(AppContext.BaseDirectory, "NextGpt.Media.ChildTarget" + (OperatingSystem.IsWindows() ? ".exe" : "")),
        [MediaChild.Verb, .. words]);

    internal static MediaReader NewReader(MediaFileOptions options, MediaChildCommand? child = null) =>
        new(options, FfmpegPrograms.Find(options.Ffmpeg), child ?? Child);

    public void Dispose() => Reader.Dispose();

    /// <summary>A picture whose every pixel tells where it is.</summary>
    public static Picture Gradient(int width, int height, int shift = 0)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            var (x, y) = (i % width, i / width);
            pixels[3 * i] = (byte)(x * 255 / width);
            pixels[(3 * i) + 1] = (byte)(y * 255 / height);
            pixels[(3 * i) + 2] = (byte)((x + y + (shift * 8)) % 256);
        }

        return new Picture(width, height, pixels);
    }

    public static VideoClip Clip(int frames = 12, double pace = 8, int width = 64, int height = 48) => new()
    {
        FramesPerSecond = pace,
        Frames = [.. Enumerable.Range(0, frames).Select(i => Gradient(width, height, i * 2))],
    };

    public static AudioClip Tone(double seconds = 1, int rateHz = 16_000, int channels = 1) => new()
    {
        SampleRateHz = rateHz,
        Channels = [.. Enumerable.Range(1, channels).Select(c => Enumerable.Range(0, (int)(seconds * rateHz))
            .Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * 330 * c * i / rateHz))).ToArray())],
    };

    /// <summary>Encodes with ImageMagick itself, so that the reader is tried on another's files.</summary>
    public static byte[] Encode(Picture picture, MagickFormat format, Action<MagickImage>? change = null)
    {
        using var image = new MagickImage();
        image.ReadPixels(picture.Pixels, new PixelReadSettings((uint)picture.Width, (uint)picture.Height, StorageType.Char, PixelMapping.RGB));
        change?.Invoke(image);
        return image.ToByteArray(format);
    }

    /// <summary>Mean squared difference of two pictures, 0 to 65,025.</summary>
    public static double Distance(Picture a, Picture b)
    {
        Assert.Equal((a.Width, a.Height), (b.Width, b.Height));
        return a.Pixels.Zip(b.Pixels, (x, y) => (double)(x - y) * (x - y)).Average();
    }

    /// <summary>A PNG whose header says what it likes.</summary>
    public static byte[] PngClaiming(int width, int height)
    {
        var file = Encode(Gradient(32, 32), MagickFormat.Png);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        return file;
    }

    /// <summary>Runs ffmpeg to make a file from another.</summary>
    public static byte[] Ffmpeg(byte[] input, params string[] arguments)
    {
        var ffmpeg = Assert.IsType<string>(FfmpegPrograms.Find(null).Ffmpeg, exactMatch: false);
        using var run = FfmpegRun.Start(ffmpeg, ["-v", "error", "-i", "pipe:0", .. arguments, "pipe:1"], stream => stream.Write(input));
        using var output = new MemoryStream();
        run.Output.CopyTo(output);
        Assert.True(run.Finish(), run.Complaint);
        return output.ToArray();
    }
}
