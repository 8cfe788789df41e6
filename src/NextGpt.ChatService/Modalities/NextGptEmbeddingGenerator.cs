using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using NextGpt.ChatService.Attachments;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Modalities;

/// <summary>The encoder's joint space: pictures, sounds and clips as vectors of length 1. Thread-safe.</summary>
/// <param name="embedder">Embeds; null where the model does not, which is said when it is asked.</param>
/// <param name="modelId">The id under which this was registered.</param>
/// <param name="files">Decodes.</param>
internal sealed class NextGptEmbeddingGenerator(IMediaEmbedder? embedder, string modelId, MediaFiles files)
    : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var encoder = embedder is { Embeds.Count: > 0 } ? embedder : throw new NotSupportedException(
            "This model embeds no media: it has no encoder, and no other IMediaEmbedder is registered; use a model package with an "
            + "encoder.");
        ThrowIfUnsupported(options, encoder);
        var attachments = new AttachmentReader(files, new ModelAbilities { Reads = encoder.Embeds });
        List<Medium> media = [];
        foreach (var value in values)
        {
            ArgumentNullException.ThrowIfNull(value, nameof(values));
            if (await attachments.ReadAsync(value, ChatRole.User, cancellationToken) is { } part)
            {
                media.Add(part.Medium);
            }
        }

        if (media.Count == 0)
        {
            return [];
        }

        try
        {
            var places = await encoder.EmbedAsync(media, cancellationToken);
            return [.. places.Select(place => new Embedding<float>(ToUnitLength(place)) { ModelId = encoder.ModelId })];
        }
        catch (GenerationRefusedException refused)
        {
            throw new ChatRefusedException(refused);
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata)
                ? new EmbeddingGeneratorMetadata(
                    "nextgpt", providerUri: null, embedder?.ModelId ?? modelId, embedder?.Dimensions)
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Nothing to do: the encoder is the container's.</summary>
    public void Dispose()
    {
    }

    private void ThrowIfUnsupported(EmbeddingGenerationOptions? options, IMediaEmbedder encoder)
    {
        if (options?.Dimensions is { } wanted && wanted != encoder.Dimensions)
        {
            throw new NotSupportedException(
                $"Dimensions asks for {wanted}, but {encoder.Dimensions?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "the model's own number"} is what is made; leave it out.");
        }

        if (options?.ModelId is { } id && id != modelId && id != encoder.ModelId)
        {
            throw new NotSupportedException(
                $"ModelId asks for \"{id}\", but \"{encoder.ModelId}\" embeds here; leave it out.");
        }

        if (options?.AdditionalProperties is { Count: > 0 } properties)
        {
            throw new NotSupportedException($"{properties.First().Key} is not offered; leave it out.");
        }
    }

    private static float[] ToUnitLength(float[] place)
    {
        var length = TensorPrimitives.Norm(place);
        if (length == 0)
        {
            return place;
        }

        var unit = new float[place.Length];
        TensorPrimitives.Divide(place, length, unit);
        return unit;
    }
}
