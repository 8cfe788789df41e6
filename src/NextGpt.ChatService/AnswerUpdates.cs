using Microsoft.Extensions.AI;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>Turns the events of one answer into updates that all carry the answer's ids, role and model.</summary>
/// <param name="createdAt">When work on the answer began.</param>
internal sealed class AnswerUpdates(DateTimeOffset createdAt)
{
    private readonly string _responseId = "nextgpt-" + Guid.NewGuid().ToString("N");
    private readonly string _messageId = "message-" + Guid.NewGuid().ToString("N");
    private GenerationStarted? _started;
    private bool _described;
    private bool _finished;

    /// <summary>The update an event makes, or null where it makes none.</summary>
    public ChatResponseUpdate? Next(GenerationEvent generationEvent)
    {
        switch (generationEvent)
        {
            case GenerationStarted started:
                _started = started;
                return null;

            case TextGenerated text:
                var update = Update(new TextContent(text.Text));
                if (!_described)
                {
                    // The first update says whose words follow, so that a reader need not wait for the end.
                    update.AdditionalProperties = Description(Started);
                    _described = true;
                }

                return update;

            case GenerationFinished finished:
                return Finish(finished);

            default:
                throw new InvalidOperationException(
                    $"The model sent {generationEvent.GetType().Name}, which this version cannot pass on.");
        }
    }

    /// <summary>Throws unless the answer was brought to its end.</summary>
    public void ThrowIfUnfinished()
    {
        if (!_finished)
        {
            throw new InvalidOperationException("The model ended the answer without saying why; ask again.");
        }
    }

    private GenerationStarted Started => _started
        ?? throw new InvalidOperationException("The model spoke before it said that it began.");

    private ChatResponseUpdate Finish(GenerationFinished finished)
    {
        _finished = true;
        var started = Started;
        var update = Update(new UsageContent(new UsageDetails
        {
            InputTokenCount = finished.PromptTokens,
            InputTextTokenCount = finished.PromptTokens,
            OutputTokenCount = finished.ReplyTokens,
            OutputTextTokenCount = finished.ReplyTokens,
            TotalTokenCount = (long)finished.PromptTokens + finished.ReplyTokens,
            CachedInputTokenCount = started.CachedPromptTokens > 0 ? started.CachedPromptTokens : null,
        }));
        update.AdditionalProperties = Description(started);
        update.FinishReason = finished.Reason switch
        {
            GenerationFinishReason.Stop => ChatFinishReason.Stop,
            _ => ChatFinishReason.Length,
        };
        if (finished.Reason == GenerationFinishReason.Repetition)
        {
            update.AdditionalProperties[AnswerMetadata.RepetitionStopped] = true;
        }

        return update;
    }

    private ChatResponseUpdate Update(AIContent content) => new(ChatRole.Assistant, [content])
    {
        ResponseId = _responseId,
        MessageId = _messageId,
        ModelId = Started.ModelId,
        CreatedAt = createdAt,
    };

    private static AdditionalPropertiesDictionary Description(GenerationStarted started)
    {
        var description = new AdditionalPropertiesDictionary
        {
            [AnswerMetadata.Seed] = started.Seed,
            [AnswerMetadata.Adapter] = started.Adapter,
        };
        if (started.DroppedMessages > 0)
        {
            description[AnswerMetadata.TruncatedMessages] = started.DroppedMessages;
        }

        return description;
    }
}
