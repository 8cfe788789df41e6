using NextGpt.Media;
using NextGpt.Model.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Encoders;

public sealed class MediaPreparationTests
{
    private static readonly MediaPreparation Huge = new(ImageBindConfig.Huge);

    [Theory]
    [InlineData("landscape")]
    [InlineData("portrait")]
    [InlineData("upsample")]
    public void A_picture_is_scaled_and_cut_byte_for_byte_as_the_reference(string name)
    {
        using var golden = GoldenFixture.Open("clip_image_preprocess");
        var picture = PictureOf(golden, $"in.{name}.rgb");

        var crop = BicubicCrop.Of(picture, 224);

        Assert.Equal(golden.Integers($"out.{name}.crop_uint8"), crop.Select(value => (long)value));
    }

    [Theory]
    [InlineData("landscape")]
    [InlineData("portrait")]
    [InlineData("upsample")]
    public void A_pictures_colours_are_normalised_as_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("clip_image_preprocess");

        var prepared = Huge.Prepare((Medium)PictureOf(golden, $"in.{name}.rgb"));

        Assert.Equal([1, 3, 224, 224], prepared.shape);
        golden.AssertClose($"out.{name}.normalised_every7", prepared[0][.., TensorIndex.Slice(null, null, 7), TensorIndex.Slice(null, null, 7)]);
    }

    [Fact]
    public void A_picture_of_the_right_size_keeps_its_bytes()
    {
        var picture = Noise(64, 64, 3);

        Assert.Equal(picture.Pixels, BicubicCrop.Of(picture, 64));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4_000)]
    [InlineData(4_000, 1)]
    [InlineData(37, 1_001)]
    [InlineData(65, 64)]
    [InlineData(2, 3)]
    public void Pictures_of_any_shape_and_size_keep_a_plain_colour(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        for (var at = 0; at < pixels.Length; at++)
        {
            pixels[at] = (byte)(at % 3 == 0 ? 250 : at % 3 == 1 ? 3 : 117);
        }

        var crop = BicubicCrop.Of(new Picture(width, height, pixels), 30);

        for (var at = 0; at < crop.Length; at += 3)
        {
            Assert.Equal([250, 3, 117], crop.AsSpan(at, 3).ToArray());
        }
    }

    [Theory]
    [InlineData("two_seconds")]
    [InlineData("short")]
    [InlineData("long_stereo")]
    public void The_bands_of_a_sound_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("imagebind_audio_fbank");
        var sound = SoundOf(golden, $"in.{name}.pcm16");
        var mean = (float)sound.Channels.SelectMany(channel => channel).Average(sample => (double)sample);
        var bands = new float[128 * 204];

        new KaldiFilterbank(16_000, 128).Spectrogram(sound.Channels[0], mean, bands, 204);

        golden.AssertClose($"out.{name}.mel", tensor(bands, [1, 128, 204]));
    }

    [Fact]
    public void Power_and_triangles_behind_the_bands_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("imagebind_audio_fbank");
        var samples = SoundOf(golden, "in.two_seconds.pcm16").Channels[0];
        var filterbank = new KaldiFilterbank(16_000, 128);

        var power = filterbank.PowerOf(samples.AsSpan(1_600), samples.Average());

        golden.AssertClose("mid.two_seconds.power_frame10", tensor(power));
        golden.AssertClose("mid.mel_bank_nonzero_sum", tensor(filterbank.BandSums()));
    }

    [Theory]
    [InlineData("two_seconds")]
    [InlineData("short")]
    public void A_sound_not_longer_than_a_piece_is_heard_three_times_the_same(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("imagebind_audio_fbank");

        var prepared = Huge.Prepare((Medium)SoundOf(golden, $"in.{name}.pcm16"));

        Assert.Equal([1, 3, 1, 128, 204], prepared.shape);
        for (var piece = 0; piece < 3; piece++)
        {
            golden.AssertClose($"out.{name}.normalised", prepared[0, piece]);
        }
    }

    [Fact]
    public void A_longer_sound_is_cut_where_the_reference_cuts_it()
    {
        using var scope = NewDisposeScope();
        var random = new Random(3);
        float[] samples = [.. Enumerable.Range(0, 113_968).Select(_ => (float)(random.NextDouble() - 0.5))];   // 7.123 s
        var whole = new AudioClip { Channels = [samples], SampleRateHz = 16_000 };

        var prepared = Huge.Prepare(whole);

        int[] starts = [0, 40_984, 81_968];   // 0, 2.5615 and 5.123 s
        for (var piece = 0; piece < 3; piece++)
        {
            var alone = whole with { Channels = [samples[starts[piece]..(starts[piece] + 32_000)]] };
            Assert.True(prepared[0, piece].equal(Huge.Prepare(alone)[0, 0]).all().item<bool>());
        }
    }

    [Fact]
    public void A_sound_too_short_for_one_frame_is_silence_and_none_at_all_is_refused()
    {
        using var scope = NewDisposeScope();

        var prepared = Huge.Prepare(new AudioClip { Channels = [new float[10]], SampleRateHz = 16_000 });

        Assert.Equal(4.268f / 9.138f, prepared.max().item<float>(), 5);
        Assert.Equal(4.268f / 9.138f, prepared.min().item<float>(), 5);
        var refusal = Assert.Throws<ArgumentException>(() => Huge.Prepare(new AudioClip { Channels = [[]], SampleRateHz = 16_000 }));
        Assert.Contains("no sample", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pieces_start_where_the_reference_starts_them()
    {
        using var golden = GoldenFixture.Open("imagebind_clip_times");
        var cases = golden.Config.GetProperty("cases").EnumerateArray().ToList();

        Assert.Equal(18, cases.Count);
        foreach (var entry in cases)
        {
            var starts = ClipTimes.Starts(
                entry.GetProperty("duration").GetDouble(), entry.GetProperty("clip_duration").GetDouble(),
                entry.GetProperty("clips_per_video").GetInt32());

            double[] expected = [.. entry.GetProperty("starts").EnumerateArray().Select(start => start.GetDouble())];
            Assert.Equal(expected.Length, starts.Length);
            Assert.All(starts.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 6));
        }
    }

    [Theory]
    [InlineData("landscape")]
    [InlineData("portrait")]
    public void A_clips_frames_are_chosen_scaled_and_cut_as_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("imagebind_video_preprocess");
        var vision = ImageBindConfig.Huge.Vision! with { ImageSize = 32, PatchSize = 8, ClipsPerVideo = 1 };
        var preparation = new MediaPreparation(new ImageBindConfig { Vision = vision });

        var prepared = preparation.Prepare((Medium)ClipOf(golden, $"in.{name}.clip"));

        Assert.Equal([1, 3, 3, 2, 32, 32], prepared.shape);
        golden.AssertClose($"out.{name}.crops", prepared[0]);
    }

    [Fact]
    public void Pieces_of_a_clip_follow_each_other_with_their_crops_side_by_side()
    {
        using var scope = NewDisposeScope();
        var clip = new VideoClip { Frames = [.. Enumerable.Range(0, 40).Select(frame => Plain(90, 60, frame * 6))], FramesPerSecond = 4 };

        var prepared = Huge.Prepare(clip);

        Assert.Equal([1, 15, 3, 2, 224, 224], prepared.shape);
        var mean = ImageBindConfig.Huge.Vision!.Mean.Red;
        var deviation = ImageBindConfig.Huge.Vision.Deviation.Red;
        for (var view = 0; view < 15; view++)
        {
            var first = view / 3 * 8;   // 2 s of 4 frames each; the pieces of a 10 s clip do not overlap
            Assert.Equal(((first * 6 / 255f) - mean) / deviation, prepared[0, view, 0, 0, 100, 100].item<float>(), 4);
            Assert.Equal((((first + 7) * 6 / 255f) - mean) / deviation, prepared[0, view, 0, 1, 100, 100].item<float>(), 4);
        }
    }

    [Fact]
    public void A_small_encoders_numbers_set_every_size()
    {
        using var scope = NewDisposeScope();
        var preparation = new MediaPreparation(new ImageBindConfig
        {
            Vision = ImageBindConfig.Huge.Vision! with { ImageSize = 64, PatchSize = 8, FramesPerClip = 16, ClipsPerVideo = 1, CropsPerClip = 1 },
            Audio = ImageBindConfig.Huge.Audio! with { MelBins = 64, TargetFrames = 398, ClipsPerSound = 1, ClipSeconds = 4 },
        });
        var clip = new VideoClip { Frames = [.. Enumerable.Range(0, 16).Select(frame => Plain(64, 64, frame * 10))], FramesPerSecond = 8 };

        Assert.Equal([1, 3, 64, 64], preparation.Prepare(Noise(100, 80, 1)).shape);
        Assert.Equal([1, 1, 1, 64, 398], preparation.Prepare(new AudioClip { Channels = [new float[64_000]], SampleRateHz = 16_000 }).shape);
        var frames = preparation.Prepare(clip);
        Assert.Equal([1, 1, 3, 16, 64, 64], frames.shape);
        var levels = frames[0, 0, 2, .., 5, 5].data<float>().ToArray();
        Assert.Equal(16, levels.Distinct().Count());   // every frame once, in order
        Assert.Equal(levels.Order(), levels);
    }

    [Theory]
    [InlineData(1, 2, new[] { 0, 0 })]
    [InlineData(5, 2, new[] { 0, 4 })]
    [InlineData(6, 4, new[] { 0, 1, 3, 5 })]
    [InlineData(3, 5, new[] { 0, 0, 1, 1, 2 })]
    [InlineData(9, 1, new[] { 0 })]
    public void Frames_are_chosen_evenly_and_cut_to_whole_numbers(int count, int chosen, int[] expected) =>
        Assert.Equal(expected, ClipTimes.Evenly(count, chosen));

    [Fact]
    public void Media_without_a_tower_and_clips_of_mixed_sizes_are_refused_in_a_sentence()
    {
        var deaf = new MediaPreparation(ImageBindConfig.Huge with { Audio = null });
        var mixed = new VideoClip { Frames = [Plain(20, 20, 1), Plain(20, 21, 1)], FramesPerSecond = 1 };

        var sound = Assert.Throws<ArgumentException>(() => deaf.Prepare(new AudioClip { Channels = [[0f]], SampleRateHz = 8_000 }));
        var clip = Assert.Throws<ArgumentException>(() => Huge.Prepare(mixed));
        var empty = Assert.Throws<ArgumentException>(() => Huge.Prepare(new VideoClip { Frames = [], FramesPerSecond = 1 }));

        Assert.Contains("no tower for sounds", sound.Message, StringComparison.Ordinal);
        Assert.Contains("20 x 21", clip.Message, StringComparison.Ordinal);
        Assert.Contains("no frame", empty.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 10_000_000)]
    [InlineData(10_000_000, 1)]
    public void A_line_of_pixels_as_long_as_a_file_may_hold_is_a_picture_and_a_frame_like_any_other(int width, int height)
    {
        using var scope = NewDisposeScope();
        var line = Plain(width, height, 255);
        var white = (1 - ImageBindConfig.Huge.Vision!.Mean.Red) / ImageBindConfig.Huge.Vision.Deviation.Red;

        var picture = Huge.Prepare(line);
        var clip = Huge.Prepare(new VideoClip { Frames = [line], FramesPerSecond = 1 });

        Assert.Equal(white, picture[0, 0].min().item<float>(), 4);
        Assert.Equal(white, clip[0, .., 0].min().item<float>(), 4);
    }

    [Fact]
    public void Preparing_leaves_one_tensor_in_the_callers_scope()
    {
        using var scope = NewDisposeScope();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        _ = Huge.Prepare(Noise(300, 200, 9));

        Assert.Equal(before + 1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static Picture PictureOf(GoldenFixture golden, string name) => new(
        (int)golden.Io.Tensors[name].Shape[1], (int)golden.Io.Tensors[name].Shape[0],
        [.. golden.Integers(name).Select(value => (byte)value)]);

    private static AudioClip SoundOf(GoldenFixture golden, string name) => new()
    {
        Channels = [.. golden.Integers(name).Chunk((int)golden.Io.Tensors[name].Shape[1])
            .Select(channel => channel.Select(sample => sample / 32_768f).ToArray())],
        SampleRateHz = 16_000,
    };

    // [3, frames, height, width] to frames of interleaved pixels, shown within one piece of 2 s
    private static VideoClip ClipOf(GoldenFixture golden, string name)
    {
        var shape = golden.Io.Tensors[name].Shape;
        var (frames, height, width) = ((int)shape[1], (int)shape[2], (int)shape[3]);
        var values = golden.Integers(name);
        return new VideoClip
        {
            FramesPerSecond = frames / 2.0,
            Frames = [.. Enumerable.Range(0, frames).Select(frame => new Picture(
                width, height,
                [.. Enumerable.Range(0, height * width).SelectMany(pixel => Enumerable.Range(0, 3)
                    .Select(colour => (byte)values[(((colour * frames) + frame) * height * width) + pixel]))]))],
        };
    }

    private static Picture Plain(int width, int height, int level)
    {
        var pixels = new byte[3 * width * height];
        Array.Fill(pixels, (byte)level);
        return new Picture(width, height, pixels);
    }

    private static Picture Noise(int width, int height, int seed)
    {
        var pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }
}
