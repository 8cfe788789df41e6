using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using NextGpt.Conversations;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>One admitted turn from its place in the queue to the log.</summary>
internal sealed partial class TurnWork(
    ModelCall model, ITurnStore store, ConversationMemory memory, TurnQueue queue, FileReading files, TurnOptions options,
    TimeProvider time, TurnMeter meter, ILogger logger)
{
    private readonly PromptWriter _prompt = new(files, store, options);
    private readonly TurnKeeping _keeping = new(store, memory, time, logger);

    internal const string Disclosure = "An AI answers here; it can be wrong.";

    /// <summary>Waits, answers, logs; always ends the turn with a last part and gives its place back.</summary>
    public async Task RunAsync(RunningTurn turn, QueueTicket ticket, CancellationToken interrupted)
    {
        var admitted = time.GetTimestamp();
        var reply = new Reply(model.ModelId, turn.Incoming.Settings?.Seed ?? RandomNumberGenerator.GetInt32(int.MaxValue));
        var kept = false;
        var waited = TimeSpan.Zero;
        try
        {
            var place = WaitAsync(turn, ticket, interrupted);
            await Task.Yield();   // the asker is not kept while the model works
            if (!await BeginAsync(turn, reply) || !await ReadFilesAsync(turn, reply, interrupted))
            {
                // Refused; the place is given back below.
            }
            else if (await place is var (reason, error))
            {
                (reply.FinishReason, reply.Error) = (reason, error);
            }
            else
            {
                waited = time.GetElapsedTime(admitted);
                kept = await AnswerAsync(turn, ticket, reply, interrupted);
                meter.Work(reply, waited);
            }
        }
        catch (Exception failure)   // the edge of a turn (rule 21)
        {
            reply.FinishReason = "error";
            reply.Error = ErrorCatalogue.Internal.With();
            LogFailure(turn.Id, reply.Error.Reference, failure.GetType().FullName, failure.StackTrace);
        }
        finally
        {
            queue.Leave(ticket);
        }

        await EndAsync(turn, reply);
        Finish(turn, reply, kept, waited);
    }

    /// <summary>Writes the attempt down before it is made; says what an earlier process left unanswered (QUE-5).</summary>
    private async Task<bool> BeginAsync(RunningTurn turn, Reply reply)
    {
        var person = store.KeyOf(turn.Incoming.Surface, turn.Incoming.PersonId);
        foreach (var lost in store.InterruptedOf(person).Where(lost => lost != turn.MessageKey))
        {
            await store.EndAsync(lost, MessageEnd.LostAndTold);
            turn.Add(
                new AnswerNotice("An earlier question of yours was lost when the program ended; ask it again if you like."),
                time.GetUtcNow());
        }

        reply.Error = await store.BeginAsync(turn.MessageKey, person) switch
        {
            MessageBeginOutcome.Started => null,
            MessageBeginOutcome.Quarantined => ErrorCatalogue.Quarantined.With(),
            _ => ErrorCatalogue.AnsweredBefore.With(),
        };
        turn.IsBegun = reply.Error is null;
        return reply.Error is null;
    }

    /// <summary>Reads what was attached, while the turn waits for its place; false if nothing of it can be used.</summary>
    private async Task<bool> ReadFilesAsync(RunningTurn turn, Reply reply, CancellationToken interrupted)
    {
        if (turn.Incoming.Files.Count == 0)
        {
            return true;
        }

        using var any = CancellationTokenSource.CreateLinkedTokenSource(turn.Stopped, interrupted);
        FilesRead read;
        try
        {
            read = await files.ReadAsync(turn.Id, turn.Incoming.Files, any.Token);
        }
        catch (OperationCanceledException) when (any.IsCancellationRequested)
        {
            (reply.FinishReason, reply.Error) = turn.Stopped.IsCancellationRequested
                ? ("cancelled", null as TurnError)
                : ("interrupted", ErrorCatalogue.Interrupted.With());
            return false;
        }

        turn.FileNotices = read.Notices;
        turn.Files = [.. turn.Files, .. read.Media];
        if (read.Refusal is null)
        {
            return true;
        }

        (reply.FinishReason, reply.Error) = ("error", read.Refusal);
        return false;
    }

    /// <summary>Notes the end, unless shutdown interrupted it: then the next process tells.</summary>
    private async Task EndAsync(RunningTurn turn, Reply reply)
    {
        if (!turn.IsBegun || reply.FinishReason == "interrupted")
        {
            return;
        }

        try
        {
            await store.EndAsync(turn.MessageKey, reply switch
            {
                { FinishReason: "cancelled" } => MessageEnd.Stopped,
                { Error: null } => MessageEnd.Answered,
                _ => MessageEnd.Refused,
            });
        }
        catch (Exception failure)   // the log is never a reason not to answer
        {
            LogNotKept(turn.Id, failure.GetType().FullName);
        }
    }

    /// <summary>Waits for the turn's place, saying where it stands; null when it has come, else how the turn ended.</summary>
    private async Task<(string Reason, TurnError? Error)?> WaitAsync(
        RunningTurn turn, QueueTicket ticket, CancellationToken interrupted)
    {
        using var deadline = new CancellationTokenSource(options.QueueTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(turn.Stopped, interrupted, deadline.Token);
        await using var notice = time.CreateTimer(
            _ => SayPlace(turn, ticket), null, options.QueueNoticeAfter, options.QueueNoticeAfter);
        try
        {
            await ticket.Granted.WaitAsync(any.Token);
            return null;
        }
        catch (OperationCanceledException)
        {
            return turn.Stopped.IsCancellationRequested ? ("cancelled", null)
                : interrupted.IsCancellationRequested ? ("interrupted", ErrorCatalogue.Interrupted.With())
                : ("queue_timeout", ErrorCatalogue.QueueTimeout.RetryIn(
                    TimeSpan.FromMinutes(1), options.QueueTimeout.TotalMinutes));
        }
    }

    private void SayPlace(RunningTurn turn, QueueTicket ticket)
    {
        if (queue.PlaceOf(ticket) is var (position, estimate))
        {
            turn.Add(new TurnQueued(position, estimate), time.GetUtcNow());
        }
    }

    private async Task<bool> AnswerAsync(
        RunningTurn turn, QueueTicket ticket, Reply reply, CancellationToken interrupted)
    {
        var incoming = turn.Incoming;
        var person = store.KeyOf(incoming.Surface, incoming.PersonId);
        var conversation = incoming.History is null ? memory.GetOrAdd(incoming) : null;
        string? parent = null;
        IReadOnlyList<HistoryMessage> history = await _prompt.ReadHistoryAsync(turn, incoming.History ?? []);
        if (conversation is not null)
        {
            await LoadAsync(conversation, incoming, person);
            if (!conversation.TryFindParent(incoming, out parent))
            {
                reply.FinishReason = "error";
                reply.Error = ErrorCatalogue.InvalidRequest.With(
                    "The turn to continue after is not remembered any more; continue after the last one or begin anew.")
                    with
                { Field = "after_turn_id" };
                return false;
            }

            history = [.. conversation.BranchTo(parent).SelectMany(PromptWriter.MessagesOf)];
            if (turn.Files.Count == 0 && incoming.FilesOfTurnId is { } from && conversation.Find(from) is { } earlier)
            {
                turn.Files = [.. earlier.Media.Where(medium => medium.FromPerson)];
            }
        }

        turn.Files = _prompt.FilesOf(turn, person);
        if (incoming.Text.Length == 0 && turn.Files.Count == 0)
        {
            (reply.FinishReason, reply.Error) = ("error", ErrorCatalogue.InvalidRequest.With(
                "The files of the earlier question are not remembered any more; attach them again."));
            return false;
        }

        var media = new ReplyMedia(reply, turn.Id, incoming.Settings, options.MaxMediaPerAnswer);

        await model.AskAsync(
            _prompt.MessagesOf(turn, history, person, out var forgotten), _prompt.SettingsOf(turn, reply), reply, media,
            part => Show(turn, conversation, part), turn.Stopped, interrupted);
        turn.Files = [.. turn.Files.Select(file => file with { Decoded = null })];
        if (!reply.HasAnswer)
        {
            return false;
        }

        var answered = new RememberedTurn
        {
            TurnId = turn.Id,
            ParentTurnId = parent,
            MessageId = incoming.MessageId,
            Revision = incoming.Revision,
            Question = incoming.Text,
            Answer = reply.Text,
            Media = [.. turn.Files, .. reply.Media],
            FinishReason = reply.FinishReason,
            AskedAt = turn.AskedAt,
            AnsweredAt = time.GetUtcNow(),
            Kept = false,
        };
        conversation?.Add(answered);
        conversation?.BoundMedia(options.MaxRememberedMedia, options.MaxRememberedMegabytes * 1024L * 1024);
        memory.BoundMedia(options.MaxRememberedMegabytesInAll * 1024L * 1024);
        queue.Leave(ticket);   // the model is free while the log writes
        SayWhatWasLeftOut(turn, conversation, reply, history.Count, forgotten);
        var kept = await _keeping.KeepAsync(turn, answered, person, reply);
        if (kept)
        {
            conversation?.MarkKept(turn.Id);
        }

        return kept;
    }

    /// <summary>Fetches kept turns of a conversation that is not in memory (restart, or idle for an hour).</summary>
    private async Task LoadAsync(RememberedConversation conversation, IncomingTurn incoming, PersonKey person)
    {
        if (conversation.IsLoaded)
        {
            return;
        }

        if (incoming.GroupId is not null || store.UnavailableBecause is not null || !store.GetConsent(person).Keep)
        {
            conversation.Load([]);
            return;
        }

        conversation.Load(await store.ReadConversationAsync(person, conversation.Id.Value));
    }

    private void Show(RunningTurn turn, RememberedConversation? conversation, ReplyPart part)
    {
        turn.Add(part, time.GetUtcNow());
        if (part is TurnStarted && conversation is { Disclosed: false })
        {
            conversation.Disclosed = true;
            turn.Add(new AnswerNotice(Disclosure), time.GetUtcNow());
        }
    }

    private void SayWhatWasLeftOut(
        RunningTurn turn, RememberedConversation? conversation, Reply reply, int historyMessages, int forgottenMedia)
    {
        foreach (var notice in turn.FileNotices)
        {
            turn.Add(new AnswerNotice(notice), time.GetUtcNow());
        }

        if (reply.MediaLeftOut > 0)
        {
            turn.Add(
                new AnswerNotice(
                    $"An answer has at most {options.MaxMediaPerAnswer} media; {reply.MediaLeftOut} more were left out."),
                time.GetUtcNow());
        }

        if (forgottenMedia > 0)
        {
            turn.Add(
                new AnswerNotice($"Older files of this conversation are not remembered any more ({forgottenMedia}); attach them again."),
                time.GetUtcNow());
        }

        if (reply.DroppedMessages > 0)
        {
            var used = Math.Max(1, historyMessages + 1 - reply.DroppedMessages);
            turn.Add(new AnswerNotice($"Using the last {used} messages; older ones did not fit."), time.GetUtcNow());
        }
        else if (conversation is { Forgot: true })
        {
            turn.Add(
                new AnswerNotice(
                    $"Using the last {historyMessages + 1} messages; what is not kept is forgotten after an hour."),
                time.GetUtcNow());
        }
    }

    private void Finish(RunningTurn turn, Reply reply, bool kept, TimeSpan waited)
    {
        var incoming = turn.Incoming;
        var outcome = reply.Error?.Code ?? reply.FinishReason;
        meter.Turn(incoming.Surface, outcome);
        LogTurn(
            turn.Id, incoming.Surface, Prompt.KindsOf(turn.Files),
            Prompt.KindsOf(reply.Media.Where(made => made.Lost is null)), reply.ModelId, reply.PromptTokens, reply.ReplyTokens,
            (long)waited.TotalMilliseconds, (long)reply.Duration.TotalMilliseconds, outcome,
            reply.Error?.Reference ?? "-", kept);
        turn.Add(
            reply.Error is { } error
                ? new TurnFailed(error)
                : new TurnFinished
                {
                    FinishReason = reply.FinishReason,
                    PromptTokens = reply.PromptTokens,
                    ReplyTokens = reply.ReplyTokens,
                    Kept = kept,
                    Duration = reply.Duration,
                },
            time.GetUtcNow());
    }

    [LoggerMessage(2001, LogLevel.Information,
        "Turn {TurnId} on {Surface}: {Asked} to {Answered}, {Model}, {PromptTokens} + {ReplyTokens} tokens, waited {WaitedMs} ms, "
        + "worked {WorkedMs} ms, {Outcome}, ref {Reference}, kept {Kept}")]
    private partial void LogTurn(
        string turnId, string surface, string asked, string answered, string model, int promptTokens, int replyTokens, long waitedMs, long workedMs,
        string outcome, string reference, bool kept);

    [LoggerMessage(2002, LogLevel.Error, "Turn {TurnId} failed (ref {Reference}): {ExceptionType}\n{Stack}")]
    private partial void LogFailure(string turnId, string reference, string? exceptionType, string? stack);

    [LoggerMessage(2004, LogLevel.Error, "The end of turn {TurnId} was not written down: {ExceptionType}")]
    private partial void LogNotKept(string turnId, string? exceptionType);
}
