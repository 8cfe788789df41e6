using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using NextGpt.Media.Clips;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Ffmpeg;

/// <summary>Decodes sounds and clips with ffmpeg, started from within a decoding process whose limits it inherits.</summary>
/// <remarks>The demuxer follows from the bytes and is forced; input and output are pipes, and no other protocol is allowed (THR-8).</remarks>
internal sealed class FfmpegDecoder(DecodeTask task, Stream to)
{
    /// <summary>The largest block ffmpeg may ask for, in bytes.</summary>
    public const string LargestAllocation = "134217728";

    private const string ReadableClips = "MP4 or WebM with H.264, H.265, MPEG-4, VP8, VP9 or AV1";

    /// <summary>A sound of more samples than this (of all channels) is mixed to one channel; 96 MiB as float.</summary>
    private const double MostSamples = 24 * 1024 * 1024;

    private static readonly string[] PictureCodecs = ["h264", "hevc", "mpeg4", "vp8", "vp9", "av1"];
    private static readonly string[] SoundCodecs = ["mp3", "vorbis", "opus", "flac", "aac", "alac"];

    private readonly string _ffmpeg = task.Ffmpeg ?? throw new InvalidOperationException("ffmpeg is not there.");
    private readonly string _ffprobe = task.Ffprobe ?? throw new InvalidOperationException("ffprobe is not there.");

    /// <param name="format">What the bytes are.</param>
    /// <param name="file">The whole file.</param>
    /// <exception cref="MediaException">It is refused.</exception>
    public void Decode(MediaFormat format, ReadOnlyMemory<byte> file)
    {
        var isIso = format == MediaFormat.Mp4 || format == MediaFormat.M4a;
        if (isIso)
        {
            file = IsoLayout.IndexFirst(file, task.Subject);
        }

        var demuxer = isIso ? "mov" : format == MediaFormat.WebM ? "matroska" : format.Extension;
        var (pictures, sound) = FfmpegProbe.Run(_ffprobe, demuxer, file, task.Subject);
        if (format.Kind == MediaKind.Video && pictures is not null)
        {
            DecodeClip(demuxer, file, pictures);
        }
        else if (sound is not null)
        {
            if (format == MediaFormat.Mp4)
            {
                Message.Write(to, MessageKind.Format, (ReadOnlySpan<byte>)[(byte)FormatIndex(MediaFormat.M4a)]);
            }

            DecodeSound(demuxer, file, sound);
        }
        else
        {
            throw Refusal.Corrupt(task.Subject, "it holds neither pictures nor sound");
        }
    }

    private static int FormatIndex(MediaFormat format) => MediaFormat.All.ToList().IndexOf(format);

    private void DecodeSound(string demuxer, ReadOnlyMemory<byte> file, FfmpegStream sound)
    {
        if (!SoundCodecs.Contains(sound.Codec))
        {
            throw Refusal.Unsupported($"Sound of the encoding {sound.Codec}", "WAV, MP3, OGG, FLAC or M4A");
        }

        if (sound.Channels is < 1 or > WaveFile.MostChannels
            || sound.RateHz is < WaveFile.LowestRateHz or > WaveFile.HighestRateHz)
        {
            throw new MediaException(MediaProblem.Unsupported, string.Create(CultureInfo.InvariantCulture,
                $"{task.Subject} has {sound.Channels} channels at {sound.RateHz} Hz; 1 to {WaveFile.MostChannels} channels at {WaveFile.LowestRateHz:N0} to {WaveFile.HighestRateHz:N0} Hz are supported."));
        }

        var longest = task.Limits.MaxSound.TotalSeconds;
        if (sound.Duration.TotalSeconds > longest + 1)
        {
            Refusal.CheckSound(task.Subject, sound.Duration, task.Limits);
        }

        var isMixed = sound.Channels > 1 && sound.RateHz * (double)sound.Channels * sound.Duration.TotalSeconds > MostSamples;
        var channels = isMixed ? 1 : sound.Channels;
        List<string> arguments =
        [
            "-map", Invariant($"0:{sound.Index}"), "-t", Invariant($"{longest + 1}"), "-ac", Invariant($"{channels}"),
            "-ar", Invariant($"{sound.RateHz}"), "-f", "f32le", "pipe:1",
        ];
        var most = (long)((longest + 1) * sound.RateHz) * channels * sizeof(float);
        using var run = Start(demuxer, file, arguments);
        var samples = ReadAll(run.Output, most + 65_536);
        var length = samples.Count / sizeof(float) / channels;
        if (!run.Finish() || length == 0)
        {
            throw Refusal.Corrupt(task.Subject, "its sound cannot be decoded");
        }

        // A coder's padding may make a sound of exactly the limit a little longer.
        var limit = (int)(longest * sound.RateHz);
        if (length > limit && length <= limit + (sound.RateHz / 10))
        {
            length = limit;
        }

        Refusal.CheckSound(task.Subject, TimeSpan.FromSeconds((double)length / sound.RateHz), task.Limits);
        SoundDecoder.Write(
            new AudioClip { SampleRateHz = sound.RateHz, Channels = Deinterleave(samples, channels, length) }, to);
        if (isMixed)
        {
            Message.Write(to, MessageKind.Notice, Encoding.UTF8.GetBytes(
                Invariant($"Its {sound.Channels} channels are mixed to one.")));
        }
    }

    private void DecodeClip(string demuxer, ReadOnlyMemory<byte> file, FfmpegStream pictures)
    {
        if (!PictureCodecs.Contains(pictures.Codec))
        {
            throw Refusal.Unsupported($"A clip of the encoding {(pictures.Codec.Length > 0 ? pictures.Codec : "unknown")}", ReadableClips);
        }

        if (pictures.Packets == 0)
        {
            throw Refusal.Corrupt(task.Subject, "it holds no pictures");
        }

        // One picture, or pictures without times, have no pace; they are shown at a usual one.
        var duration = pictures.Duration > TimeSpan.FromMilliseconds(1) ? pictures.Duration : TimeSpan.FromSeconds(pictures.Packets / 25.0);
        Refusal.CheckClip(
            task.Subject, pictures.Width, pictures.Height, duration, pictures.Packets / duration.TotalSeconds, task.Limits);
        var plan = ClipPlan.For(
            pictures.Width, pictures.Height, pictures.Packets, pictures.Packets, duration, task.Limits);
        var pace = Invariant($"{plan.Frames * 1_000_000L}/{Math.Max(1, (long)(duration.TotalSeconds * 1e6))}");
        List<string> arguments =
        [
            "-map", Invariant($"0:{pictures.Index}"),
            "-vf", Invariant($"setpts=PTS-STARTPTS,fps={pace},scale={plan.Width}:{plan.Height}:flags=bicubic"),
            "-frames:v", Invariant($"{plan.Frames}"), "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1",
        ];
        var body = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(body, plan.Width);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), plan.Height);
        BinaryPrimitives.WriteDoubleLittleEndian(body.AsSpan(8), plan.FramesPerSecond);
        Message.Write(to, MessageKind.Clip, body);

        using var run = Start(demuxer, file, arguments);
        var frame = new byte[3 * plan.Width * plan.Height];
        var count = 0;
        while (count < plan.Frames && run.Output.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length)
        {
            Message.Write(to, MessageKind.Pixels, frame);
            count++;
        }

        if (count == 0 || (!run.Finish() && count < plan.Frames))
        {
            throw Refusal.Corrupt(task.Subject, "its pictures cannot be decoded");
        }

        if (plan.Notice is { } notice)
        {
            Message.Write(to, MessageKind.Notice, Encoding.UTF8.GetBytes(notice));
        }
    }

    private FfmpegRun Start(string demuxer, ReadOnlyMemory<byte> file, IEnumerable<string> arguments)
    {
        string[] input =
        [
            "-v", "error", "-nostdin", "-hide_banner", "-max_alloc", LargestAllocation, "-threads", "2",
            "-protocol_whitelist", "pipe", "-f", demuxer, "-i", "pipe:0",
        ];
        return FfmpegRun.Start(_ffmpeg, [.. input, .. arguments], stream => stream.Write(file.Span));
    }

    private ArraySegment<byte> ReadAll(Stream output, long most)
    {
        var all = new MemoryStream();
        var buffer = new byte[256 * 1024];
        for (int read; (read = output.Read(buffer)) > 0;)
        {
            all.Write(buffer, 0, read);
            if (all.Length > most)
            {
                throw Refusal.Corrupt(task.Subject, "it holds more sound than it says");
            }
        }

        return all.TryGetBuffer(out var segment) ? segment : throw new InvalidOperationException("The buffer is not visible.");
    }

    private static float[][] Deinterleave(ReadOnlySpan<byte> bytes, int channels, int length)
    {
        var samples = MemoryMarshal.Cast<byte, float>(bytes);
        var result = new float[channels][];
        for (var c = 0; c < channels; c++)
        {
            var channel = result[c] = new float[length];
            for (var i = 0; i < length; i++)
            {
                var sample = samples[(i * channels) + c];
                channel[i] = float.IsFinite(sample) ? Math.Clamp(sample, -1f, 1f) : 0f;
            }
        }

        return result;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
