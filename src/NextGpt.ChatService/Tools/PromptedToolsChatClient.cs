using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace NextGpt.ChatService.Tools;

/// <summary>Gives tools to a model without tokens for them: writes them as text, reads calls from its words.</summary>
/// <remarks>
/// Tools become system text, calls and results of earlier turns become the texts the model would have written and read
/// (<see cref="ToolPrompt"/>); a call it writes becomes a <see cref="FunctionCallContent"/> and leaves the text
/// (<see cref="ToolCallReader"/>). Without tools, or with <see cref="ChatToolMode.None"/>, nothing is read as a call.
/// </remarks>
internal sealed class PromptedToolsChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var (prompt, promptOptions, reader) = Prepare(messages, options);
        var response = await base.GetResponseAsync(prompt, promptOptions, cancellationToken);
        if (reader is null)
        {
            return response;
        }

        foreach (var message in response.Messages)
        {
            message.Contents = [.. message.Contents.SelectMany(reader.Read), .. reader.Complete()];
        }

        if (reader.CallCount > 0)
        {
            response.FinishReason = ChatFinishReason.ToolCalls;
        }

        return response;
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var (prompt, promptOptions, reader) = Prepare(messages, options);
        AdditionalPropertiesDictionary? withheld = null;
        await foreach (var update in base.GetStreamingResponseAsync(prompt, promptOptions, cancellationToken))
        {
            if (reader is null)
            {
                yield return update;
                continue;
            }

            List<AIContent> contents = [.. update.Contents.OfType<TextContent>().SelectMany(reader.Read)];
            List<AIContent> others = [.. update.Contents.Where(content => content is not TextContent)];
            if (update.FinishReason is not null)
            {
                contents.AddRange(reader.Complete());
            }

            if (contents.Count > 0)
            {
                var spoken = update.Clone();
                spoken.Contents = contents;
                spoken.FinishReason = null;
                spoken.AdditionalProperties = withheld ?? update.AdditionalProperties;
                withheld = null;
                yield return spoken;
            }
            else if (others.Count == 0 && update.FinishReason is null)
            {
                withheld ??= update.AdditionalProperties;   // its words may be a call; the rest comes with the next
            }

            if (others.Count > 0 || update.FinishReason is not null)
            {
                var rest = update.Clone();
                rest.Contents = others;
                rest.FinishReason = update.FinishReason is not null && reader.CallCount > 0
                    ? ChatFinishReason.ToolCalls
                    : update.FinishReason;
                yield return rest;
            }
        }
    }

    private (IReadOnlyList<ChatMessage> Prompt, ChatOptions? Options, ToolCallReader? Reader) Prepare(
        IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        IReadOnlyList<ChatMessage> conversation = [.. messages];
        var prompt = ToolPrompt.WriteExchanges(conversation);
        if (options?.Tools is not { Count: > 0 } tools)
        {
            return (prompt, options, null);
        }

        var offered = ToolPrompt.Offered(tools, options.ToolMode);
        var promptOptions = options.Clone();
        promptOptions.Tools = null;
        promptOptions.ToolMode = null;
        promptOptions.AllowMultipleToolCalls = null;
        if (offered.Count == 0)
        {
            return (prompt, promptOptions, null);
        }

        var settings = ChatRequestReader.ReadSettings(options, this);
        var oneCall = options.AllowMultipleToolCalls is false;
        var own = ChatRequestReader.ReadInstructions(conversation, options, settings);
        var toolText = ToolPrompt.WriteTools(offered, required: options.ToolMode is RequiredChatToolMode, oneCall);
        promptOptions.Instructions = own is null ? toolText : $"{own}\n\n{toolText}";
        promptOptions.StopSequences =
        [
            .. options.StopSequences ?? settings.StopSequences ?? [],
            ToolPrompt.ResultStart,   // results are ours to write
            .. oneCall ? [ToolPrompt.CallEnd] : Array.Empty<string>(),
        ];
        return (prompt, promptOptions, new ToolCallReader(offered, oneCall));
    }
}
