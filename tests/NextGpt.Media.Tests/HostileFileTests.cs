using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using ImageMagick;

namespace NextGpt.Media.Tests;

/// <summary>
/// Damaged and malicious files against the reader and its decoding processes: they are read or refused in a documented
/// sentence. The long form: set <c>NEXTGPT_FUZZ_CASES=10000</c>.
/// </summary>
public sealed class HostileFileTests(MediaStand stand) : IClassFixture<MediaStand>
{
    private const int Seed = 20_261_123;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task THR_8_Mutated_files_of_every_format_are_read_or_refused_in_documented_words()
    {
        var asked = Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES");
        var cases = asked is null ? 120 : int.Parse(asked, CultureInfo.InvariantCulture);
        var originals = await OriginalsAsync();
        var outcomes = new ConcurrentDictionary<string, int>();

        await Parallel.ForAsync(0, cases, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Token }, async (i, token) =>
        {
            var random = new Random(Seed + i);
            var (name, original) = originals[i % originals.Count];
            var file = Mutation.Of(original, random);
            try
            {
                var read = await stand.Reader.ReadAsync(file, name, token);
                Assert.NotNull(read.Medium);
                outcomes.AddOrUpdate("read", 1, (_, n) => n + 1);
            }
            catch (MediaException refusal)
            {
                Assert.InRange(refusal.Message.Length, 20, 300);
                Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("operator", refusal.Message, StringComparison.Ordinal);   // a decoder that does not start
                outcomes.AddOrUpdate(refusal.Problem.ToString(), 1, (_, n) => n + 1);
            }
            catch (Exception other) when (other is not OperationCanceledException)
            {
                Assert.Fail($"case {i} of seed {Seed}, {name}: {other}");
            }
        });

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", outcomes.Select(outcome => $"{outcome.Key} {outcome.Value}")));
        Assert.Equal(cases, outcomes.Values.Sum());
        Assert.True(outcomes["read"] > cases / 50, "the mutations leave nothing whole");
        Assert.True(outcomes["Corrupt"] > cases / 20, "the mutations damage nothing");
    }

    public static TheoryData<string> Bombs =>
    [
        "endless gif", "gif of thousands of frames", "png of 400 megapixels", "png that unpacks to nothing", "png text bomb",
        "jpeg of thousands of scans", "webp of thousands of frames", "webp within webp", "mp4 of boxes within boxes",
        "wav of 4 GB", "png of 1 x 12000", "mp4 with a table of 4 billion entries",
    ];

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task THR_7_A_bomb_is_refused_within_its_limits(string bomb)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();

        var refusal = await Assert.ThrowsAsync<MediaException>(() => stand.Reader.ReadAsync(Bomb(bomb), bomb, Token));

        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);   // a busy machine; quiet it takes less than one
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task THR_7_A_text_in_a_png_that_unpacks_to_a_gigabyte_is_never_unpacked()
    {
        var read = await stand.Reader.ReadAsync(PngWithTextBomb(), cancellationToken: Token);

        Assert.Equal(0, MediaStand.Distance(MediaStand.Gradient(32, 32), (Picture)read.Medium));
    }

    [Fact]
    public async Task THR_8_A_playlist_or_a_reference_to_another_file_is_not_followed()
    {
        var planted = Path.GetTempFileName();
        await File.WriteAllBytesAsync(planted, WaveFile.Write(MediaStand.Tone(2)), Token);
        try
        {
            var playlist = Encoding.ASCII.GetBytes($"ID3\u0003\0\0\0\0\0\0#EXTM3U\n#EXTINF:2,\nfile://{planted}\n");
            var concat = Encoding.ASCII.GetBytes($"ffconcat version 1.0\nfile {planted}\n");

            Assert.Equal(MediaProblem.Corrupt, (await Assert.ThrowsAsync<MediaException>(() => stand.Reader.ReadAsync(playlist, cancellationToken: Token))).Problem);
            Assert.Equal(MediaProblem.Unsupported, (await Assert.ThrowsAsync<MediaException>(() => stand.Reader.ReadAsync(concat, cancellationToken: Token))).Problem);
        }
        finally
        {
            File.Delete(planted);
        }
    }

    [Fact]
    public async Task THR_2_A_name_of_control_characters_does_not_reach_the_sentence()
    {
        var refusal = await Assert.ThrowsAsync<MediaException>(
            () => stand.Reader.ReadAsync(Array.Empty<byte>(), $"a\u001b[31m\u202e\n{new string('x', 500)}.png", Token));

        Assert.DoesNotContain('\u001b', refusal.Message);
        Assert.DoesNotContain('\u202e', refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.InRange(refusal.Message.Length, 1, 150);
    }

    private async Task<List<(string Name, byte[] File)>> OriginalsAsync()
    {
        var picture = MediaStand.Gradient(80, 64);
        var clip = MediaStand.Clip(frames: 6);
        var mp4 = (await stand.Writer.WriteAsync(clip, MediaStand.Mark, Token)).Bytes.ToArray();
        var wave = WaveFile.Write(MediaStand.Tone(0.5, channels: 2));
        List<(string, byte[])> plain =
        [
            ("a.png", MediaStand.Encode(picture, MagickFormat.Png)),
            ("b.png", MediaStand.Encode(picture, MagickFormat.Png8)),
            ("a.jpg", MediaStand.Encode(picture, MagickFormat.Jpeg)),
            ("b.jpg", MediaStand.Encode(picture, MagickFormat.Pjpeg)),
            ("a.webp", MediaStand.Encode(picture, MagickFormat.WebP)),
            ("b.webp", MediaStand.Encode(picture, MagickFormat.WebP, image => image.Settings.SetDefine(MagickFormat.WebP, "lossless", "true"))),
            ("c.webp", (await stand.PlainWriter.WriteAsync(clip, MediaStand.Mark, Token)).Bytes.ToArray()),
            ("a.gif", MediaStand.Encode(picture, MagickFormat.Gif)),
            ("b.gif", (await MediaWriter.AnimationAsync(clip, MediaFormat.Gif, MediaStand.Mark, Token)).Bytes.ToArray()),
            ("a.wav", wave),
        ];
        return
        [
            .. plain,
            ("a.mp4", mp4),
            ("a.mp3", MediaStand.Ffmpeg(wave, "-c:a", "libmp3lame", "-f", "mp3")),
            .. plain,
            ("a.ogg", MediaStand.Ffmpeg(wave, "-c:a", "libvorbis", "-f", "ogg")),
            ("a.flac", MediaStand.Ffmpeg(wave, "-c:a", "flac", "-f", "flac")),
            .. plain,
            ("a.webm", MediaStand.Ffmpeg(mp4, "-c:v", "libvpx", "-f", "webm")),
            ("a.m4a", MediaStand.Ffmpeg(wave, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "ipod")),
        ];
    }

    private static byte[] Bomb(string kind)
    {
        var gif = MediaStand.Encode(MediaStand.Gradient(32, 32), MagickFormat.Gif);
        var head = 13 + (3 << ((gif[10] & 7) + 1));
        byte[] frame = [0x21, 0xF9, 4, 0, 100, 0, 0, 0, 0x2C, 0, 0, 0, 0, 32, 0, 32, 0, 0, 2, 1, 0x44, 0];
        switch (kind)
        {
            case "endless gif":
                return [.. gif[..head], .. Enumerable.Repeat<byte[]>([0x21, 0xFE, 1, 0x61, 0], 200_000).SelectMany(b => b)];
            case "gif of thousands of frames":
                return [.. gif[..head], .. Enumerable.Repeat(frame, 20_000).SelectMany(b => b), 0x3B];
            case "png of 400 megapixels":
                return MediaStand.PngClaiming(20_000, 20_000);
            case "png of 1 x 12000":
                return MediaStand.PngClaiming(1, 12_000);
            case "png that unpacks to nothing":
                return MediaStand.PngClaiming(6_000, 6_000);
            case "png text bomb":
                return PngWithTextBomb()[..^12];   // and without its end
            case "jpeg of thousands of scans":
                var jpeg = MediaStand.Encode(MediaStand.Gradient(64, 64), MagickFormat.Pjpeg);
                var scan = jpeg.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
                return [.. jpeg[..scan], .. Enumerable.Repeat(jpeg[scan..^2], 5_000).SelectMany(b => b), 0xFF, 0xD9];
            case "webp of thousands of frames":
                var still = MediaStand.Encode(MediaStand.Gradient(16, 16), MagickFormat.WebP)[12..];
                byte[] one = [.. "ANMF"u8, .. BitConverter.GetBytes(16 + still.Length), .. new byte[6], 15, 0, 0, 15, 0, 0, 255, 0, 0, 0, .. still];
                return Riff([.. "VP8X"u8, 10, 0, 0, 0, 2, 0, 0, 0, 15, 0, 0, 15, 0, 0, .. Enumerable.Repeat(one, 20_000).SelectMany(b => b)]);
            case "webp within webp":
                byte[] nested = [.. "VP8L"u8, 1, 0, 0, 0, 0x2F, 0];
                for (var i = 0; i < 2_000; i++)
                {
                    nested = [.. "ANMF"u8, .. BitConverter.GetBytes(16 + nested.Length), .. new byte[16], .. nested];
                }

                return Riff([.. "VP8X"u8, 10, 0, 0, 0, 2, 0, 0, 0, 31, 0, 0, 31, 0, 0, .. nested]);
            case "mp4 of boxes within boxes":
                return Iso(Enumerable.Range(0, 5_000).Aggregate(Array.Empty<byte>(), (inside, i) => Box(i % 2 == 0 ? "trak" : "mdia", inside)));
            case "mp4 with a table of 4 billion entries":
                return Iso(Box("trak", Box("mdia", Box("minf", Box("stbl", Box("stco", [0, 0, 0, 0, 255, 255, 255, 255]))))));
            default:
                var wave = WaveFile.Write(MediaStand.Tone(0.5));
                BinaryPrimitives.WriteUInt32LittleEndian(wave.AsSpan(40), 0x7000_0000);
                return wave;
        }
    }

    private static byte[] Riff(byte[] chunks) => [.. "RIFF"u8, .. BitConverter.GetBytes(chunks.Length + 4), .. "WEBP"u8, .. chunks];

    private static byte[] Box(string type, byte[] inside)
    {
        var box = new byte[8 + inside.Length];
        BinaryPrimitives.WriteInt32BigEndian(box, box.Length);
        Encoding.ASCII.GetBytes(type).CopyTo(box, 4);
        inside.CopyTo(box, 8);
        return box;
    }

    /// <summary>An MP4 whose index comes last, so that it must be gone through.</summary>
    private static byte[] Iso(byte[] inMoov) =>
        [.. Box("ftyp", [.. "isom"u8, 0, 0, 0, 0]), .. Box("mdat", new byte[64]), .. Box("moov", inMoov)];

    private static byte[] PngWithTextBomb()
    {
        var png = MediaStand.Encode(MediaStand.Gradient(32, 32), MagickFormat.Png);
        using var packed = new MemoryStream();
        using (var zlib = new System.IO.Compression.ZLibStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 256; i++)
            {
                zlib.Write(zeros);
            }
        }

        byte[] body = [.. "zTXtcomment\0\0"u8, .. packed.ToArray()];
        var crc = Crc(body);
        return [.. png[..33], .. BigEndian(body.Length - 4), .. body, .. BigEndian((int)crc), .. png[33..]];
    }

    private static byte[] BigEndian(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
