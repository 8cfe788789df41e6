using System.Buffers.Binary;
using ImageMagick;

namespace NextGpt.Media.Tests;

public sealed class ClipReadingTests(MediaStand stand) : IClassFixture<MediaStand>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("webp", 80)]
    [InlineData("gif", 700)]   // 256 colours, dithered
    [InlineData("mp4", 200)]   // colour at half resolution
    public async Task A_written_clip_is_read_back_with_its_frames_and_pace(string format, double distance)
    {
        var clip = MediaStand.Clip(frames: 12, pace: 8);
        var file = format switch
        {
            "mp4" => await stand.Writer.WriteAsync(clip, MediaStand.Mark, Token),
            "webp" => await stand.PlainWriter.WriteAsync(clip, MediaStand.Mark, Token),
            _ => await MediaWriter.AnimationAsync(clip, MediaFormat.Gif, MediaStand.Mark, Token),
        };

        var read = await stand.Reader.ReadAsync(file.Bytes, cancellationToken: Token);

        Assert.Equal(MediaKind.Video, file.Kind);
        Assert.Equal(format, file.Format.Extension);
        var back = Assert.IsType<VideoClip>(read.Medium);
        Assert.Equal(clip.Duration.TotalSeconds, back.Duration.TotalSeconds, 0.021);
        Assert.Null(read.Notice);
        for (var i = 0; i < clip.Frames.Count; i++)
        {
            var at = (int)((i + 0.5) / clip.FramesPerSecond * back.FramesPerSecond);
            Assert.InRange(MediaStand.Distance(clip.Frames[i], back.Frames[at]), 0, distance);
        }
    }

    [Theory]
    [InlineData(MagickFormat.Gif)]
    [InlineData(MagickFormat.WebP)]
    public async Task Frames_that_change_a_part_of_the_canvas_are_laid_over_one_another(MagickFormat format)
    {
        using var images = Layered();
        var file = images.ToByteArray(format);
        using var expected = Layered();   // of the layers themselves: ImageMagick reads a WebP frame that does not blend as if it did
        expected.Coalesce();

        var read = await stand.Reader.ReadAsync(file, cancellationToken: Token);

        var clip = Assert.IsType<VideoClip>(read.Medium);
        Assert.Equal(expected.Count, clip.Frames.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            expected[i].BackgroundColor = MagickColors.White;
            expected[i].Alpha(AlphaAction.Remove);
            using var pixels = expected[i].GetPixels();
            var picture = new Picture(48, 40, pixels.ToByteArray(PixelMapping.RGB)!);
            Assert.InRange(MediaStand.Distance(picture, clip.Frames[i]), 0, 1);
        }
    }

    [Fact]
    public async Task Frames_of_different_length_become_an_even_pace()
    {
        using var images = Layered();
        (images[0].AnimationDelay, images[1].AnimationDelay, images[2].AnimationDelay, images[3].AnimationDelay) = (10, 30, 20, 10);

        var read = await stand.Reader.ReadAsync(images.ToByteArray(MagickFormat.Gif), cancellationToken: Token);

        var clip = Assert.IsType<VideoClip>(read.Medium);
        Assert.Equal(10, clip.FramesPerSecond, 6);
        Assert.Equal(7, clip.Frames.Count);
        Assert.Same(clip.Frames[1], clip.Frames[3]);
        Assert.NotSame(clip.Frames[3], clip.Frames[4]);
    }

    [Fact]
    public async Task A_clip_of_many_frames_is_thinned_out_evenly_and_says_so()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { MaxClipFrames = 10 });
        var clip = MediaStand.Clip(frames: 40, pace: 20);
        var webp = await stand.PlainWriter.WriteAsync(clip, MediaStand.Mark, Token);
        var mp4 = await stand.Writer.WriteAsync(clip, MediaStand.Mark, Token);
        foreach (var file in new[] { webp, mp4 })
        {
            var read = await reader.ReadAsync(file.Bytes, cancellationToken: Token);

            var back = Assert.IsType<VideoClip>(read.Medium);
            Assert.Equal(10, back.Frames.Count);
            Assert.Equal(2, back.Duration.TotalSeconds, 0.05);
            Assert.Equal("Of its 40 frames 10 are used, evenly in time.", read.Notice);
        }
    }

    [Fact]
    public async Task A_large_clip_is_kept_within_its_memory_and_says_so()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { MaxClipMegabytes = 16, DecodeTimeout = TimeSpan.FromMinutes(2) });
        var clip = MediaStand.Clip(frames: 40, pace: 20, width: 1_280, height: 720);
        var file = await stand.Writer.WriteAsync(clip, MediaStand.Mark, Token);

        var read = await reader.ReadAsync(file.Bytes, cancellationToken: Token);

        var back = Assert.IsType<VideoClip>(read.Medium);
        Assert.InRange(back.Frames.Sum(frame => (long)frame.Pixels.Length), 8L << 20, 16L << 20);
        Assert.Matches(@"^Of its 40 frames \d+ are used, evenly in time, at 512 x 288 px\.$", read.Notice);
    }

    [Fact]
    public async Task An_mp4_with_its_index_at_the_end_a_webm_and_a_turned_clip_are_read()
    {
        var mp4 = (await stand.Writer.WriteAsync(MediaStand.Clip(), MediaStand.Mark, Token)).Bytes.ToArray();
        var last = IndexLast(mp4);
        var webm = MediaStand.Ffmpeg(mp4, "-c:v", "libvpx-vp9", "-f", "webm");
        var turned = MediaStand.Ffmpeg(mp4, "-c", "copy", "-metadata:s:v:0", "rotate=90", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4");

        var clips = new List<VideoClip>();
        foreach (var file in new[] { mp4, last, webm, turned })
        {
            clips.Add(Assert.IsType<VideoClip>((await stand.Reader.ReadAsync(file, cancellationToken: Token)).Medium));
        }

        Assert.All(clips, clip => Assert.Equal(12, clip.Frames.Count));
        Assert.All(clips[0].Frames.Zip(clips[1].Frames), pair => Assert.Equal(0, MediaStand.Distance(pair.First, pair.Second)));
        Assert.Equal((48, 64), (clips[3].Frames[0].Width, clips[3].Frames[0].Height));
    }

    [Fact]
    public async Task THR_8_An_mp4_that_ends_early_is_told_how_much_of_it_came()
    {
        var file = (await stand.Writer.WriteAsync(MediaStand.Clip(), mark: null, Token)).Bytes;

        var refusal = await Assert.ThrowsAsync<MediaException>(
            () => stand.Reader.ReadAsync(file[..(file.Length * 2 / 3)], "clip.mp4", Token));

        Assert.Equal(MediaProblem.Corrupt, refusal.Problem);
        Assert.Matches(@"^clip\.mp4 ends after [\d.]+ kB of [\d.]+ kB; upload it again\.$", refusal.Message);
    }

    [Fact]
    public async Task What_is_too_long_too_fast_or_too_large_is_refused_by_what_is_in_it_not_by_its_header()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions
        {
            MaxClip = TimeSpan.FromSeconds(2),
            MaxFramesPerSecond = 30,
            MaxClipSide = 128,
        });
        async Task<MediaException> RefusalAsync(VideoClip clip, MediaWriter writer)
        {
            var file = await writer.WriteAsync(clip, MediaStand.Mark, Token);
            return await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(file.Bytes, cancellationToken: Token));
        }

        foreach (var writer in new[] { stand.Writer, stand.PlainWriter })
        {
            Assert.Equal(MediaProblem.TooLong, (await RefusalAsync(MediaStand.Clip(frames: 25, pace: 10), writer)).Problem);
            Assert.Equal(MediaProblem.TooLong, (await RefusalAsync(MediaStand.Clip(frames: 40, pace: 50), writer)).Problem);
            Assert.Equal(MediaProblem.TooLarge, (await RefusalAsync(MediaStand.Clip(width: 160), writer)).Problem);
        }
    }

    [Fact]
    public async Task Without_ffmpeg_clips_become_animated_webp_and_mp4_is_refused_with_what_to_send()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Ffmpeg = "/nowhere/ffmpeg" });
        var mp4 = await stand.Writer.WriteAsync(MediaStand.Clip(), MediaStand.Mark, Token);

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(mp4.Bytes, cancellationToken: Token));
        var webp = await stand.PlainWriter.WriteAsync(MediaStand.Clip(), MediaStand.Mark, Token);

        Assert.Equal("MP4 (ffmpeg is not installed here) is not supported; send an animated WebP or GIF.", refusal.Message);
        Assert.Equal(MediaFormat.WebP, webp.Format);
        Assert.IsType<VideoClip>((await reader.ReadAsync(webp.Bytes, cancellationToken: Token)).Medium);
    }

    [Fact]
    public async Task A_written_mp4_has_its_index_first_h264_and_no_words_but_the_mark()
    {
        var file = (await stand.Writer.WriteAsync(MediaStand.Clip(width: 65, height: 47), MediaStand.Mark, Token)).Bytes.ToArray();

        Assert.True(file.AsSpan().IndexOf("moov"u8) < file.AsSpan().IndexOf("mdat"u8));
        Assert.True(file.AsSpan().IndexOf("avc1"u8) > 0);
        Assert.True(file.AsSpan().IndexOf("mini+a1"u8) > 0);
        var clip = Assert.IsType<VideoClip>((await stand.Reader.ReadAsync(file, cancellationToken: Token)).Medium);
        Assert.Equal((66, 48), (clip.Frames[0].Width, clip.Frames[0].Height));   // made even, as the encoder asks
    }

    /// <summary>Four frames: a background, two patches with their own places, disposals and holes, and a last one.</summary>
    private static MagickImageCollection Layered()
    {
        var images = new MagickImageCollection();
        (string Colour, int Left, int Top, uint Width, uint Height, GifDisposeMethod Method)[] layers =
        [
            ("#204060", 0, 0, 48, 40, GifDisposeMethod.None),
            ("#c02020", 6, 4, 20, 16, GifDisposeMethod.Previous),
            ("#20c020", 20, 10, 20, 20, GifDisposeMethod.Background),
            ("#d0d020", 2, 30, 12, 8, GifDisposeMethod.None),
        ];
        foreach (var (colour, left, top, width, height, method) in layers)
        {
            var image = new MagickImage(new MagickColor(colour), width, height)
            {
                Page = new MagickGeometry(left, top, 48, 40),
                GifDisposeMethod = method,
                AnimationDelay = 10,
                AnimationTicksPerSecond = 100,
            };
            image.Settings.SetDefine(MagickFormat.WebP, "lossless", "true");
            if (images.Count > 0)
            {
                image.Alpha(AlphaAction.Set);
                using var hole = new MagickImage(MagickColors.Transparent, 4, 4);
                image.Composite(hole, 3, 2, CompositeOperator.Copy);
            }

            images.Add(image);
        }

        return images;
    }

    /// <summary>The same MP4 as a phone writes it: data first, index last, offsets to match.</summary>
    private static byte[] IndexLast(byte[] mp4)
    {
        var at = 0;
        byte[] head = [], index = [], rest = [];
        while (at < mp4.Length)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(mp4.AsSpan(at));
            var box = mp4[at..(at + length)];
            if (box.AsSpan(4, 4).SequenceEqual("ftyp"u8))
            {
                head = box;
            }
            else if (box.AsSpan(4, 4).SequenceEqual("moov"u8))
            {
                index = box;
            }
            else
            {
                rest = [.. rest, .. box];
            }

            at += length;
        }

        // Data moved forward by the length of the index, and the tables know it.
        for (var table = 0; (table = NextTable(index, table)) > 0; table += 4)
        {
            var count = BinaryPrimitives.ReadInt32BigEndian(index.AsSpan(table + 8));
            for (var i = 0; i < count; i++)
            {
                var entry = index.AsSpan(table + 12 + (4 * i));
                BinaryPrimitives.WriteInt32BigEndian(
                    entry, BinaryPrimitives.ReadInt32BigEndian(entry) - index.Length);
            }
        }

        return [.. head, .. rest, .. index];
    }

    private static int NextTable(byte[] index, int from)
    {
        var next = index.AsSpan(from).IndexOf("stco"u8);
        return next < 0 ? -1 : from + next;
    }
}
