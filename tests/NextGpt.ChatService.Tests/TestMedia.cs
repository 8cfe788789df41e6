using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using NextGpt.Media;

namespace NextGpt.ChatService.Tests;

/// <summary>Reads and writes small files: PNG (8 bit, RGB, unfiltered), WAV, and clips as raw frames behind an MP4's first bytes.</summary>
internal sealed class TestMedia : IMediaReader, IMediaWriter
{
    private static readonly byte[] PngSignature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private int _reads;

    public int Reads => _reads;

    /// <summary>Thrown by the next writings, to see what becomes of an answer whose file cannot be made.</summary>
    public MediaException? WriteFailure { get; set; }

    public static byte[] Png(int width = 16, int height = 16, int seed = 1) => WritePng(PictureOf(width, height, seed));

    public static byte[] Wav(double seconds = 0.5, int seed = 1) => WaveFile.Write(SoundOf(seconds, seed));

    public static byte[] Mp4(int frames = 3, int seed = 1) => WriteMp4(ClipOf(16, 16, frames, seed));

    public static Picture PictureOf(int width, int height, long seed)
    {
        var pixels = new byte[3 * width * height];
        new Random((int)seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }

    public static AudioClip SoundOf(double seconds, long seed)
    {
        var random = new Random((int)seed);
        return new AudioClip
        {
            SampleRateHz = 16_000,
            Channels = [[.. Enumerable.Range(0, (int)(16_000 * seconds)).Select(_ => random.NextSingle() - 0.5f)]],
        };
    }

    public static VideoClip ClipOf(int width, int height, int frames, long seed) => new()
    {
        FramesPerSecond = 8,
        Frames = [.. Enumerable.Range(0, frames).Select(i => PictureOf(width, height, seed + i))],
    };

    public Task<ReadMedium> ReadAsync(
        ReadOnlyMemory<byte> bytes, string? name = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _reads);
        var format = MediaFormat.Sniff(bytes.Span);
        Medium medium = format switch
        {
            _ when format == MediaFormat.Png => ReadPng(bytes.Span),
            _ when format == MediaFormat.Wav => WaveFile.Read(bytes.Span),
            _ when format == MediaFormat.Mp4 => ReadMp4(bytes.Span),
            _ => throw new MediaException(MediaProblem.Unsupported, $"{format?.MediaType ?? "The file"} is not supported; send PNG."),
        };
        var notice = medium is VideoClip { Frames.Count: > 20 } clip
            ? $"The first 20 of {clip.Frames.Count} frames of {name ?? "the clip"} were used."
            : null;
        return Task.FromResult(new ReadMedium(medium, format) { Notice = notice });
    }

    public Task<MediaFile> WriteAsync(Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return WriteFailure is null
            ? Task.FromResult(medium switch
            {
                Picture picture => new MediaFile(WritePng(picture, mark), MediaFormat.Png),
                AudioClip sound => new MediaFile(
                    WaveFile.Write(sound, mark is null ? null : new Dictionary<string, string> { ["ISFT"] = mark.ModelId }),
                    MediaFormat.Wav),
                VideoClip clip => new MediaFile(WriteMp4(clip), MediaFormat.Mp4),
                _ => throw new InvalidOperationException(),
            })
            : throw WriteFailure;
    }

    private static byte[] WritePng(Picture picture, GenerationMark? mark = null)
    {
        using var file = new MemoryStream();
        file.Write(PngSignature);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, 2);
        Write("IHDR", header);
        if (mark is not null)
        {
            Write("tEXt", Encoding.Latin1.GetBytes($"Software\0{mark.ModelId} {mark.CreatedAt:O}"));
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var row = 0; row < picture.Height; row++)
            {
                zlib.WriteByte(0);
                zlib.Write(picture.Pixels, row * picture.Width * 3, picture.Width * 3);
            }
        }

        Write("IDAT", packed.ToArray());
        Write("IEND", []);
        return file.ToArray();

        void Write(string type, byte[] data)
        {
            byte[] typed = [.. Encoding.ASCII.GetBytes(type), .. data];
            var number = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            file.Write(number);
            file.Write(typed);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc(typed));
            file.Write(number);
        }
    }

    private static Picture ReadPng(ReadOnlySpan<byte> file)
    {
        if (file.Length < 45)
        {
            throw new MediaException(MediaProblem.Corrupt, "The PNG ends before its header does; upload it again.");
        }

        var width = BinaryPrimitives.ReadInt32BigEndian(file[16..]);
        var height = BinaryPrimitives.ReadInt32BigEndian(file[20..]);
        if ((long)width * height > 40_000_000)
        {
            throw new MediaException(
                MediaProblem.TooLarge,
                $"The image is {width} x {height} px ({(long)width * height / 1_000_000} megapixels), the limit is 40; send a smaller one.");
        }

        using var packed = new MemoryStream();
        for (var rest = file[8..]; rest.Length >= 12;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (rest[4..8].SequenceEqual("IDAT"u8))
            {
                packed.Write(rest.Slice(8, length));
            }

            rest = rest[(12 + length)..];
        }

        packed.Position = 0;
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        var pixels = new byte[3 * width * height];
        for (var row = 0; row < height; row++)
        {
            zlib.ReadByte();
            zlib.ReadExactly(pixels, row * width * 3, width * 3);
        }

        return new Picture(width, height, pixels);
    }

    private static byte[] WriteMp4(VideoClip clip) =>
    [
        0, 0, 0, 16, .. "ftypisom"u8, 0, 0, 0, 0,
        (byte)clip.Frames.Count, (byte)clip.Frames[0].Width, (byte)clip.Frames[0].Height, (byte)clip.FramesPerSecond,
        .. clip.Frames.SelectMany(frame => frame.Pixels),
    ];

    private static VideoClip ReadMp4(ReadOnlySpan<byte> file)
    {
        var (frames, width, height) = (file[16], file[17], file[18]);
        var size = 3 * width * height;
        List<Picture> pictures = [];
        for (var i = 0; i < frames; i++)
        {
            pictures.Add(new Picture(width, height, file.Slice(20 + (i * size), size).ToArray()));
        }

        return new VideoClip { FramesPerSecond = file[19], Frames = pictures };
    }

    private static uint Crc(byte[] data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
