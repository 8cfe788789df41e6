using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests.Modalities;

/// <summary>Media as vectors: case 62 of the connector contract.</summary>
public sealed class EmbeddingTests
{
    [Fact]
    public async Task Case_62_each_medium_becomes_a_vector_of_the_models_size_and_of_length_one()
    {
        await using var provider = Provide(new ToyEmbedder());
        var generator = provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        DataContent[] media =
        [
            new(TestMedia.Png(), "image/png"), new(TestMedia.Wav(), "audio/wav"), new(TestMedia.Mp4(), "video/mp4"),
            new(TestMedia.Png(), "image/png"),
        ];

        var batch = await generator.GenerateAsync(media);

        Assert.Equal(4, batch.Count);
        Assert.All(batch, embedding =>
        {
            Assert.Equal(ToyEmbedder.Size, embedding.Vector.Length);
            Assert.Equal(1, TensorPrimitives.Norm(embedding.Vector.Span), 5);
            Assert.Equal("toy-encoder", embedding.ModelId);
        });
        Assert.Equal(batch[0].Vector.ToArray(), batch[3].Vector.ToArray());
        Assert.NotEqual(batch[0].Vector.ToArray(), batch[1].Vector.ToArray());
        foreach (var (medium, embedding) in media.Zip(batch))
        {
            Assert.Equal(embedding.Vector.ToArray(), (await generator.GenerateAsync([medium]))[0].Vector.ToArray());
        }

        Assert.Empty(await generator.GenerateAsync([]));
    }

    [Fact]
    public async Task Case_62_metadata_has_the_dimension()
    {
        await using var provider = Provide(new ToyEmbedder());
        var generator = provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();

        var metadata = (EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!;
        Assert.Equal(
            ("nextgpt", "toy-encoder", ToyEmbedder.Size),
            (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Same(generator, generator.GetService(generator.GetType()));
        Assert.Null(generator.GetService(typeof(EmbeddingGeneratorMetadata), "key"));
    }

    [Fact]
    public async Task Case_62_what_is_not_offered_and_what_cannot_be_read_throws()
    {
        await using var provider = Provide(new ToyEmbedder { Embeds = [MediaKind.Image] });
        var generator = provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        DataContent[] picture = [new(TestMedia.Png(), "image/png")];

        Assert.Single(await generator.GenerateAsync(picture, new() { Dimensions = ToyEmbedder.Size, ModelId = "toy" }));
        foreach (var options in new EmbeddingGenerationOptions[]
        {
            new() { Dimensions = 7 }, new() { ModelId = "ada" }, new() { AdditionalProperties = new() { ["user"] = "x" } },
        })
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(picture, options));
        }

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(
            () => generator.GenerateAsync([new DataContent(TestMedia.Wav(), "audio/wav")]));
        Assert.Equal("audio/wav is not supported; send PNG, JPEG, WebP or GIF.", refused.Message);
        await Assert.ThrowsAsync<ArgumentNullException>("values", () => generator.GenerateAsync(null!));
    }

    [Fact]
    public async Task Case_62_a_model_without_an_encoder_says_so()
    {
        await using var provider = Provide(embedder: null);
        var generator = provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(
            () => generator.GenerateAsync([new DataContent(TestMedia.Png(), "image/png")]));
        Assert.Contains("IMediaEmbedder", thrown.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Provide(IMediaEmbedder? embedder)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(ScriptedArtist.Create());
        services.AddSingleton<IMediaReader>(new TestMedia());
        if (embedder is not null)
        {
            services.AddSingleton(embedder);
        }

        return services.AddNextGptEmbeddingGenerator("toy").BuildServiceProvider();
    }

    /// <summary>A projection of the medium's values with fixed weights; not of length one by itself.</summary>
    private sealed class ToyEmbedder : IMediaEmbedder
    {
        public const int Size = 12;

        public string ModelId => "toy-encoder";

        public IReadOnlyList<MediaKind> Embeds { get; init; } = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

        public int? Dimensions => Size;

        public Task<IReadOnlyList<float[]>> EmbedAsync(
            IReadOnlyList<Medium> media, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<float[]>>([.. media.Select(Embed)]);

        private static float[] Embed(Medium medium)
        {
            var values = medium switch
            {
                Picture picture => picture.Pixels.Select(value => (float)value),
                AudioClip sound => sound.Channels[0],
                VideoClip clip => clip.Frames.SelectMany(frame => frame.Pixels).Select(value => value / 255f),
                _ => [],
            };
            var place = new float[Size];
            foreach (var (value, i) in values.Select((value, i) => (value, i)))
            {
                place[i % Size] += value * ((i % 7) - 3);
            }

            return place;
        }
    }
}
