using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Server.Web.Chats;

/// <summary>What came of a question: a turn, or the reason there is none.</summary>
internal sealed record AskOutcome(ChatTurn? Turn, TurnError? Error);

/// <summary>
/// The page's view of a person's conversations. What was answered is the host's to remember and to forget; the desk adds
/// what only the page shows (turns that run or failed, seed, notices, corrections) and for no longer than the host has the
/// turn. Thread-safe.
/// </summary>
internal sealed class ChatDesk : IDisposable
{
    /// <summary>The surface's name at the host.</summary>
    public const string Surface = "web";

    private const string BeginsAnew =
        "The messages before this one were not kept and have been forgotten; this question begins anew.";

    private readonly ConversationRouter _router;
    private readonly ConversationShelf _shelf;
    private readonly KeptTurns _kept;
    private readonly TimeProvider _time;
    private readonly ChatNotes _notes;

    public ChatDesk(
        ConversationRouter router, ConversationShelf shelf, KeptTurns kept, TimeProvider time, ILogger<ChatDesk> logger)
    {
        (_router, _shelf, _kept, _time) = (router, shelf, kept, time);
        _notes = new ChatNotes(router, kept, time, logger);
    }

    /// <summary>A person's conversations, last used first.</summary>
    public async Task<IReadOnlyList<ShelvedConversation>> ListAsync(string person, CancellationToken cancellationToken)
    {
        var answered = await _shelf.ListAsync(Surface, person, cancellationToken);
        return [.. answered.Concat(Unanswered(person)).OrderByDescending(summary => summary.LastUsed)];
    }

    /// <summary>Those of a person's conversations in whose name, questions or answers the words stand.</summary>
    public async Task<IReadOnlyList<ShelvedConversation>> SearchAsync(
        string person, string words, CancellationToken cancellationToken)
    {
        var found = await _shelf.SearchAsync(Surface, person, words, cancellationToken);
        return
        [
            .. found,
            .. Unanswered(person).Where(summary => summary.Title.Contains(words, StringComparison.OrdinalIgnoreCase)),
        ];
    }

    /// <summary>A conversation; without turns if there is no such conversation of theirs.</summary>
    public async Task<Chat> ReadAsync(string person, string conversation, CancellationToken cancellationToken)
    {
        var past = await _shelf.ReadAsync(Surface, person, new ConversationId(conversation), cancellationToken);
        var consent = _kept.GetConsent(Surface, person);
        var turns = past.Select(turn => Merge(conversation, turn, consent)).ToList();
        var answered = past.Select(turn => turn.TurnId).ToHashSet();
        foreach (var note in _notes.Of(person)
            .Where(note => note.Turn.ConversationId == conversation && !answered.Contains(note.Turn.Id)))
        {
            if (_notes.IsKnown(note))
            {
                turns.Add(note.Turn);
            }
            else
            {
                _notes.Remove(note.Turn.Id);
            }
        }

        var name = _shelf.TitleOf(Surface, person, new ConversationId(conversation));
        return new Chat(conversation, name, [.. turns.OrderBy(turn => turn.AskedAt)]);
    }

    /// <summary>A turn of this person that the page has seen since the program began, or null.</summary>
    public ChatTurn? FindRecent(string person, string turnId) =>
        _notes.Find(turnId) is { } note && note.Person == person && _notes.IsKnown(note) ? note.Turn : null;

    /// <summary>Completes when a turn has ended and its last state can be read.</summary>
    public Task EndOf(string turnId) => _notes.Find(turnId)?.Ended.Task ?? Task.CompletedTask;

    /// <summary>Asks; returns as soon as the host has admitted or refused the question. The answer then comes by itself.</summary>
    /// <param name="person">Who asks.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="cancellationToken">Cancels the waiting, not the turn.</param>
    public async Task<AskOutcome> AskAsync(
        string person, WebQuestion question, CancellationToken cancellationToken)
    {
        var conversation = question.Conversation;
        var chat = await ReadAsync(person, conversation, cancellationToken);
        var parent = chat.Follow(question.After);
        var parts = _router.AskAsync(
            new IncomingTurn
            {
                Surface = Surface,
                PersonId = person,
                Conversation = new ConversationId(conversation),
                MessageId = question.MessageId,
                Text = question.Text,
                Files = question.Files,
                FilesOfTurnId = question.FilesOf,
                AfterTurnId = parent ?? "",
                Settings = question.Settings,
            },
            CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
        var first = await parts.MoveNextAsync() ? parts.Current : null;
        if (first is not TurnAccepted accepted)
        {
            await parts.DisposeAsync();
            return new AskOutcome(null, first is TurnFailed failed ? failed.Error : ErrorCatalogue.Internal.With());
        }

        var turn = new ChatTurn
        {
            Id = accepted.TurnId,
            ConversationId = conversation,
            ParentId = string.IsNullOrEmpty(parent) ? null : parent,
            MessageId = question.MessageId,
            Question = question.Text,
            Make = question.Make,
            FileNames = [.. question.Files.Select(file => file.Name)],
            Media = KeptFiles(chat, question.FilesOf),
            AskedAt = _time.GetUtcNow(),
            Notices = parent is null ? [BeginsAnew] : [],
        };
        return new AskOutcome(await _notes.FollowAsync(person, turn, parts), null);
    }

    /// <summary>The person's files of a turn under way, once they have been read.</summary>
    public IReadOnlyList<PastMedium> FilesOf(string person, string turnId) => _router.FilesOf(turnId, Surface, person);

    /// <summary>Stops a running turn.</summary>
    public bool Stop(string person, string turnId) => _router.Stop(turnId, Surface, person);

    /// <summary>The parts of a running or recent turn.</summary>
    public IAsyncEnumerable<ReplyPart> FollowAsync(string person, string turnId, CancellationToken cancellationToken) =>
        _router.FollowAsync(turnId, Surface, person, 0, cancellationToken);

    /// <summary>Records a vote, with reason and correction if given.</summary>
    public async Task<VoteOutcome> RateAsync(
        string person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken)
    {
        var outcome = await _kept.RateAsync(Surface, person, turnId, vote, reason, correction, cancellationToken);
        if (outcome != VoteOutcome.NoSuchTurn && _notes.Find(turnId) is { } note && note.Person == person)
        {
            note.Change(turn => turn with { Vote = vote, VoteReason = reason, Correction = correction });
        }

        return outcome;
    }

    /// <summary>Removes a turn of theirs. False if there is none.</summary>
    public async Task<bool> RemoveTurnAsync(string person, string turnId, CancellationToken cancellationToken)
    {
        if (!await _kept.RemoveTurnAsync(Surface, person, turnId, cancellationToken))
        {
            return false;
        }

        if (_notes.Remove(turnId) is { } removed)
        {
            foreach (var note in _notes.Of(person))
            {
                note.Change(turn => turn.ParentId == turnId ? turn with { ParentId = removed.Turn.ParentId } : turn);
            }
        }

        return true;
    }

    /// <summary>Gives a conversation a name.</summary>
    public Task<NameOutcome> RenameAsync(
        string person, string conversation, string title, CancellationToken cancellationToken) =>
        _shelf.RenameAsync(Surface, person, new ConversationId(conversation), title, cancellationToken);

    /// <summary>Removes a conversation with every turn.</summary>
    public async Task<bool> RemoveAsync(string person, string conversation, CancellationToken cancellationToken)
    {
        var removed = await _shelf.RemoveAsync(Surface, person, new ConversationId(conversation), cancellationToken);
        foreach (var note in _notes.Of(person).Where(note => note.Turn.ConversationId == conversation).ToList())
        {
            removed |= await _kept.RemoveTurnAsync(Surface, person, note.Turn.Id, cancellationToken);
            _notes.Remove(note.Turn.Id);
        }

        return removed;
    }

    /// <summary>What the person has allowed.</summary>
    public ConsentState GetConsent(string person) => _kept.GetConsent(Surface, person);

    /// <summary>Days a kept turn stays.</summary>
    public int RetentionDays => _kept.RetentionDays;

    /// <summary>Why nothing can be kept now, or null.</summary>
    public string? NotKeptBecause => _kept.UnavailableBecause;

    /// <summary>Records consent or withdrawal; withdrawal makes every turn of theirs not kept.</summary>
    public async Task<ConsentState> SetConsentAsync(
        string person, bool keep, bool train, CancellationToken cancellationToken)
    {
        var state = await _kept.SetConsentAsync(Surface, person, keep, train, cancellationToken);
        foreach (var note in _notes.Of(person))
        {
            note.Change(turn => turn with
            {
                IsKept = turn.IsKept && state.Keep,
                IsTrainable = turn.IsTrainable && state.Train,
            });
        }

        return state;
    }

    /// <summary>Writes a ZIP of what is kept of a person.</summary>
    public Task ExportAsync(string person, Stream destination, CancellationToken cancellationToken) =>
        _kept.ExportAsync(Surface, person, destination, cancellationToken);

    /// <summary>Erases everything of a person; returns the number of kept turns removed.</summary>
    public async Task<int> EraseAsync(string person, CancellationToken cancellationToken)
    {
        foreach (var note in _notes.Of(person).ToList())
        {
            _router.Stop(note.Turn.Id, Surface, person);
            _notes.Remove(note.Turn.Id);
        }

        foreach (var summary in _kept.UnavailableBecause is null ? [] : await ListAsync(person, cancellationToken))
        {
            await _shelf.RemoveAsync(Surface, person, summary.Id, cancellationToken);
        }

        // Without a log nothing was kept, and nothing more is there to erase.
        return _kept.UnavailableBecause is null ? await _kept.EraseAsync(Surface, person, cancellationToken) : 0;
    }

    public void Dispose() => _notes.Dispose();

    /// <summary>The files that a new version of a question has from the version before, until its own are known.</summary>
    private static IReadOnlyList<PastMedium> KeptFiles(Chat chat, string? turnId) =>
        [.. (chat.Find(turnId)?.Media ?? []).Where(medium => medium.FromPerson)];

    /// <summary>Conversations in which nothing has been answered yet: the host does not list them.</summary>
    private IEnumerable<ShelvedConversation> Unanswered(string person) => _notes.Of(person)
        .Where(note => _notes.IsKnown(note)
            && _shelf.TitleOf(Surface, person, new ConversationId(note.Turn.ConversationId)) is null)
        .GroupBy(note => note.Turn.ConversationId)
        .Select(notes => Summarise(notes.Key, [.. notes.Select(note => note.Turn).OrderBy(turn => turn.AskedAt)]));

    private ChatTurn Merge(string conversation, PastTurn past, ConsentState consent)
    {
        var turn = _notes.Find(past.TurnId) is { } note
            ? note.Turn
            : new ChatTurn
            {
                Id = past.TurnId,
                ConversationId = conversation,
                ParentId = past.ParentTurnId,
                Question = past.Question,
                AskedAt = past.AskedAt,
                Answer = past.Answer,
                State = ChatTurnState.Answered,
                FinishReason = past.FinishReason,
                ModelId = past.ModelId,
                Seed = past.Seed,
                Vote = past.Vote,
                VoteReason = past.VoteReason,
                Correction = past.Correction,
            };
        return turn with
        {
            ParentId = past.ParentTurnId,
            Media = past.Media,
            UnderWay = [],
            FileNames = [],
            IsKept = past.Kept,
            IsTrainable = past.Kept && consent.Train,
        };
    }

    private static ShelvedConversation Summarise(string id, IReadOnlyList<ChatTurn> turns) =>
        new(new ConversationId(id), new Chat(id, null, turns).Title, turns.Count, turns[^1].AskedAt, Kept: false);
}
