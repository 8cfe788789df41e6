using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Model;

namespace Microsoft.SemanticKernel;

/// <summary>The registrations of <see cref="NextGptChatServiceCollectionExtensions"/> on a kernel builder.</summary>
public static class NextGptKernelBuilderExtensions
{
    /// <summary>Adds the model with the settings of the configuration, if there is one, else with the defaults.</summary>
    /// <param name="builder">The builder, which is returned.</param>
    /// <returns>The builder.</returns>
    public static IKernelBuilder AddNextGptModel(this IKernelBuilder builder)
    {
        ServicesOf(builder).AddNextGptModel();
        return builder;
    }

    /// <summary>Adds the model with given settings.</summary>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="options">The settings.</param>
    /// <returns>The builder.</returns>
    public static IKernelBuilder AddNextGptModel(this IKernelBuilder builder, ModelOptions options)
    {
        ServicesOf(builder).AddNextGptModel(options);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptChatClient"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptChatClient(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptChatClient(modelId, serviceId);
        return builder;
    }

    /// <summary>Adds the model as chat service, which is an <see cref="IChatClient"/> too.</summary>
    /// <returns>The builder.</returns>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptChatCompletion(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptChatCompletion(modelId, serviceId);
        return builder;
    }

    /// <summary>Adds a client of one's own, such as a decorated one, as chat service.</summary>
    /// <returns>The builder.</returns>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="chatClient">Answers. Gets the loop that calls functions if it has none; is not disposed.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptChatCompletion(
        this IKernelBuilder builder, string modelId, IChatClient chatClient, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptChatCompletion(modelId, chatClient, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptTextToImage"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptTextToImage(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptTextToImage(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptTextToAudio"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptTextToAudio(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptTextToAudio(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptAudioToText"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptAudioToText(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptAudioToText(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptImageToText"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptImageToText(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptImageToText(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptImageGenerator"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptImageGenerator(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptImageGenerator(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGptEmbeddingGenerator"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGptEmbeddingGenerator(
        this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGptEmbeddingGenerator(modelId, serviceId);
        return builder;
    }

    /// <inheritdoc cref="NextGptChatServiceCollectionExtensions.AddNextGpt"/>
    /// <param name="builder">The builder, which is returned.</param>
    /// <param name="modelId">The id under which the model is asked for.</param>
    /// <param name="serviceId">The key under which it is registered; null is none.</param>
    public static IKernelBuilder AddNextGpt(this IKernelBuilder builder, string modelId, string? serviceId = null)
    {
        ServicesOf(builder).AddNextGpt(modelId, serviceId);
        return builder;
    }

    private static IServiceCollection ServicesOf(IKernelBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Services;
    }
}
