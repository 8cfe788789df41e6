using Microsoft.Extensions.AI;

namespace NextGpt.ChatService.Modalities;

/// <summary>The chat client with pictures, and nothing else, asked for: one or several, from words or from other pictures too.</summary>
/// <remarks>Several pictures are made one after the other; the seed of the first, if given, counts up. Thread-safe.</remarks>
/// <param name="chat">Answers; the container owns it.</param>
internal sealed class NextGptImageGenerator(IChatClient chat) : IImageGenerator
{
    private const int MostImages = 4;

    public async Task<ImageGenerationResponse> GenerateAsync(
        ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentException.ThrowIfNullOrWhiteSpace(request.Prompt, nameof(request));
        options ??= new ImageGenerationOptions();
        ThrowIfUnsupported(options);
        var count = options.Count ?? 1;
        if (count is < 1 or > MostImages)
        {
            throw new ArgumentException($"Count is {count}, it must lie between 1 and {MostImages}.");
        }

        var settings = Settings(options);
        ChatMessage[] question =
            [new(ChatRole.User, [.. request.OriginalImages ?? [], new TextContent(request.Prompt)])];
        List<AIContent> pictures = [];
        List<ChatResponse> answers = [];
        var usage = new UsageDetails();
        var seed = settings.Seed;
        for (var i = 0; i < count; i++)
        {
            settings.Seed = seed + i;
            var answer = await chat.GetResponseAsync(
                question, new ChatOptions { ModelId = options.ModelId, RawRepresentationFactory = _ => settings }, cancellationToken);
            IReadOnlyList<DataContent> made =
                [.. answer.Messages.SelectMany(message => message.Contents).OfType<DataContent>()];
            pictures.AddRange(made.Count > 0 ? made : throw SingleModality.Missing(answer));
            answers.Add(answer);
            if (answer.Usage is { } spent)
            {
                usage.Add(spent);
            }
        }

        return new ImageGenerationResponse(pictures) { RawRepresentation = answers, Usage = usage };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ImageGeneratorMetadata)
                ? new ImageGeneratorMetadata(
                    "nextgpt", providerUri: null, chat.GetService<ChatClientMetadata>()?.DefaultModelId)
            : serviceType.IsInstanceOfType(this) ? this
            : chat.GetService(serviceType);
    }

    /// <summary>Nothing to do: the chat client is the container's.</summary>
    public void Dispose()
    {
    }

    private static void ThrowIfUnsupported(ImageGenerationOptions options)
    {
        if (options.MediaType is { } type && !string.Equals(type, "image/png", StringComparison.OrdinalIgnoreCase))
        {
            throw new NotSupportedException($"MediaType asks for \"{type}\", but \"image/png\" is what is made; leave it out.");
        }

        if (options.ResponseFormat is { } format and not ImageGenerationResponseFormat.Data)
        {
            throw new NotSupportedException($"ResponseFormat asks for {format}, but pictures come as Data; leave it out.");
        }

        if (options.StreamingCount is not null)
        {
            throw new NotSupportedException("StreamingCount is not offered; leave it out.");
        }
    }

    private NextGptPromptExecutionSettings Settings(ImageGenerationOptions options)
    {
        var raw = options.RawRepresentationFactory?.Invoke(this);
        if (raw is not (null or NextGptPromptExecutionSettings))
        {
            throw new NotSupportedException(
                $"RawRepresentationFactory gave {raw.GetType().Name}; give {nameof(NextGptPromptExecutionSettings)}, or null.");
        }

        var wishes = new ChatOptions
        {
            AdditionalProperties = options.AdditionalProperties,
            RawRepresentationFactory = raw is null ? null : _ => raw,
        };
        var settings = (NextGptPromptExecutionSettings)ChatRequestReader.ReadSettings(wishes, chat).Clone();
        settings.Modalities = ["image"];
        if (options.ImageSize is { } size)
        {
            (settings.ImageWidth, settings.ImageHeight) = (size.Width, size.Height);
        }

        return settings;
    }
}
