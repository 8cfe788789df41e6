using System.Text.Json;
using Microsoft.Extensions.AI;
using NextGpt.ChatService.Attachments;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>Reads messages and options as a request to the model; what it cannot honour it refuses by name.</summary>
/// <remarks>
/// A setting is taken from <see cref="ChatOptions"/>' own members first, then from the settings that
/// <see cref="ChatOptions.RawRepresentationFactory"/> gives, then from
/// <see cref="ChatOptions.AdditionalProperties"/>. Nothing of the caller's is changed or kept.
/// </remarks>
internal static class ChatRequestReader
{
    private static readonly ChatRole Developer = new("developer");

    /// <summary>The request that messages and options make.</summary>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="options">Options or null.</param>
    /// <param name="client">Handed to the options' factory.</param>
    /// <param name="ownModelIds">Model ids that mean this model.</param>
    /// <param name="abilities">Which media the model makes.</param>
    /// <param name="attachments">Decodes what is attached.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">No message came, or a value is out of its range.</exception>
    /// <exception cref="InvalidOperationException">No message of a user came.</exception>
    /// <exception cref="NotSupportedException">An option, a role or a content is not offered.</exception>
    /// <exception cref="MediaRefusedException">A file is not taken.</exception>
    public static async ValueTask<GenerationRequest> ReadAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client, IReadOnlyList<string> ownModelIds,
        ModelAbilities abilities, AttachmentReader attachments, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChatMessage> conversation = [.. messages];
        if (conversation.Count == 0)
        {
            throw new ArgumentException("No message came; send at least one of a user.", nameof(messages));
        }

        if (!conversation.Any(message => message.Role == ChatRole.User))
        {
            throw new InvalidOperationException("No message of a user came, so there is nothing to answer; add one.");
        }

        options ??= new ChatOptions();
        ThrowIfUnsupported(options);
        var settings = ReadSettings(options, client);
        ThrowIfUnsupported(options.ResponseFormat, settings);

        var media = MediaOptionsReader.Read(settings, abilities);
        var maxTokens = options.MaxOutputTokens ?? settings.MaxTokens;
        if (maxTokens < 1)
        {
            throw new ArgumentException(
                $"max_tokens is {maxTokens}, it must be at least 1; leave it out for the default.", nameof(options));
        }

        IReadOnlyList<string> stopSequences = [.. options.StopSequences ?? settings.StopSequences ?? []];
        if (stopSequences.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException(
                "A stop sequence is empty and would end every answer; leave it out.", nameof(options));
        }

        var adapter = settings.Adapter ?? ReadAdapter(options.ModelId, ownModelIds);

        // Files come last: nothing is decoded for a call that is refused anyway.
        List<PromptMessage> prompt = await ReadMessagesAsync(conversation, attachments, cancellationToken);
        if (ReadInstructions(conversation, options, settings) is { } instructions)
        {
            prompt.Insert(0, PromptMessage.Of(PromptRole.System, instructions));
        }

        return new GenerationRequest
        {
            Messages = prompt,
            Sampling = new SamplingOptions
            {
                Temperature = Number(options.Temperature) ?? settings.Temperature,
                TopP = Number(options.TopP) ?? settings.TopP,
                TopK = options.TopK ?? settings.TopK,
                MinP = settings.MinP,
                RepetitionPenalty = settings.RepetitionPenalty,
                FrequencyPenalty = Number(options.FrequencyPenalty) ?? settings.FrequencyPenalty,
                PresencePenalty = Number(options.PresencePenalty) ?? settings.PresencePenalty,
            },
            MaxTokens = maxTokens,
            Seed = options.Seed ?? settings.Seed,
            StopSequences = stopSequences,
            Adapter = adapter,
            ConversationKey = options.ConversationId ?? settings.ConversationKey,
            Media = media,
        };
    }

    /// <summary>
    /// The system text the options add to the messages, or null. Instructions are always added; the settings'
    /// <see cref="NextGptPromptExecutionSettings.ChatSystemPrompt"/> only where no message is a system message.
    /// </summary>
    public static string? ReadInstructions(
        IEnumerable<ChatMessage> messages, ChatOptions options, NextGptPromptExecutionSettings settings)
    {
        var instructions = options.Instructions ?? settings.ChatSystemPrompt;
        var onlyIfAbsent = instructions == settings.ChatSystemPrompt;
        return string.IsNullOrWhiteSpace(instructions) ||
            (onlyIfAbsent && messages.Any(message => message.Role == ChatRole.System || message.Role == Developer))
            ? null
            : instructions;
    }

    /// <summary>Our settings, from the options' factory and filled up from the additional properties.</summary>
    public static NextGptPromptExecutionSettings ReadSettings(ChatOptions options, IChatClient client)
    {
        var raw = options.RawRepresentationFactory?.Invoke(client);
        if (raw is not (null or NextGptPromptExecutionSettings))
        {
            throw new NotSupportedException(
                $"RawRepresentationFactory gave {raw.GetType().Name}; " +
                $"give {nameof(NextGptPromptExecutionSettings)}, or null.");
        }

        var settings = (NextGptPromptExecutionSettings?)raw;
        ThrowIfUnknown(settings?.ExtensionData!);   // the type says not null, but JSON's null is let in
        ThrowIfUnknown(options.AdditionalProperties);
        if (options.AdditionalProperties is null && settings?.ExtensionData is null)
        {
            return settings ?? new NextGptPromptExecutionSettings();
        }

        // Settings that came as an object were written into the additional properties too (Semantic Kernel does so),
        // less exactly: the object's values come second and so stay.
        var values = new Dictionary<string, object?>(
            options.AdditionalProperties ?? [], StringComparer.OrdinalIgnoreCase);
        if (settings is not null)
        {
            foreach (var value in JsonSerializer.SerializeToElement(settings).EnumerateObject()
                .Where(value => value.Value.ValueKind != JsonValueKind.Null)
                .Where(value => NextGptPromptExecutionSettings.Names.Contains(value.Name)))
            {
                values[value.Name] = value.Value;
            }
        }

        return NextGptPromptExecutionSettings.FromJson(JsonSerializer.SerializeToElement(values))
            ?? new NextGptPromptExecutionSettings();
    }

    private static void ThrowIfUnknown(IEnumerable<KeyValuePair<string, object?>>? properties)
    {
        var unknown = properties?.FirstOrDefault(property =>
            property.Value is not (null or JsonElement { ValueKind: JsonValueKind.Null }) &&
            !NextGptPromptExecutionSettings.Names.Contains(property.Key)).Key;
        if (unknown is not null)
        {
            throw NotOffered(unknown);
        }
    }

    private static void ThrowIfUnsupported(ChatOptions options)
    {
        var name =
            options.Tools is { Count: > 0 } ? nameof(options.Tools)
            : options.Reasoning is not null ? nameof(options.Reasoning)
            : options.AllowBackgroundResponses is true ? nameof(options.AllowBackgroundResponses)
            : options.ContinuationToken is not null ? nameof(options.ContinuationToken)
            : null;
        if (name is not null)
        {
            throw NotOffered(name);
        }
    }

    private static void ThrowIfUnsupported(ChatResponseFormat? format, NextGptPromptExecutionSettings settings)
    {
        if (format is not (null or ChatResponseFormatText) ||
            (format is null && settings.ResponseFormat is not (null or "text")))
        {
            throw new NotSupportedException(
                "response_format asks for JSON, which this model cannot promise; " +
                "ask for text and say in the prompt what you want.");
        }
    }

    private static NotSupportedException NotOffered(string name) => new($"{name} is not offered; leave it out.");

    private static string? ReadAdapter(string? modelId, IReadOnlyList<string> ownModelIds)
    {
        if (modelId is null || ownModelIds.Contains(modelId, StringComparer.Ordinal))
        {
            return null;
        }

        // "base" is the model with its current adapter, "base+adapter" the model with the named one.
        foreach (var ownModelId in ownModelIds)
        {
            var baseId = ownModelId.Split('+')[0];
            if (modelId == baseId)
            {
                return null;
            }

            if (modelId.StartsWith(baseId + "+", StringComparison.Ordinal) && modelId.Length > baseId.Length + 1)
            {
                return modelId[(baseId.Length + 1)..];
            }
        }

        throw new NotSupportedException(
            $"ModelId asks for \"{modelId}\", but \"{ownModelIds[0]}\" answers here; " +
            "leave it out or register that model.");
    }

    private static async ValueTask<List<PromptMessage>> ReadMessagesAsync(
        IReadOnlyList<ChatMessage> conversation, AttachmentReader attachments, CancellationToken cancellationToken)
    {
        foreach (var message in conversation)
        {
            attachments.ThrowIfTooMany(message);
        }

        List<PromptMessage> prompt = [];
        foreach (var message in conversation)
        {
            var role = ReadRole(message.Role);
            List<PromptPart> parts = [];
            foreach (var content in message.Contents)
            {
                if (await ReadPartAsync(content, message.Role, attachments, cancellationToken) is { } part)
                {
                    parts.Add(part);
                }
            }

            prompt.Add(new PromptMessage { Role = role, Parts = parts, AuthorName = message.AuthorName });
        }

        return prompt;
    }

    private static PromptRole ReadRole(ChatRole role) =>
        role == ChatRole.User ? PromptRole.User
        : role == ChatRole.Assistant ? PromptRole.Assistant
        : role == ChatRole.System || role == Developer ? PromptRole.System
        : role == ChatRole.Tool ? PromptRole.Tool
        : throw new NotSupportedException(
            $"The role \"{role}\" is not known; use system, developer, user, assistant or tool.");

    /// <summary>A part of the prompt, or null for what an earlier answer holds beside words and media.</summary>
    private static async ValueTask<PromptPart?> ReadPartAsync(
        AIContent content, ChatRole role, AttachmentReader attachments, CancellationToken cancellationToken) =>
        content switch
        {
            TextContent text => new TextPart(text.Text ?? ""),
            DataContent or UriContent => await attachments.ReadAsync(content, role, cancellationToken),
            ErrorContent when role == ChatRole.Assistant => null,   // a medium that failed
            _ => throw new NotSupportedException(
                $"A message holds {content.GetType().Name}, which cannot be part of a prompt; send text or a file."),
        };

    // Through decimal, so that 0.7f becomes 0.7 and not 0.699999988.
    private static double? Number(float? value) => value switch
    {
        null => null,
        { } number when float.IsFinite(number) && Math.Abs(number) < 1e9f => (double)(decimal)number,
        { } number => number,
    };
}
