using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using AIFunctionCall = Microsoft.Extensions.AI.FunctionCallContent;
using AIFunctionResult = Microsoft.Extensions.AI.FunctionResultContent;
using AIText = Microsoft.Extensions.AI.TextContent;
using KernelFunctionCall = Microsoft.SemanticKernel.FunctionCallContent;
using KernelFunctionResult = Microsoft.SemanticKernel.FunctionResultContent;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.ChatService;

/// <summary>Semantic Kernel's contents as Microsoft.Extensions.AI's and back, with nothing lost on the way.</summary>
internal static class KernelContentMapper
{
    /// <summary>The messages of a history, in order.</summary>
    /// <exception cref="NotSupportedException">An item is of a kind that has no place in a prompt.</exception>
    /// <exception cref="ArgumentException">An item has neither bytes nor an address.</exception>
    public static IReadOnlyList<ChatMessage> ToChatMessages(ChatHistory history) =>
        [.. history.Select(ToChatMessage)];

    /// <summary>A message of an answer, text first, then the rest in order.</summary>
    /// <param name="message">The message.</param>
    /// <param name="response">The answer it is from.</param>
    /// <param name="kernel">Knows the plugins whose names stand in function names.</param>
    public static ChatMessageContent ToKernelMessage(ChatMessage message, ChatResponse response, Kernel? kernel)
    {
        var modelId = response.ModelId;
        ChatMessageContentItemCollection items = [];
        if (message.Text.Length > 0 ||
            !message.Contents.Any(content => content is AIFunctionCall or AIFunctionResult))
        {
            items.Add(new KernelText(message.Text, modelId));
        }

        foreach (var content in message.Contents)
        {
            if (ToItem(content, kernel) is { } item)
            {
                item.InnerContent = content;
                item.ModelId = modelId;
                item.Metadata = content.AdditionalProperties;
                items.Add(item);
            }
        }

        var metadata = Describe(message.AdditionalProperties ?? response.AdditionalProperties);
        metadata[AnswerMetadata.Id] = response.ResponseId;
        metadata[AnswerMetadata.CreatedAt] = message.CreatedAt ?? response.CreatedAt;
        metadata[AnswerMetadata.FinishReason] = response.FinishReason?.Value;
        metadata[AnswerMetadata.Usage] = response.Usage;
        return new ChatMessageContent(
            new AuthorRole(message.Role.Value), items, modelId, innerContent: response, metadata: metadata)
        {
            AuthorName = message.AuthorName,
        };
    }

    /// <summary>An update as a chunk.</summary>
    /// <param name="update">The update.</param>
    /// <param name="usage">Usage of the whole answer if this is its last chunk, else null.</param>
    /// <param name="kernel">Knows the plugins whose names stand in function names.</param>
    public static StreamingChatMessageContent ToChunk(ChatResponseUpdate update, UsageDetails? usage, Kernel? kernel)
    {
        var metadata = Describe(update.AdditionalProperties);
        metadata[AnswerMetadata.Id] = update.ResponseId;
        if (usage is not null)
        {
            metadata[AnswerMetadata.Usage] = usage;
            metadata[AnswerMetadata.CreatedAt] = update.CreatedAt;
        }

        if (update.FinishReason is { } reason)
        {
            metadata[AnswerMetadata.FinishReason] = reason.Value;
        }
        else if (update.Contents.OfType<AIFunctionCall>().Any())
        {
            metadata[AnswerMetadata.FinishReason] = ChatFinishReason.ToolCalls.Value;
        }

        var chunk = new StreamingChatMessageContent(
            update.Role is { } role ? new AuthorRole(role.Value) : null, content: null, innerContent: update,
            choiceIndex: 0, modelId: update.ModelId, metadata: metadata)
        {
            AuthorName = update.AuthorName,
        };
        if (update.Text is { Length: > 0 } text)
        {
            chunk.Items.Add(new StreamingTextContent(text, 0, update.ModelId, update, metadata: metadata));
        }

        var callIndex = 0;
        foreach (var content in update.Contents)
        {
            switch (content)
            {
                case DataContent data:
                    chunk.Items.Add(new StreamingMediaContent(
                        ToMedia(data), update, 0, update.ModelId, DescribeMedium(data, update)));
                    break;

                case AIFunctionCall call:
                    var (plugin, function) = SplitName(call.Name, kernel);
                    chunk.Items.Add(new StreamingFunctionCallUpdateContent(
                        call.CallId, plugin is null ? function : $"{plugin}-{function}",
                        call.Arguments is null
                            ? null
                            : JsonSerializer.Serialize(call.Arguments, AIJsonUtilities.DefaultOptions),
                        callIndex++)
                    {
                        InnerContent = update,
                        ModelId = update.ModelId,
                        Metadata = metadata,
                    });
                    break;
            }
        }

        return chunk;
    }

    private static ChatMessage ToChatMessage(ChatMessageContent message) => new()
    {
        Role = new ChatRole(message.Role.Label),
        AuthorName = message.AuthorName,
        Contents = [.. message.Items.Select(ToContent)],
        AdditionalProperties = message.Metadata is null ? null : new AdditionalPropertiesDictionary(message.Metadata),
        RawRepresentation = message.InnerContent,
    };

    /// <summary>An item of a message.</summary>
    public static AIContent ToContent(KernelContent item)
    {
        AIContent content = item switch
        {
            KernelText text => new AIText(text.Text),
            BinaryContent binary => ToContent(binary),
            KernelFunctionCall call => new AIFunctionCall(
                call.Id ?? "", JoinName(call.PluginName, call.FunctionName), call.Arguments)
            {
                Exception = call.Exception,
            },
            KernelFunctionResult result => new AIFunctionResult(result.CallId ?? "", result.Result),
            _ => throw new NotSupportedException(
                $"The history holds {item.GetType().Name}, which cannot be part of a prompt; " +
                "use text, image, audio, binary, function call and function result contents."),
        };
        content.RawRepresentation = item.InnerContent;
        content.AdditionalProperties = item.Metadata is null ? null : new AdditionalPropertiesDictionary(item.Metadata);
        return content;
    }

    private static AIContent ToContent(BinaryContent binary)
    {
        const string UnknownType = "application/octet-stream";
        var kind = binary switch { ImageContent => "image", AudioContent => "audio", _ => "binary" };
        return binary switch
        {
            { Data: { IsEmpty: true } } =>
                throw new ArgumentException($"The {kind} content is empty; attach its bytes."),
            { Data: { } data } => new DataContent(data, binary.MimeType ?? UnknownType),
            { Uri: { } uri } => new UriContent(uri, binary.MimeType ?? UnknownType),
            _ => throw new ArgumentException($"The {kind} content has neither bytes nor an address; attach its bytes."),
        };
    }

    private static KernelContent? ToItem(AIContent content, Kernel? kernel)
    {
        switch (content)
        {
            case DataContent data:
                return ToMedia(data);

            case AIFunctionCall call:
                var (plugin, function) = SplitName(call.Name, kernel);
                return new KernelFunctionCall(
                    function, plugin, call.CallId, call.Arguments is null ? null : new KernelArguments(call.Arguments))
                {
                    Exception = call.Exception,
                };

            case AIFunctionResult result:
                return new KernelFunctionResult(callId: result.CallId, result: result.Result);

            default:
                return null;   // text stands in front of all; usage is metadata
        }
    }

    /// <summary>The medium as Semantic Kernel's content; an animated WebP is a clip although its type is a picture's.</summary>
    private static BinaryContent ToMedia(DataContent data) =>
        data.AdditionalProperties?.GetValueOrDefault(AnswerMetadata.MediaKind)?.ToString() == "video"
            ? new BinaryContent(data.Data, data.MediaType)
        : data.HasTopLevelMediaType("image") ? new ImageContent(data.Data, data.MediaType)
        : data.HasTopLevelMediaType("audio") ? new AudioContent(data.Data, data.MediaType)
        : new BinaryContent(data.Data, data.MediaType);

    private static Dictionary<string, object?> DescribeMedium(DataContent data, ChatResponseUpdate update)
    {
        var description = Describe(data.AdditionalProperties);
        foreach (var key in AnswerMetadata.OfAMoment)
        {
            if (update.AdditionalProperties?.TryGetValue(key, out var value) == true)
            {
                description[key] = value;
            }
        }

        return description;
    }

    private static Dictionary<string, object?> Describe(AdditionalPropertiesDictionary? properties) =>
        properties is null ? [] : new Dictionary<string, object?>(properties);

    /// <summary>Kernel functions reach the model as plugin_function.</summary>
    private static string JoinName(string? plugin, string function) =>
        string.IsNullOrEmpty(plugin) ? function : $"{plugin}_{function}";

    private static (string? Plugin, string Function) SplitName(string name, Kernel? kernel)
    {
        foreach (var plugin in kernel?.Plugins ?? Enumerable.Empty<KernelPlugin>())
        {
            if (name.StartsWith(plugin.Name + "_", StringComparison.Ordinal) &&
                plugin.Contains(name[(plugin.Name.Length + 1)..]))
            {
                return (plugin.Name, name[(plugin.Name.Length + 1)..]);
            }
        }

        return (null, name);
    }
}
