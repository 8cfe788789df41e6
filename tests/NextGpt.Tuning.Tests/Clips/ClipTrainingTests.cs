using Microsoft.Extensions.Time.Testing;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Clips;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Clips;

/// <summary>The whole path at toy size on the fixture world: a decoder for pictures that nobody trained becomes one for clips.</summary>
public sealed class ClipTrainingTests : IDisposable
{
    private static readonly UNet2DConditionConfig PictureUNet = MiniPictures.UNet with
    {
        InputChannels = 4,
        OutputChannels = 4,
        LevelChannels = [16, 32],
        Heads = [2, 4],
        ContextSizes = [16, 16],
        ClassSize = 16,
        NormGroups = 8,
        SampleSize = 4,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-clips-").FullName;

    public ClipTrainingTests()
    {
        using var generator = manual_seed(1);
        using var autoencoder = new AutoencoderKL(
            MiniPictures.Autoencoder with { LevelChannels = [8, 8, 8, 8, 8], LatentChannels = 4, NormGroups = 4 });
        autoencoder.Save(At("vae"), SafetensorsType.F32);
        using var unet = new UNet2DCondition(PictureUNet);
        unet.Save(At("pictures/unet"), SafetensorsType.F32);
        var tokenizer = CaptionVocabulary.Learn(FixtureFolder.World.Of(WorldKind.Picture).Select(row => row.Caption), 560);
        tokenizer.Save(At("pictures/tokenizer"));
        using var encoder = new ClipTextEncoder(
            MiniPictures.TextEncoder(tokenizer) with { HiddenSize = 16, IntermediateSize = 32, Layers = 1, Heads = 2 });
        encoder.Save(At("pictures/text_encoder"), SafetensorsType.F32);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void What_was_trained_films_through_the_ordinary_decoder_and_a_seed_gives_the_same_frames()
    {
        Train("clips", 4, resume: false, previews: 1);

        using var decoder = DiffusionDecoder.Load(At("clips"));
        Assert.Equal((MediaKind.Video, true), (decoder.Kind, decoder.ReadsText));
        using var scope = NewDisposeScope();
        var prompt = decoder.Encode(["a red apple bouncing"]);
        var (first, again, other) = (Film(5), Film(5), Film(6));

        Assert.Equal(16, first.Frames.Count);
        Assert.All(first.Frames, frame => Assert.Equal((64, 64), (frame.Width, frame.Height)));
        Assert.Equal(first.Frames.SelectMany(frame => frame.Pixels), again.Frames.SelectMany(frame => frame.Pixels));
        Assert.NotEqual(first.Frames[0].Pixels, other.Frames[0].Pixels);
        Assert.True(File.Exists(At("clips/clips-000004.png")));

        VideoClip Film(long seed) => (VideoClip)decoder.Render(prompt, null, new RenderOptions { Seeds = [seed], Steps = 2, Guidance = 3 })[0];
    }

    [Fact]
    public void Before_its_first_step_it_sees_every_frame_as_the_network_for_pictures_does()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(3);
        using var networks = new ClipNetworks(At("pictures"), CPU, ScalarType.Float32, seed: 2);
        using var picture = UNet2DCondition.Load(At("pictures/unet"));
        var clips = randn([2, 4, 3, 4, 4], generator: generator);
        var context = randn([2, 24, 16], generator: generator);
        var times = tensor(new long[] { 700, 40 });

        var filmed = networks.UNet.call(clips, times, context);
        for (var frame = 0; frame < 3; frame++)
        {
            var drawn = picture.call(clips.select(2, frame), times, context, null);
            Assert.True(allclose(drawn, filmed.select(2, frame), 1e-4, 1e-5), $"frame {frame}");
        }
    }

    [Fact]
    public void Losses_fall_and_layers_over_frames_and_within_them_all_learn()
    {
        Train("learn", 40, resume: false);

        var losses = File.ReadLines(At("learn/progress.jsonl"))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<TrainingProgress>(line)!.Loss).ToList();
        Assert.True(losses[^1] < 0.9 * losses[0], $"Losses went from {losses[0]:0.000} to {losses[^1]:0.000}.");
        using var before = new ClipNetworks(At("pictures"), CPU, ScalarType.Float32, seed: 3);
        using var after = NextGpt.Model.Decoders.TextToVideo.UNet3DCondition.Load(At("learn/unet"));
        var fresh = before.UNet.state_dict();
        var still = after.state_dict().Where(weight => weight.Value.sub(fresh[weight.Key]).abs().max().item<float>() < 1e-4).Select(weight => weight.Key);
        Assert.Empty(still);
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bytes_as_an_unbroken_one_and_reads_its_latents_again()
    {
        Train("whole", 6, resume: false);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Trainer("broken", 6, 0, new StopAtStep(stop)).Train(false, stop.Token));
        var made = File.GetLastWriteTimeUtc(At("broken/latents.safetensors"));
        Train("broken", 6, resume: true);

        Assert.Equal(File.ReadAllBytes(At("whole/checkpoint.safetensors")), File.ReadAllBytes(At("broken/checkpoint.safetensors")));
        Assert.Equal(made, File.GetLastWriteTimeUtc(At("broken/latents.safetensors")));
    }

    [Fact]
    public void Training_longer_keeps_no_more_tensors_alive()
    {
        Train("warm", 2, resume: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("short", 3, resume: false);
        var afterShort = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Train("long", 9, resume: false);

        Assert.Equal(afterShort - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - afterShort);
    }

    [Fact]
    public void Only_what_may_be_trained_on_is_filmed_and_every_caption_says_how_it_moves()
    {
        var scenes = ClipScene.Compose(FixtureFolder.Poisoned, 200, 4, seed: 1);

        Assert.Equal(200, scenes.Count(scene => scene.Recipe.Motion is not null));
        Assert.Contains(scenes, scene => scene.Recipe.Motion is null);
        Assert.All(scenes, scene => Assert.True(scene.Recipe.Row.IsForTraining, scene.Recipe.Row.Id));
        Assert.DoesNotContain(scenes, scene => scene.Recipe.Motion?.IsForTesting(scene.Recipe.Row.Concept) == true);
        Assert.All(scenes, scene => Assert.All(scene.Captions, caption => Assert.Contains(
            scene.Recipe.Motion is { } motion ? motion.Name + (scene.Recipe.Quickly ? " quickly" : string.Empty) : "moving", caption,
            StringComparison.Ordinal)));
        Assert.All(scenes, scene => Assert.Equal(4, scene.Captions.Count));
        Assert.Equal(10, scenes.Select(scene => scene.Recipe.Motion).OfType<Motion>().Distinct().Count());
    }

    [Fact]
    public void A_network_for_pictures_that_clips_cannot_have_is_refused_with_what_is_missing()
    {
        var refused = Assert.Throws<InvalidDataException>(() => MiniClips.UNetFor(PictureUNet with { Heads = [2, 2] }));

        Assert.Contains("attention heads of one width on all levels", refused.Message, StringComparison.Ordinal);
        Assert.Equal(32, MiniClips.UNetFor(MiniPictures.UNet).HeadSize);
    }

    private string At(string path) => Path.Combine(_folder, path);

    private void Train(string name, int steps, bool resume, int previews = 0) =>
        Trainer(name, steps, previews, TextWriter.Null).Train(resume, TestContext.Current.CancellationToken);

    private ClipTrainer Trainer(string name, int steps, int previews, TextWriter output)
    {
        var schedule = new TrainingSchedule
        {
            BatchSize = 2,
            LearningRate = 3e-3,
            WarmUpSteps = 2,
            TotalSteps = steps,
            JournalEvery = 3,
            CheckpointEvery = TimeSpan.FromDays(1),
            PreviewEvery = TimeSpan.FromDays(1),
            Seed = 3,
        };
        return new ClipTrainer(FixtureFolder.World, schedule, CPU, At(name), output, new FakeTimeProvider())
        {
            Autoencoder = At("vae"),
            Pictures = At("pictures"),
            Count = 6,
            Wordings = 2,
            PreviewCount = previews,
        };
    }

    // Presses stop when the journal tells of a step.
    private sealed class StopAtStep(CancellationTokenSource stop) : StringWriter(System.Globalization.CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            if (value?.StartsWith("step ", StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
