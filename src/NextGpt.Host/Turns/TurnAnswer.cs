using NextGpt.Conversations;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>The answer of a turn whose place has come: prompt, model, memory, log, and what is said beneath it.</summary>
internal sealed class TurnAnswer(
    ModelCall model, ITurnStore store, ConversationMemory memory, TurnQueue queue, FileReading files, TurnOptions options,
    TimeProvider time, TurnKeeping keeping)
{
    private readonly PromptWriter _prompt = new(files, store, options);

    internal const string Disclosure = "An AI answers here; it can be wrong.";

    /// <summary>Answers, remembers and keeps; whether it was kept.</summary>
    public async Task<bool> GiveAsync(
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
        var kept = await keeping.KeepAsync(turn, answered, person, reply);
        if (kept && conversation is not null)
        {
            conversation.MarkKept(turn.Id);
            await keeping.KeepNameAsync(conversation, person);
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

        if (incoming is { GroupId: not null, IsOnesOwn: false } || store.UnavailableBecause is not null || !store.GetConsent(person).Keep)
        {
            conversation.Load([]);
            return;
        }

        conversation.Load(
            await store.ReadConversationAsync(person, conversation.Id.Value),
            store.ReadConversationName(person, conversation.Id.Value));
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
}
