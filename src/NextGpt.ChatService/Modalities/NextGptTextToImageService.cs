using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.TextToImage;

namespace NextGpt.ChatService.Modalities;

/// <summary>Draws a picture from a description: the chat service with a picture, and nothing else, asked for.</summary>
/// <remarks>
/// <see cref="NextGptPromptExecutionSettings"/> hold size, steps, guidance and seed. Semantic Kernel's older extension
/// <c>GenerateImageAsync</c> expects an address and does not work with pictures that come as bytes.
/// </remarks>
internal sealed class NextGptTextToImageService(IChatCompletionService chat) : ITextToImageService
{
    public IReadOnlyDictionary<string, object?> Attributes => chat.Attributes;

    public async Task<IReadOnlyList<ImageContent>> GetImageContentsAsync(
        TextContent input, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentException.ThrowIfNullOrWhiteSpace(input.Text, nameof(input));
        var answer = await SingleModality.AskAsync(
            chat, [new TextContent(input.Text)], executionSettings, "image", "png", cancellationToken);
        return SingleModality.MediaOf<ImageContent>(answer);
    }
}
