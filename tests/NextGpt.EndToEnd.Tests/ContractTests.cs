using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel.AudioToText;
using Microsoft.SemanticKernel.ImageToText;
using Microsoft.SemanticKernel.TextToAudio;
using Microsoft.SemanticKernel.TextToImage;
using NextGpt.ChatService;
using NextGpt.EndToEnd.Tests.Checkpoints;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Decoders;
using TorchSharp;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.EndToEnd.Tests;

/// <summary>Cases 42, 58 to 62 and 67 of the connector contract over networks that really compute.</summary>
public sealed class ContractTests(ConvertedPackages packages) : IClassFixture<ConvertedPackages>
{
    /// <summary>10 in a short run; more where NEXTGPT_FUZZ_CASES asks for more.</summary>
    private static readonly int Replies = Math.Clamp(
        int.TryParse(Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES"), CultureInfo.InvariantCulture, out var cases) ? cases : 10, 10, 200);

    [Fact]
    public async Task Case_42_cancelled_while_denoising_it_ends_and_the_model_is_free()
    {
        await using var model = new AssembledModel(packages.Of(second: false));
        using var cancellation = new CancellationTokenSource();
        var begun = false;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in model.Client.GetStreamingResponseAsync("draw", Drawing(steps: 1_000), cancellation.Token))
            {
                if (update.AdditionalProperties?.ContainsKey(AnswerMetadata.MediaStatus) == true)
                {
                    begun = true;
                    await cancellation.CancelAsync();
                }
            }
        });

        Assert.True(begun);
        Assert.Single(await model.ReadAsync(await model.Client.GetResponseAsync("draw", Drawing(steps: 2))));
        Assert.Equal(0, model.Thread.QueuedRequests);
    }

    [Theory]
    [InlineData(MediaKind.Image)]
    [InlineData(MediaKind.Audio)]
    [InlineData(MediaKind.Video)]
    public async Task Case_42_after_a_cancellation_not_one_more_denoising_step_is_done(MediaKind kind)
    {
        await using var model = new AssembledModel(packages.Of(second: false));
        using var cancellation = new CancellationTokenSource();
        var (steps, later) = (0, 0);
        await model.Thread.ChangeAsync(loaded =>
        {
            var media = loaded.Media ?? throw new InvalidOperationException("The package makes no media.");
            var states = new float[media.Signals.Patterns[kind].Count * loaded.Engine.HiddenSize];
            Assert.Throws<OperationCanceledException>(() => media.Render(
                kind, states, new RenderOptions { Steps = 40, Seeds = [1], Seconds = 0.3, Frames = 2, Width = 32, Height = 32 }, new Each(() =>
                {
                    later += cancellation.IsCancellationRequested ? 1 : 0;
                    if (++steps == 3)
                    {
                        cancellation.Cancel();
                    }
                }),
                cancellation.Token));
            return loaded;
        });

        Assert.Equal((3, 0), (steps, later));
    }

    [Fact]
    public async Task Case_67_replies_with_media_leave_the_count_of_tensors_level()
    {
        await using var model = new AssembledModel(packages.Of(second: false));
        var question = await model.QuestionAsync();
        await TurnsAsync(5);
        var before = await LiveTensorsAsync(model);

        await TurnsAsync(Replies);

        Assert.Equal(before, await LiveTensorsAsync(model));

        async Task TurnsAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var options = AssembledModel.Everything(seed: i);
                if (i % 5 == 4)   // left in the middle
                {
                    await foreach (var update in model.Client.GetStreamingResponseAsync([question], options))
                    {
                        if (update.AdditionalProperties?.ContainsKey(AnswerMetadata.MediaStatus) == true)
                        {
                            break;
                        }
                    }

                    continue;
                }

                var answer = await model.Client.GetResponseAsync([question], options);
                Assert.Equal(3, answer.Messages.SelectMany(message => message.Contents).OfType<DataContent>().Count());
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cases_58_to_61_each_service_of_one_modality_works_over_the_real_networks(bool second)
    {
        await using var model = new AssembledModel(packages.Of(second));
        var reader = model.Services.GetRequiredService<IMediaReader>();
        var settings = new NextGptPromptExecutionSettings
        {
            ImageSteps = 2,
            ImageWidth = 32,
            ImageHeight = 16,
            Seed = 5,
            MaxTokens = 60,
        };

        var picture = Assert.Single(await model.Services.GetRequiredService<ITextToImageService>()
            .GetImageContentsAsync(new KernelText("a red apple"), settings));
        var drawn = Assert.IsType<Picture>((await reader.ReadAsync(picture.Data!.Value)).Medium);
        Assert.Equal((32, 16), (drawn.Width, drawn.Height));

        var generated = await model.Services.GetRequiredService<IImageGenerator>().GenerateAsync(
            new ImageGenerationRequest("a red apple"), new ImageGenerationOptions { ImageSize = new(32, 32), Count = 2 });
        Assert.Equal(2, generated.Contents.OfType<DataContent>().Count());

        var sound = Assert.Single(await model.Services.GetRequiredService<ITextToAudioService>().GetAudioContentsAsync(
            "a dog barks", new NextGptPromptExecutionSettings { AudioSteps = 2, AudioSeconds = 0.3, MaxTokens = 60 }));
        Assert.Equal(16_000, WaveFile.Read(sound.Data!.Value.Span).SampleRateHz);

        var said = new NextGptPromptExecutionSettings { MaxTokens = 8, Temperature = 1, Seed = 1 };
        var heard = await model.Services.GetRequiredService<IAudioToTextService>().GetTextContentsAsync(sound, said);
        var seen = await model.Services.GetRequiredService<IImageToTextService>().GetTextContentsAsync(picture, said);
        Assert.NotEqual(Assert.Single(heard).Text, Assert.Single(seen).Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_62_media_have_places_of_length_one_in_the_encoders_space(bool second)
    {
        await using var model = new AssembledModel(packages.Of(second));
        var generator = model.Services.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        var metadata = (EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!;
        Assert.Equal((16, ModelState.NotLoaded), (metadata.DefaultModelDimensions!.Value, model.Thread.Status.State));
        DataContent[] media = [.. (await model.QuestionAsync()).Contents.OfType<DataContent>()];

        var batch = await generator.GenerateAsync([.. media, media[0]]);

        Assert.Equal(4, batch.Count);
        Assert.All(batch, place => Assert.Equal((16, 1f), (place.Vector.Length, MathF.Round(TensorPrimitives.Norm(place.Vector.Span), 4))));
        Assert.Equal(batch[0].Vector.ToArray(), batch[3].Vector.ToArray());
        Assert.NotEqual(batch[0].Vector.ToArray(), batch[1].Vector.ToArray());
        Assert.NotEqual(batch[0].Vector.ToArray(), batch[2].Vector.ToArray());
        Assert.Equal(batch[1].Vector.ToArray(), (await generator.GenerateAsync([media[1]]))[0].Vector.ToArray());
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(media, cancellationToken: cancelled.Token));
    }

    private static ChatOptions Drawing(int steps) => new()
    {
        Seed = 1,
        MaxOutputTokens = 60,
        AdditionalProperties = new() { ["modalities"] = new[] { "image" }, ["image_steps"] = steps },
    };

    private sealed class Each(Action act) : IProgress<double>
    {
        public void Report(double value) => act();
    }

    /// <summary>Counted on the thread that owns them, between two requests.</summary>
    private static async Task<long> LiveTensorsAsync(AssembledModel model)
    {
        long count = 0;
        await model.Thread.ChangeAsync(loaded =>
        {
            count = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            return loaded;
        });
        return count;
    }
}
