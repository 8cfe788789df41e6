using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.AudioToText;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.ChatService.Attachments;
using NextGpt.Media;

namespace NextGpt.ChatService.Modalities;

/// <summary>Says in words what is to be heard in a sound. It is a description, not a transcript of what somebody says.</summary>
internal sealed class NextGptAudioToTextService(IChatCompletionService chat) : IAudioToTextService
{
    private const string Question = "What do you hear?";

    public IReadOnlyDictionary<string, object?> Attributes => chat.Attributes;

    public async Task<IReadOnlyList<TextContent>> GetTextContentsAsync(
        AudioContent content, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        AttachmentReader.ThrowIfOther(content.Data, MediaKind.Audio);
        return SingleModality.TextOf(await SingleModality.AskAsync(
            chat, [content, new TextContent(Question)], executionSettings, "text", format: null, cancellationToken));
    }
}
