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
            message.Contents = ReadWhole(message.Contents, reader);
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
        Dictionary<object, int> places = [];
        await foreach (var update in base.GetStreamingResponseAsync(prompt, promptOptions, cancellationToken))
        {
            if (reader is null)
            {
                yield return update;
                continue;
            }

            if (update.Contents.Count == 0 && update.FinishReason is null)
            {
                if (IndexOf(update.AdditionalProperties) is { } begun)
                {
                    places.TryAdd(begun, reader.Position);   // the first news of a medium stands where it was spoken
                }

                yield return update;
                continue;
            }

            foreach (var medium in update.Contents.Where(content => content is not TextContent))
            {
                if (IndexOf(medium.AdditionalProperties) is { } index && places.TryGetValue(index, out var place))
                {
                    medium.AdditionalProperties![AnswerMetadata.TextOffset] = place;   // it has an index in there
                }
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

    /// <summary>A whole answer without its calls; media keep their place in the words that are left.</summary>
    private static List<AIContent> ReadWhole(IList<AIContent> answer, ToolCallReader reader)
    {
        var text = string.Concat(answer.OfType<TextContent>().Select(content => content.Text));
        List<AIContent> others = [.. answer.Where(content => content is not TextContent)];
        List<AIContent> contents = [];
        List<(AdditionalPropertiesDictionary Properties, int Place)> places = [];
        var read = 0;
        foreach (var medium in others.Where(content => OffsetOf(content) is not null).OrderBy(content => OffsetOf(content)))
        {
            var offset = Math.Clamp(OffsetOf(medium) ?? 0, read, text.Length);
            contents.AddRange(reader.Read(new TextContent(text[read..offset])));
            read = offset;
            places.Add((medium.AdditionalProperties!, reader.Position));   // its offset stands there
        }

        contents.AddRange(reader.Read(new TextContent(text[read..])));
        contents.AddRange(reader.Complete());
        var length = contents.OfType<TextContent>().Sum(content => content.Text.Length);
        foreach (var (properties, place) in places)
        {
            properties[AnswerMetadata.TextOffset] = Math.Min(place, length);
        }

        return [.. contents, .. others];

        static int? OffsetOf(AIContent content) =>
            content.AdditionalProperties is { } properties && properties.TryGetValue(AnswerMetadata.TextOffset, out int offset)
                ? offset
                : null;
    }

    private static object? IndexOf(AdditionalPropertiesDictionary? properties) =>
        properties?.GetValueOrDefault(AnswerMetadata.MediaIndex);

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
