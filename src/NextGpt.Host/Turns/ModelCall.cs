using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using NextGpt.ChatService;
using NextGpt.Host.Plugins;

namespace NextGpt.Host.Turns;

/// <summary>Asks the chat client for one reply: streams its parts, watches the clock, turns failures into sentences.</summary>
internal sealed partial class ModelCall(
    IChatClient chat, TurnOptions options, TimeProvider time, ILogger logger, PluginTools tools)
{
    /// <summary>The model's id as known before it speaks.</summary>
    public string ModelId =>
        (chat.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "nextgpt";

    /// <summary>Fills the reply; never throws for what the model or the clock does.</summary>
    /// <param name="messages">The conversation, the question last.</param>
    /// <param name="settings">Settings; the seed is set.</param>
    /// <param name="reply">Filled.</param>
    /// <param name="media">Reads the media of the answer.</param>
    /// <param name="show">Called for the start, each text and what becomes of media.</param>
    /// <param name="stopped">The person's stop.</param>
    /// <param name="interrupted">Shutdown after its grace.</param>
    public async Task AskAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions settings, Reply reply, ReplyMedia media, Action<ReplyPart> show,
        CancellationToken stopped, CancellationToken interrupted)
    {
        var begun = time.GetTimestamp();
        settings.Tools = tools.Offered;
        show(new TurnStarted(reply.ModelId, reply.Seed));
        using var whole = new CancellationTokenSource(options.TurnTimeout, time);
        using var first = new CancellationTokenSource(options.FirstTokenTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(
            stopped, interrupted, whole.Token, first.Token);
        try
        {
            var updates = chat.GetStreamingResponseAsync(messages, settings, any.Token).GetAsyncEnumerator(any.Token);
            while (await NextAsync(updates, any.Token))
            {
                Read(updates.Current, reply);
                foreach (var part in PartsOf(updates.Current, reply, media))
                {
                    if (!reply.HasBegun)
                    {
                        reply.HasBegun = true;
                        first.CancelAfter(Timeout.InfiniteTimeSpan);
                    }

                    if (part is AnswerText && reply.FirstText is null)
                    {
                        reply.FirstText = time.GetElapsedTime(begun);
                    }

                    show(part);
                }
            }
        }
        catch (OperationCanceledException) when (any.IsCancellationRequested)
        {
            (reply.FinishReason, reply.Error) =
                stopped.IsCancellationRequested ? ("cancelled", null)
                : interrupted.IsCancellationRequested ? ("interrupted", ErrorCatalogue.Interrupted.With())
                : !reply.HasBegun && first.IsCancellationRequested
                    ? ("timed_out", ErrorCatalogue.FirstTokenTimeout.With(options.FirstTokenTimeout.TotalSeconds))
                    : ("timed_out", ErrorCatalogue.TurnTimeout.With(options.TurnTimeout.TotalMinutes));
        }
        catch (ChatRefusedException refused)
        {
            reply.FinishReason = "error";
            reply.Error = ErrorOf(refused);
        }
        catch (MediaRefusedException refused)
        {
            reply.FinishReason = "error";
            reply.Error = (ErrorCatalogue.All.FirstOrDefault(entry => entry.Code == refused.Code && entry.Template == "{0}")
                ?? ErrorCatalogue.UnreadableMedia).With(refused.Message);
        }
        catch (Exception failure)   // the edge of a turn (rule 21): everything else becomes a sentence
        {
            reply.FinishReason = "error";
            reply.Error = ErrorOf(failure);
        }

        foreach (var lost in media.Close())
        {
            show(lost);
        }

        reply.MediaLeftOut = media.LeftOut;
        foreach (var (reference, because) in reply.Losses)
        {
            LogMediaLost(reference, because);
        }

        reply.Duration = time.GetElapsedTime(begun);
    }

    private static IEnumerable<ReplyPart> PartsOf(ChatResponseUpdate update, Reply reply, ReplyMedia media)
    {
        foreach (var part in media.ReadStatus(update))
        {
            yield return part;
        }

        foreach (var content in update.Contents)
        {
            switch (content)
            {
                case TextContent { Text.Length: > 0 } text:
                    reply.Append(text.Text);
                    yield return new AnswerText(text.Text);
                    break;
                case DataContent data:
                    foreach (var part in media.Read(data, update))
                    {
                        yield return part;
                    }

                    break;
                case ErrorContent error:
                    foreach (var part in media.Read(error, update))
                    {
                        yield return part;
                    }

                    break;
            }
        }
    }

    /// <summary>The next update; leaves at once when told to, whatever the client does with its token.</summary>
    private static async ValueTask<bool> NextAsync(
        IAsyncEnumerator<ChatResponseUpdate> updates, CancellationToken cancellationToken)
    {
        var next = updates.MoveNextAsync().AsTask();
        try
        {
            if (await next.WaitAsync(cancellationToken))
            {
                return true;
            }

            await updates.DisposeAsync();
            return false;
        }
        catch
        {
            _ = AbandonAsync(updates, next);
            throw;
        }
    }

    private static async Task AbandonAsync(IAsyncEnumerator<ChatResponseUpdate> updates, Task next)
    {
        await next.ContinueWith(static _ => { }, TaskScheduler.Default);
        try
        {
            await updates.DisposeAsync();
        }
        catch (OperationCanceledException)
        {
            // It was told to stop and says so; the turn has its end already.
        }
    }

    private static void Read(ChatResponseUpdate update, Reply reply)
    {
        reply.ModelId = update.ModelId ?? reply.ModelId;
        if (update.AdditionalProperties is { } properties)
        {
            if (properties.TryGetValue(AnswerMetadata.Seed, out long seed))
            {
                reply.Seed = seed;
            }

            if (properties.TryGetValue(AnswerMetadata.TruncatedMessages, out int dropped))
            {
                reply.DroppedMessages = dropped;
            }
        }

        foreach (var usage in update.Contents.OfType<UsageContent>())
        {
            reply.PromptTokens = (int)(usage.Details.InputTokenCount ?? 0);
            reply.ReplyTokens = (int)(usage.Details.OutputTokenCount ?? 0);
        }

        if (update.FinishReason is { } reason)
        {
            reply.FinishReason = reason.Value;
        }
    }

    /// <summary>The model's refusals carry sentences made for people.</summary>
    private static TurnError ErrorOf(ChatRefusedException refused) => refused.Refusal switch
    {
        ChatRefusal.Busy => ErrorCatalogue.BusyModel.RetryIn(TimeSpan.FromSeconds(10), refused.Message),
        ChatRefusal.PromptTooLong => ErrorCatalogue.PromptDoesNotFit.With(refused.Message),
        ChatRefusal.ModelUnavailable => ErrorCatalogue.ModelUnavailable.With(refused.Message),
        _ => ErrorCatalogue.InvalidRequest.With(refused.Message),
    };

    private TurnError ErrorOf(Exception failure)
    {
        var error = ErrorCatalogue.Internal.With();
        LogFailure(error.Reference, failure.GetType().FullName, failure.StackTrace);
        LogFailureMessage(error.Reference, failure.Message);
        return error;
    }

    // The message of an exception may quote a person's words, so it is only traced (rule 26).
    [LoggerMessage(2101, LogLevel.Error, "The model failed (ref {Reference}): {ExceptionType}\n{Stack}")]
    private partial void LogFailure(string reference, string? exceptionType, string? stack);

    [LoggerMessage(2103, LogLevel.Warning, "A medium could not be made (ref {Reference}): {Because}")]
    private partial void LogMediaLost(string reference, string because);

    [LoggerMessage(2102, LogLevel.Trace, "The model failed (ref {Reference}): {Message}")]
    private partial void LogFailureMessage(string reference, string message);
}
