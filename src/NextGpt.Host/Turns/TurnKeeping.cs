using Microsoft.Extensions.Logging;
using NextGpt.Conversations;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>Hands answered turns to the log, as far as their people allowed it.</summary>
internal sealed partial class TurnKeeping(ITurnStore store, ConversationMemory memory, TimeProvider time, ILogger logger)
{
    /// <summary>Offers the turn to the log if the person allowed it; failing never blocks the answer (DEG-1).</summary>
    public async Task<bool> KeepAsync(
        RunningTurn turn, RememberedTurn answered, PersonKey person, Reply reply)
    {
        if (turn.Incoming.IsNotKept || !store.GetConsent(person).Keep)
        {
            return false;
        }

        AppendOutcome outcome;
        try
        {
            outcome = await store.AppendAsync(new TurnDraft
            {
                TurnId = turn.Id,
                MessageKey = turn.MessageKey,
                ConversationId = turn.Incoming.Conversation.Value,
                ParentTurnId = answered.ParentTurnId,
                Person = person,
                Surface = turn.Incoming.Surface,
                Question = answered.Question,
                Answer = answered.Answer,
                Media = [.. answered.Media.Where(medium => medium.File is not null).Select(DraftOf)],
                Links = turn.Incoming.Links,
                ModelId = reply.ModelId,
                Seed = reply.Seed,
                FinishReason = reply.FinishReason,
                PromptTokens = reply.PromptTokens,
                ReplyTokens = reply.ReplyTokens,
                AskedAt = answered.AskedAt,
                AnsweredAt = answered.AnsweredAt,
            });
        }
        catch (Exception failure)   // the log is never a reason not to answer
        {
            LogKeepingFailed(turn.Id, failure.GetType().FullName);
            outcome = AppendOutcome.StoreUnavailable;
        }

        switch (outcome)
        {
            case AppendOutcome.Kept or AppendOutcome.Duplicate:
                return true;
            case AppendOutcome.UnderAge:
                foreach (var conversation in memory.Of(turn.Incoming.Surface, turn.Incoming.PersonId))
                {
                    conversation.MarkNothingKept();
                }

                turn.Add(
                    new AnswerNotice("Children are not kept: nothing of yours is kept any more, and what was is erased."),
                    time.GetUtcNow());
                return false;
            case AppendOutcome.RedactionFailed:
                SayNotKept(turn, "this one could not be redacted.");
                return false;
            case AppendOutcome.StoreUnavailable:
                SayNotKept(turn, store.UnavailableBecause ?? "the log cannot be written; its operator has been told.");
                return false;
            default:
                return false;
        }
    }

    /// <summary>A name given before any turn of the conversation was kept is kept with the first one that is.</summary>
    public async Task KeepNameAsync(RememberedConversation conversation, PersonKey person)
    {
        if (conversation.UnkeptName is { } name
            && await store.NameConversationAsync(person, conversation.Id.Value, name))
        {
            conversation.Rename(name, isKept: true);
        }
    }

    /// <summary>As the log takes it. The name of a person's file may be personal: it is not kept.</summary>
    private static TurnMedium DraftOf(RememberedMedium medium) => new(
        medium.FromPerson,
        medium.Format?.MediaType ?? "application/octet-stream",
        medium.File?.Bytes ?? default,
        medium.FromPerson ? null : medium.Caption)
    {
        Kind = medium.Kind,
        TextOffset = medium.TextOffset,
    };

    private void SayNotKept(RunningTurn turn, string because)
    {
        var error = ErrorCatalogue.NotLogged.With(because);
        LogNotLogged(turn.Id, error.Reference, because);
        turn.Add(new AnswerNotice(error.Message), time.GetUtcNow());
    }

    [LoggerMessage(2003, LogLevel.Warning, "Turn {TurnId} was not kept (ref {Reference}): {Because}")]
    private partial void LogNotLogged(string turnId, string reference, string because);

    [LoggerMessage(2005, LogLevel.Error, "Keeping turn {TurnId} failed: {ExceptionType}")]
    private partial void LogKeepingFailed(string turnId, string? exceptionType);
}
