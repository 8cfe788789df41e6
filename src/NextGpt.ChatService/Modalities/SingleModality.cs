using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace NextGpt.ChatService.Modalities;

/// <summary>One question to the chat service with one modality asked for, and no tools: a tool may be what asks.</summary>
internal static class SingleModality
{
    /// <summary>The answer's message.</summary>
    /// <param name="chat">Answers.</param>
    /// <param name="items">The question.</param>
    /// <param name="executionSettings">Settings of any connector, or null.</param>
    /// <param name="modality"><c>text</c>, <c>image</c> or <c>audio</c>.</param>
    /// <param name="format">
    /// The format in which the modality comes, which <c>response_format</c> may name; null where it is the chat's own affair.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The settings ask for something else.</exception>
    public static async Task<ChatMessageContent> AskAsync(
        IChatCompletionService chat, IReadOnlyList<KernelContent> items, PromptExecutionSettings? executionSettings,
        string modality, string? format, CancellationToken cancellationToken)
    {
        var settings = (NextGptPromptExecutionSettings)
            NextGptPromptExecutionSettings.FromExecutionSettings(executionSettings).Clone();
        if (settings.Modalities is { } asked && (asked.Count != 1 || !Equal(asked[0], modality)))
        {
            throw new ArgumentException(
                $"modalities asks for \"{string.Join(", ", asked)}\", but this service makes \"{modality}\"; leave it out.");
        }

        if (format is not null && settings.ResponseFormat is { } wish)
        {
            settings.ResponseFormat = wish is string name && (Equal(name, format) || Equal(name, $"{modality}/{format}"))
                ? null
                : throw new NotSupportedException(
                    $"response_format asks for \"{wish}\", but \"{format}\" is what is made; leave it out.");
        }

        settings.Modalities = [modality];
        settings.FunctionChoiceBehavior = null;
        ChatHistory question = [new ChatMessageContent(AuthorRole.User, [.. items])];
        var answers = await chat.GetChatMessageContentsAsync(question, settings, kernel: null, cancellationToken);
        return answers[^1];
    }

    /// <summary>The media of one kind in an answer that had to hold some.</summary>
    /// <exception cref="InvalidOperationException">It holds none; the reason is told.</exception>
    public static IReadOnlyList<T> MediaOf<T>(ChatMessageContent answer)
        where T : BinaryContent
    {
        IReadOnlyList<T> media = [.. answer.Items.OfType<T>()];
        return media.Count > 0 ? media : throw Missing(answer.InnerContent as ChatResponse);
    }

    /// <summary>The words of an answer.</summary>
    public static IReadOnlyList<Microsoft.SemanticKernel.TextContent> TextOf(ChatMessageContent answer) =>
    [
        new(answer.Content, answer.ModelId, answer.InnerContent, metadata: answer.Metadata),
    ];

    /// <summary>That nothing was made, and why.</summary>
    public static InvalidOperationException Missing(ChatResponse? answer)
    {
        var reason = answer?.Messages.SelectMany(message => message.Contents).OfType<ErrorContent>().FirstOrDefault()?.Message;
        return new InvalidOperationException(
            reason is null ? "The model answered without making what was asked for; ask again." : $"It could not be made: {reason}");
    }

    private static bool Equal(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
