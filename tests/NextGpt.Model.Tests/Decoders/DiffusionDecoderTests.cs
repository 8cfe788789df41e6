using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders;

/// <summary>The one way in which the assembled model, training and services reach all three diffusion models.</summary>
public sealed class DiffusionDecoderTests : IDisposable
{
    private readonly TinyDecoders _tiny = new();

    public static TheoryData<MediaKind> Kinds => [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_seed_gives_the_same_bytes_also_after_off_loading_and_another_seed_others(MediaKind kind)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));
        var (condition, negative) = Conditions(decoder);

        var first = Numbers(decoder.Render(condition, negative, Options(7)));
        decoder.OffLoad();
        Assert.False(decoder.IsLoaded);
        var second = Numbers(decoder.Render(condition, negative, Options(7)));

        Assert.Equal(first, second);
        Assert.NotEqual(first, Numbers(decoder.Render(condition, negative, Options(8))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Opening_a_folder_reads_no_weights_yet_tells_kind_and_conditioning(MediaKind kind)
    {
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));

        Assert.False(decoder.IsLoaded);
        Assert.Equal(kind, decoder.Kind);
        Assert.Equal(kind == MediaKind.Audio ? [12] : [TinyDecoders.Tokens, TinyDecoders.Width], decoder.ConditioningShape);
        decoder.LoadNetworks();
        Assert.True(decoder.IsLoaded);
    }

    [Fact]
    public void Media_have_the_size_length_and_pace_that_was_asked_for()
    {
        using var scope = NewDisposeScope();
        using var pictures = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image));
        using var sounds = DiffusionDecoder.Load(_tiny.Write(MediaKind.Audio));
        using var clips = DiffusionDecoder.Load(_tiny.Write(MediaKind.Video));

        var picture = Assert.IsType<Picture>(Draw(pictures, Options(1) with { Width = 14, Height = 10 }));
        Assert.Equal((14, 10), (picture.Width, picture.Height));
        var trained = Assert.IsType<Picture>(Draw(pictures, Options(1)));
        Assert.Equal((8, 8), (trained.Width, trained.Height));

        var sound = Assert.IsType<AudioClip>(Draw(sounds, Options(1) with { Seconds = 0.0123 }));
        Assert.Equal((16_000, 1, 196), (sound.SampleRateHz, sound.Channels.Count, sound.Length));
        Assert.All(sound.Channels[0], sample => Assert.InRange(sample, -1, 1));

        var clip = Assert.IsType<VideoClip>(Draw(clips, Options(1) with { Frames = 5, FramesPerSecond = 4, Width = 12, Height = 6 }));
        Assert.Equal((5, 4.0), (clip.Frames.Count, clip.FramesPerSecond));
        Assert.All(clip.Frames, frame => Assert.Equal((12, 6), (frame.Width, frame.Height)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_batch_gives_every_row_what_its_seed_gives_alone(MediaKind kind)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));
        var (condition, negative) = Conditions(decoder);

        var both = decoder.Render(cat([condition, condition]), negative, Options(3) with { Seeds = [3, 4] });
        var second = Numbers(decoder.Render(condition, negative, Options(4)));

        Assert.Equal(2, both.Count);
        var largest = Numbers([both[1]]).Zip(second, (one, other) => Math.Abs(one - other)).Max();
        Assert.InRange(largest, 0, kind == MediaKind.Audio ? 1e-3 : 1);   // products of other sizes round otherwise
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_stopped_request_stops_within_one_step_and_the_next_one_runs(MediaKind kind)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));
        var (condition, negative) = Conditions(decoder);
        using var stop = new CancellationTokenSource();
        var reports = new Reports(_ => stop.Cancel());

        Assert.Throws<OperationCanceledException>(() =>
            decoder.Render(condition, negative, Options(1) with { Steps = 20 }, reports, stop.Token));

        Assert.Single(reports.Shares);
        Assert.Single(decoder.Render(condition, negative, Options(1), null, CancellationToken.None));
    }

    [Fact]
    public void Progress_rises_with_every_step_and_ends_at_one()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image));
        var (condition, negative) = Conditions(decoder);
        var reports = new Reports();

        decoder.Render(condition, negative, Options(1) with { Steps = 4 }, reports);

        Assert.Equal([0.2, 0.4, 0.6, 0.8, 1.0], reports.Shares.Select(share => Math.Round(share, 6)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Words_become_a_conditioning_and_the_empty_text_is_what_guidance_leads_away_from(MediaKind kind)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));

        var two = decoder.Encode(["ab ca", "A  CA"]);
        var empty = decoder.Encode([string.Empty]);

        Assert.Equal([2, .. decoder.ConditioningShape], two.shape);
        Assert.False(allclose(two.narrow(0, 0, 1), two.narrow(0, 1, 1)));
        Assert.False(allclose(two.narrow(0, 0, 1), empty));
        var condition = two.narrow(0, 0, 1);
        Assert.Equal(
            Numbers(decoder.Render(condition, empty, Options(1))), Numbers(decoder.Render(condition, null, Options(1))));
        Assert.NotEqual(
            Numbers(decoder.Render(condition, null, Options(1))),
            Numbers(decoder.Render(condition, null, Options(1) with { Guidance = 1 })));
    }

    [Fact]
    public void The_vector_of_a_caption_of_a_sound_has_length_one_and_does_not_depend_on_its_batch()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Audio));

        var both = decoder.Encode(["rain", "a dog barks far away"]);

        Assert.True(allclose(both.norm(1), ones(2), 1e-5, 1e-5));
        Assert.True(allclose(both.narrow(0, 0, 1), decoder.Encode(["rain"]), 1e-4, 1e-5));
    }

    [Fact]
    public void A_picture_network_whose_words_also_enter_by_way_of_the_time_embedding_draws_pictures()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image, classFromContext: true));

        Assert.Equal(MediaKind.Image, decoder.Kind);
        Assert.IsType<Picture>(Assert.Single(decoder.Render(decoder.Encode(["ab"]), null, Options(1))));
    }

    [Fact]
    public void Without_a_text_encoder_words_and_guidance_towards_nothing_are_refused_in_a_sentence()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image, text: false));
        var condition = randn(1, 77, TinyDecoders.Width);

        Assert.False(decoder.ReadsText);
        Assert.Contains(
            "words cannot be drawn", Assert.Throws<InvalidOperationException>(() => decoder.Encode(["a"])).Message);
        Assert.Contains(
            "set the guidance to 1",
            Assert.Throws<ArgumentException>(() => decoder.Render(condition, null, Options(1))).Message);
        Assert.Single(decoder.Render(condition, null, Options(1) with { Guidance = 1 }));
    }

    [Theory]
    [InlineData(SamplerKind.DpmSolver)]
    [InlineData(SamplerKind.Pndm)]
    [InlineData(SamplerKind.Ddpm)]
    public void The_sampler_can_be_chosen_and_stays_reproducible(SamplerKind sampler)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image));
        var (condition, negative) = Conditions(decoder);
        var options = Options(5) with { Sampler = sampler };

        var chosen = Numbers(decoder.Render(condition, negative, options));

        Assert.NotEqual(Numbers(decoder.Render(condition, negative, Options(5))), chosen);
        Assert.Equal(chosen, Numbers(decoder.Render(condition, negative, options)));
    }

    [Fact]
    public void Euler_and_the_deterministic_sampler_of_the_folder_are_one_method_in_two_guises()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image));
        var (condition, negative) = Conditions(decoder);

        var euler = Numbers(decoder.Render(condition, negative, Options(5) with { Sampler = SamplerKind.Euler }));

        Assert.All(
            Numbers(decoder.Render(condition, negative, Options(5))).Zip(euler), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_saved_decoder_gives_the_same_bytes(MediaKind kind)
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(kind));
        var (condition, negative) = Conditions(decoder);
        var folder = _tiny.NewFolder();
        decoder.Save(folder, SafetensorsType.F32);
        using var again = DiffusionDecoder.Load(folder);

        Assert.Equal(decoder.ReadsText, again.ReadsText);
        Assert.Equal(
            Numbers(decoder.Render(condition, negative, Options(2))), Numbers(again.Render(condition, negative, Options(2))));
        if (decoder.ReadsText)
        {
            Assert.True(decoder.Encode(["ab"]).equal(again.Encode(["ab"])).all().item<bool>());
        }
    }

    [Fact]
    public void Rendering_leaves_no_tensor_behind_and_off_loading_frees_the_weights()
    {
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Video));
        var empty = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Render();
        var loaded = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Render();

        Assert.True(loaded > empty);
        Assert.Equal(loaded, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        decoder.OffLoad();
        Assert.Equal(empty, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Render()
        {
            using var scope = NewDisposeScope();
            decoder.Render(decoder.Encode(["ab"]), null, Options(1));
        }
    }

    [Fact]
    public void What_is_not_possible_is_refused_in_a_sentence()
    {
        using var scope = NewDisposeScope();
        using var decoder = DiffusionDecoder.Load(_tiny.Write(MediaKind.Image));
        var (condition, negative) = Conditions(decoder);

        Assert.Contains("takes [1, 8, 16]", Refused(() => decoder.Render(randn(1, 8, 15), negative, Options(1))));
        Assert.Contains("one row per seed", Refused(() => decoder.Render(cat([condition, condition]), negative, Options(1))));
        Assert.Contains("steps of 2", Refused(() => decoder.Render(condition, negative, Options(1) with { Width = 9 })));
        Assert.Contains("0 denoising steps", Refused(() => decoder.Render(condition, negative, Options(1) with { Steps = 0 })));
        Assert.Contains("5000 width", Refused(() => decoder.Render(condition, negative, Options(1) with { Width = 5_000 })));
        Assert.Contains("NaN guidance", Refused(() => decoder.Render(condition, negative, Options(1) with { Guidance = double.NaN })));
        Assert.Contains(
            "needs as many", Refused(() => decoder.Render(randn(1, 5, TinyDecoders.Width), null, Options(1))));
    }

    [Fact]
    public void A_folder_without_a_part_or_of_another_model_is_refused_by_name()
    {
        var folder = _tiny.Write(MediaKind.Audio);
        File.Delete(Path.Combine(folder, "vocoder", "config.json"));
        Assert.Contains(
            "lacks vocoder/config.json", Assert.Throws<InvalidDataException>(() => DiffusionDecoder.Load(folder)).Message);

        var other = _tiny.Write(MediaKind.Image);
        File.WriteAllText(Path.Combine(other, "model_index.json"), """{"_class_name": "StableDiffusionXLPipeline"}""");
        Assert.Contains(
            "StableDiffusionXLPipeline, which is not supported",
            Assert.Throws<InvalidDataException>(() => DiffusionDecoder.Load(other)).Message);
    }

    private static RenderOptions Options(long seed) => new()
    {
        Seeds = [seed],
        Steps = 3,
        Guidance = 3,
        Seconds = 0.01,
        Frames = 2,
    };

    private static Medium Draw(DiffusionDecoder decoder, RenderOptions options)
    {
        var (condition, negative) = Conditions(decoder);
        return Assert.Single(decoder.Render(condition, negative, options));
    }

    private static (Tensor Condition, Tensor Negative) Conditions(DiffusionDecoder decoder)
    {
        using var generator = new Generator(5);
        long[] shape = [1, .. decoder.ConditioningShape];
        return (randn(shape, generator: generator), randn(shape, generator: generator));
    }

    private static string Refused(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static double[] Numbers(IReadOnlyList<Medium> media) => Assert.Single(media) switch
    {
        Picture picture => [.. picture.Pixels.Select(value => (double)value)],
        VideoClip clip => [.. clip.Frames.SelectMany(frame => frame.Pixels).Select(value => (double)value)],
        AudioClip sound => [.. sound.Channels[0].Select(value => (double)value)],
        _ => [],
    };

    private sealed class Reports(Action<double>? then = null) : IProgress<double>
    {
        internal List<double> Shares { get; } = [];

        public void Report(double value)
        {
            Shares.Add(value);
            then?.Invoke(value);
        }
    }
}
