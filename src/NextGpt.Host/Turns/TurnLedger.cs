using Microsoft.Extensions.Logging;
using NextGpt.Conversations;

namespace NextGpt.Host.Turns;

/// <summary>Writes down that work on a message begins and how it ended, so that none is lost or done twice (TRN-1, QUE-5).</summary>
internal sealed partial class TurnLedger(ITurnStore store, TimeProvider time, ILogger logger)
{
    /// <summary>Writes the attempt down before it is made; says what an earlier process left unanswered (QUE-5).</summary>
    public async Task<bool> BeginAsync(RunningTurn turn, Reply reply)
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

    /// <summary>Notes the end, unless shutdown interrupted it: then the next process tells.</summary>
    public async Task EndAsync(RunningTurn turn, Reply reply)
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

    [LoggerMessage(2004, LogLevel.Error, "The end of turn {TurnId} was not written down: {ExceptionType}")]
    private partial void LogNotKept(string turnId, string? exceptionType);
}
