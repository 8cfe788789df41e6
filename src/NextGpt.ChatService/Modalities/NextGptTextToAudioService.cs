using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.TextToAudio;

namespace NextGpt.ChatService.Modalities;

/// <summary>Makes a sound from its description ("a dog barks twice"). It does not read the text aloud: the model does not speak.</summary>
internal sealed class NextGptTextToAudioService(IChatCompletionService chat) : ITextToAudioService
{
    public IReadOnlyDictionary<string, object?> Attributes => chat.Attributes;

    public async Task<IReadOnlyList<AudioContent>> GetAudioContentsAsync(
        string text, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        var answer = await SingleModality.AskAsync(
            chat, [new TextContent(text)], executionSettings, "audio", "wav", cancellationToken);
        return SingleModality.MediaOf<AudioContent>(answer);
    }
}
