using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.ImageToText;
using NextGpt.ChatService.Attachments;
using NextGpt.Media;

namespace NextGpt.ChatService.Modalities;

/// <summary>Says in words what is in a picture; an animated one is seen as a clip.</summary>
internal sealed class NextGptImageToTextService(IChatCompletionService chat) : IImageToTextService
{
    private const string Question = "What is in this picture?";

    public IReadOnlyDictionary<string, object?> Attributes => chat.Attributes;

    public async Task<IReadOnlyList<TextContent>> GetTextContentsAsync(
        ImageContent content, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        AttachmentReader.ThrowIfOther(content.Data, MediaKind.Image);
        return SingleModality.TextOf(await SingleModality.AskAsync(
            chat, [content, new TextContent(Question)], executionSettings, "text", format: null, cancellationToken));
    }
}
