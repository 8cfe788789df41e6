using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel.AudioToText;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.ImageToText;
using Microsoft.SemanticKernel.TextToAudio;
using Microsoft.SemanticKernel.TextToImage;
using NextGpt.ChatService;
using NextGpt.ChatService.Attachments;
using NextGpt.ChatService.Modalities;
using NextGpt.Media;
using NextGpt.Model;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the model as chat client and chat service. Nothing is loaded before the first answer.</summary>
public static class NextGptChatServiceCollectionExtensions
{
    /// <summary>Adds the model as <see cref="IChatClient"/>, with tools, telemetry and logs around it.</summary>
    /// <param name="services">The collection.</param>
    /// <param name="modelId">
    /// The id under which the model is asked for. If an <see cref="IGenerator"/> is registered under this key it
    /// answers, else the one registered without a key, so that several services share one loaded model.
    /// </param>
    /// <param name="serviceId">The key under which the client is registered; null is none.</param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">An id is given and blank.</exception>
    public static IServiceCollection AddNextGptChatClient(
        this IServiceCollection services, string modelId, string? serviceId = null)
    {
        var adapter = AddAdapter(services, modelId, serviceId);
        return services.AddKeyedSingleton<IChatClient>(
            serviceId, (provider, _) => provider.GetRequiredKeyedService<NextGptChatCompletionService>(adapter));
    }

    /// <summary>
    /// Adds the model as <see cref="IChatCompletionService"/>. It is an <see cref="IChatClient"/> too, the same object
    /// as <see cref="AddNextGptChatClient"/> registers for this model and service id.
    /// </summary>
    /// <remarks>
    /// Functions, filters and the limit of rounds are Semantic Kernel's own. Its version 1.82 hands an
    /// <c>IAutoFunctionInvocationFilter</c> a copy as <c>ChatHistory</c>: a filter that changes what the model sees next
    /// changes <c>Messages</c> of its context.
    /// </remarks>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptChatCompletion(
        this IServiceCollection services, string modelId, string? serviceId = null)
    {
        var adapter = AddAdapter(services, modelId, serviceId);
        return services.AddKeyedSingleton<IChatCompletionService>(
            serviceId, (provider, _) => provider.GetRequiredKeyedService<NextGptChatCompletionService>(adapter));
    }

    /// <summary>Adds a client of one's own, such as a decorated one, as <see cref="IChatCompletionService"/>.</summary>
    /// <param name="services">The collection.</param>
    /// <param name="modelId">The id under which a kernel finds the service.</param>
    /// <param name="chatClient">Answers. Gets the loop that calls functions if it has none; is not disposed.</param>
    /// <param name="serviceId">The key under which the service is registered; null is none.</param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">An id is given and blank.</exception>
    public static IServiceCollection AddNextGptChatCompletion(
        this IServiceCollection services, string modelId, IChatClient chatClient, string? serviceId = null)
    {
        ThrowIfInvalid(services, modelId, serviceId);
        ArgumentNullException.ThrowIfNull(chatClient);
        return services.AddKeyedSingleton<IChatCompletionService>(serviceId, (provider, _) =>
            new NextGptChatCompletionService(
                ChatPipeline.BuildAround(chatClient, provider.GetService<ILoggerFactory>(), provider),
                modelId, ownsPipeline: false));
    }

    /// <summary>Adds pictures from descriptions as <see cref="ITextToImageService"/>; they come as PNG.</summary>
    /// <remarks>
    /// Size, steps, guidance and seed are <see cref="NextGptPromptExecutionSettings"/>. Semantic Kernel's older extension
    /// <c>GenerateImageAsync</c> expects an address and fails on pictures that come as bytes; use
    /// <see cref="ITextToImageService.GetImageContentsAsync"/>.
    /// </remarks>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptTextToImage(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddOver<ITextToImageService>(modelId, serviceId, chat => new NextGptTextToImageService(chat));

    /// <summary>
    /// Adds sounds from descriptions as <see cref="ITextToAudioService"/>; they come as WAV. The text is what is to be
    /// heard, such as "a dog barks twice"; it is not read aloud, the model does not speak.
    /// </summary>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptTextToAudio(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddOver<ITextToAudioService>(modelId, serviceId, chat => new NextGptTextToAudioService(chat));

    /// <summary>
    /// Adds descriptions of sounds as <see cref="IAudioToTextService"/>: what is to be heard, not a transcript of speech.
    /// </summary>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptAudioToText(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddOver<IAudioToTextService>(modelId, serviceId, chat => new NextGptAudioToTextService(chat));

    /// <summary>Adds descriptions of pictures as <see cref="IImageToTextService"/>.</summary>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptImageToText(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddOver<IImageToTextService>(modelId, serviceId, chat => new NextGptImageToTextService(chat));

    /// <summary>Adds pictures from words, and from pictures and words, as <see cref="IImageGenerator"/>; up to 4 a call.</summary>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptImageGenerator(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddOver<IImageGenerator>(modelId, serviceId, chat => new NextGptImageGenerator(chat));

    /// <summary>
    /// Adds the encoder's joint space as <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/>: pictures, sounds and clips
    /// become vectors of length 1. Needs an <see cref="IMediaEmbedder"/>, or a model that is one.
    /// </summary>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGptEmbeddingGenerator(
        this IServiceCollection services, string modelId, string? serviceId = null)
    {
        ThrowIfInvalid(services, modelId, serviceId);
        return services.AddKeyedSingleton<IEmbeddingGenerator<DataContent, Embedding<float>>>(
            serviceId, (provider, _) => new NextGptEmbeddingGenerator(
                provider.GetKeyedService<IMediaEmbedder>(modelId) ?? provider.GetService<IMediaEmbedder>()
                    ?? GeneratorOf(provider, modelId) as IMediaEmbedder,
                modelId, FilesOf(provider)));
    }

    /// <summary>
    /// Adds the model, unless one is registered, and all it offers: <see cref="IChatClient"/> and
    /// <see cref="IChatCompletionService"/>, the services of single modalities, the generators of pictures and embeddings.
    /// </summary>
    /// <remarks>
    /// Reading and writing of media comes along, unless it is registered, and decodes in this process. A program that takes
    /// files from strangers calls <c>AddNextGptMedia</c> with a process of its own for them, before this.
    /// </remarks>
    /// <inheritdoc cref="AddNextGptChatClient"/>
    public static IServiceCollection AddNextGpt(
        this IServiceCollection services, string modelId, string? serviceId = null) =>
        services.AddNextGptChatClient(modelId, serviceId).AddNextGptChatCompletion(modelId, serviceId)
            .AddNextGptTextToImage(modelId, serviceId).AddNextGptTextToAudio(modelId, serviceId)
            .AddNextGptAudioToText(modelId, serviceId).AddNextGptImageToText(modelId, serviceId)
            .AddNextGptImageGenerator(modelId, serviceId).AddNextGptEmbeddingGenerator(modelId, serviceId)
            .AddNextGptModel().AddNextGptMedia();

    private static IServiceCollection AddOver<TService>(
        this IServiceCollection services, string modelId, string? serviceId,
        Func<NextGptChatCompletionService, TService> make)
        where TService : class
    {
        var adapter = AddAdapter(services, modelId, serviceId);
        return services.AddKeyedSingleton(
            serviceId, (provider, _) => make(provider.GetRequiredKeyedService<NextGptChatCompletionService>(adapter)));
    }

    /// <summary>One adapter per model and service id, whichever interface it is asked for by.</summary>
    private static AdapterKey AddAdapter(IServiceCollection services, string modelId, string? serviceId)
    {
        ThrowIfInvalid(services, modelId, serviceId);
        services.AddOptions<AttachmentOptions>()
            .Configure<IServiceProvider>((options, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(AttachmentOptions.SectionName).Bind(options))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        var key = new AdapterKey(modelId, serviceId);
        services.TryAddKeyedSingleton(key, (provider, _) =>
        {
            var generator = GeneratorOf(provider, modelId) ?? throw new InvalidOperationException(
                "No model is registered to answer; call AddNextGptModel on the same collection.");
            var model = new NextGptChatClient(
                generator, modelId, provider.GetService<TimeProvider>() ?? TimeProvider.System,
                provider.GetService<IMeterFactory>(), FilesOf(provider));
            return new NextGptChatCompletionService(
                ChatPipeline.Build(model, provider.GetService<ILoggerFactory>(), provider), modelId);
        });
        return key;
    }

    private static IGenerator? GeneratorOf(IServiceProvider provider, string modelId) =>
        provider.GetKeyedService<IGenerator>(modelId) ?? provider.GetService<IGenerator>();

    private static MediaFiles FilesOf(IServiceProvider provider) => new(
        provider.GetService<IMediaReader>(), provider.GetService<IMediaWriter>(),
        (provider.GetService<IOptions<AttachmentOptions>>()?.Value ?? new()).MaxFilesPerMessage,
        (provider.GetService<IOptions<MediaFileOptions>>()?.Value ?? new()).MaxFileMegabytes);

    private static void ThrowIfInvalid(IServiceCollection services, string modelId, string? serviceId)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(modelId);
        if (serviceId is not null)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(serviceId);
        }
    }

    private sealed record AdapterKey(string ModelId, string? ServiceId);
}
