using Microsoft.Extensions.AI;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>Turns the events of one answer into updates that all carry the answer's ids, role and model.</summary>
/// <param name="createdAt">When work on the answer began.</param>
/// <param name="media">The answer's media.</param>
/// <param name="notices">Sentences about files of the question.</param>
internal sealed class AnswerUpdates(DateTimeOffset createdAt, AnswerMedia media, IReadOnlyList<string> notices)
{
    private readonly string _responseId = "nextgpt-" + Guid.NewGuid().ToString("N");
    private readonly string _messageId = "message-" + Guid.NewGuid().ToString("N");
    private GenerationStarted? _started;
    private int _textLength;
    private bool _described;
    private bool _finished;

    /// <summary>The update an event makes, or null where it makes none.</summary>
    /// <remarks>A medium's file is written here, so that it comes before whatever the model says next.</remarks>
    public async ValueTask<ChatResponseUpdate?> NextAsync(
        GenerationEvent generationEvent, CancellationToken cancellationToken)
    {
        switch (generationEvent)
        {
            case GenerationStarted started:
                _started = started;
                return null;

            case TextGenerated text:
                _textLength += text.Text.Length;
                return Update([new TextContent(text.Text)]);

            case MediaBegun begun:
                return Update([], media.Begin(begun, _textLength));

            case MediaProgressed progressed:
                return media.Progress(progressed) is { } progress ? Update([], progress) : null;

            case MediaGenerated made:
                return await CompleteAsync(made, cancellationToken);

            case MediaFailed failed:
                return Fail(failed.Index, failed.Kind, failed.Reason);

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

    /// <summary>
    /// The updates of an answer as the whole answer: one text in front, so that those who look at the first text see
    /// all of it, then the media in order.
    /// </summary>
    public static ChatResponse Join(ChatResponse response)
    {
        foreach (var message in response.Messages)
        {
            var others = message.Contents.Where(content => content is not TextContent).ToList();
            if (others.Count > 0)
            {
                var text = message.Text;
                message.Contents = text.Length > 0 ? [new TextContent(text), .. others] : others;
            }

            foreach (var key in AnswerMetadata.OfAMoment)
            {
                message.AdditionalProperties?.Remove(key);
            }
        }

        return response;
    }

    private GenerationStarted Started => _started
        ?? throw new InvalidOperationException("The model spoke before it said that it began.");

    private async ValueTask<ChatResponseUpdate> CompleteAsync(MediaGenerated made, CancellationToken cancellationToken)
    {
        try
        {
            // The day and not the second (AID-1): the same request gives the same bytes again (TRN-8).
            var day = new DateTimeOffset(createdAt.UtcDateTime.Date, TimeSpan.Zero);
            var mark = new GenerationMark(Started.ModelId, day);
            var (content, moment) = await media.CompleteAsync(made, mark, cancellationToken);
            return Update([content], moment);
        }
        catch (MediaException failed)
        {
            return Fail(made.Index, made.Medium.Kind, failed.Message);
        }
    }

    private ChatResponseUpdate Fail(int index, MediaKind kind, string reason)
    {
        var (content, moment) = media.Fail(index, kind, reason);
        return Update([content], moment);
    }

    private ChatResponseUpdate Finish(GenerationFinished finished)
    {
        _finished = true;
        var update = Update([new UsageContent(UsageOf(finished))], Description());
        update.FinishReason = finished.Reason switch
        {
            GenerationFinishReason.Stop => ChatFinishReason.Stop,
            _ => ChatFinishReason.Length,
        };
        if (finished.Reason == GenerationFinishReason.Repetition)
        {
            (update.AdditionalProperties ??= [])[AnswerMetadata.RepetitionStopped] = true;
        }

        return update;
    }

    private UsageDetails UsageOf(GenerationFinished finished)
    {
        var spent = finished.Media ?? new MediaUsage();
        var usage = new UsageDetails
        {
            InputTokenCount = finished.PromptTokens,
            InputTextTokenCount = finished.PromptTokens - spent.PromptTokens.Values.Sum(),
            InputAudioTokenCount = CountOf(spent.PromptTokens, MediaKind.Audio),
            OutputTokenCount = finished.ReplyTokens,
            OutputTextTokenCount = finished.ReplyTokens - spent.SignalTokens.Values.Sum(),
            OutputAudioTokenCount = CountOf(spent.SignalTokens, MediaKind.Audio),
            TotalTokenCount = (long)finished.PromptTokens + finished.ReplyTokens,
            CachedInputTokenCount = Started.CachedPromptTokens > 0 ? Started.CachedPromptTokens : null,
        };
        Add("input_image_tokens", CountOf(spent.PromptTokens, MediaKind.Image));
        Add("input_video_tokens", CountOf(spent.PromptTokens, MediaKind.Video));
        Add("output_image_signals", CountOf(spent.SignalTokens, MediaKind.Image));
        Add("output_video_signals", CountOf(spent.SignalTokens, MediaKind.Video));
        Add("denoising_steps", spent.DenoisingSteps > 0 ? spent.DenoisingSteps : null);
        Add("media_bytes", media.Bytes > 0 ? media.Bytes : null);
        return usage;

        void Add(string name, long? count)
        {
            if (count is { } value)
            {
                (usage.AdditionalCounts ??= [])[name] = value;
            }
        }
    }

    private static long? CountOf(IReadOnlyDictionary<MediaKind, int> counts, MediaKind kind) =>
        counts.TryGetValue(kind, out var count) && count > 0 ? count : null;

    private ChatResponseUpdate Update(IList<AIContent> contents, AdditionalPropertiesDictionary? properties = null)
    {
        var update = new ChatResponseUpdate(ChatRole.Assistant, contents)
        {
            ResponseId = _responseId,
            MessageId = _messageId,
            ModelId = Started.ModelId,
            CreatedAt = createdAt,
            AdditionalProperties = properties,
        };
        if (!_described)
        {
            // The first update says whose words follow, so that a reader need not wait for the end.
            _described = true;
            update.AdditionalProperties = Description();
            foreach (var (name, value) in properties ?? [])
            {
                update.AdditionalProperties[name] = value;
            }
        }

        return update;
    }

    private AdditionalPropertiesDictionary Description()
    {
        var description = new AdditionalPropertiesDictionary
        {
            [AnswerMetadata.Seed] = Started.Seed,
            [AnswerMetadata.Adapter] = Started.Adapter,
        };
        if (Started.DroppedMessages > 0)
        {
            description[AnswerMetadata.TruncatedMessages] = Started.DroppedMessages;
        }

        if (notices.Count > 0)
        {
            description[AnswerMetadata.AttachmentNotices] = notices;
        }

        return description;
    }
}
