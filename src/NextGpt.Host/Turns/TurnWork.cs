using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>One admitted turn from its place in the queue to the log.</summary>
internal sealed partial class TurnWork(
    ModelCall model, ITurnStore store, ConversationMemory memory, TurnQueue queue, FileReading files, TurnOptions options,
    TimeProvider time, TurnMeter meter, ILogger logger)
{
    private readonly TurnLedger _ledger = new(store, time, logger);
    private readonly TurnAnswer _answer = new(
        model, store, memory, queue, files, options, time, new TurnKeeping(store, memory, time, logger));

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
            if (!await _ledger.BeginAsync(turn, reply) || !await ReadFilesAsync(turn, reply, interrupted))
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
                kept = await _answer.GiveAsync(turn, ticket, reply, interrupted);
                meter.Work(reply, waited);
            }
        }
        catch (OperationCanceledException) when (turn.Stopped.IsCancellationRequested)
        {
            (reply.FinishReason, reply.Error) = ("cancelled", null);   // told to stop: no failure (rule 13)
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

        await _ledger.EndAsync(turn, reply);
        Finish(turn, reply, kept, waited);
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
}
