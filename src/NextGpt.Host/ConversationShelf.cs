using NextGpt.Conversations;
using NextGpt.Host.Memory;
using NextGpt.Host.Turns;
using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>A conversation in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">The person's name for it, else the beginning of its first question; at most 80 characters.</param>
/// <param name="Turns">Answered turns, all branches.</param>
/// <param name="LastUsed">When its last answer was complete, UTC.</param>
/// <param name="Kept">Whether all of its turns are in the log; the others are forgotten after an hour.</param>
public sealed record ShelvedConversation(
    ConversationId Id, string Title, int Turns, DateTimeOffset LastUsed, bool Kept);

/// <summary>An answered turn of a conversation, to show it again.</summary>
public sealed record PastTurn
{
    /// <summary>Its id.</summary>
    public required string TurnId { get; init; }

    /// <summary>The turn it follows, or null at the beginning.</summary>
    public required string? ParentTurnId { get; init; }

    /// <summary>What was asked.</summary>
    public required string Question { get; init; }

    /// <summary>What was answered.</summary>
    public required string Answer { get; init; }

    /// <summary>Files of the question, then media of the answer.</summary>
    public IReadOnlyList<PastMedium> Media { get; init; } = [];

    /// <summary>How the answer ended.</summary>
    public required string FinishReason { get; init; }

    /// <summary>When it was asked, UTC.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Whether it is in the log.</summary>
    public required bool Kept { get; init; }

    /// <summary>Whether a newer revision of its question exists (TRN-5).</summary>
    public required bool Outdated { get; init; }

    /// <summary>Base model and adapter that spoke, where the turn is kept; else null.</summary>
    public string? ModelId { get; init; }

    /// <summary>The seed in use, where the turn is kept.</summary>
    public long? Seed { get; init; }

    /// <summary>The person's vote, where the turn is kept.</summary>
    public TurnVote Vote { get; init; }

    /// <summary>The reason for the vote, where the turn is kept; redacted.</summary>
    public string? VoteReason { get; init; }

    /// <summary>The person's better answer, where the turn is kept; redacted.</summary>
    public string? Correction { get; init; }
}

/// <summary>A person's own conversations: those in memory and, with consent, those in the log. Thread-safe.</summary>
public sealed class ConversationShelf
{
    private const int TitleLength = 80;

    private readonly ITurnStore _store;
    private readonly ConversationMemory _memory;
    private readonly KeptTurns _kept;
    private readonly ConversationRouter _router;

    internal ConversationShelf(
        ITurnStore store, ConversationMemory memory, KeptTurns kept, ConversationRouter router) =>
        (_store, _memory, _kept, _router) = (store, memory, kept, router);

    /// <summary>A person's conversations, last used first.</summary>
    public async Task<IReadOnlyList<ShelvedConversation>> ListAsync(
        string surface, string personId, CancellationToken cancellationToken = default)
    {
        await LoadAllAsync(surface, personId, cancellationToken);
        return
        [
            .. _memory.Of(surface, personId).Where(conversation => conversation.Count > 0).Select(Summarise)
                .OrderByDescending(summary => summary.LastUsed),
        ];
    }

    /// <summary>The turns of a conversation, oldest first; empty if there is no such conversation of theirs.</summary>
    public async Task<IReadOnlyList<PastTurn>> ReadAsync(
        string surface, string personId, ConversationId conversation, CancellationToken cancellationToken = default)
    {
        var logged = (await LoadAsync(surface, personId, conversation, cancellationToken))
            .ToDictionary(turn => turn.Turn.TurnId);
        return
        [
            .. (_memory.Find(surface, personId, conversation)?.Turns ?? [])
                .Select(turn => ToPast(turn, logged.GetValueOrDefault(turn.TurnId))),
        ];
    }

    /// <summary>
    /// A medium of a person's own turns: of one under way, of a conversation in memory, or of a kept turn of those
    /// conversations. Null for everybody else's, unknown, forgotten and removed ones alike (THR-10).
    /// </summary>
    /// <param name="surface">The surface.</param>
    /// <param name="personId">Who asks.</param>
    /// <param name="mediaId">Its id.</param>
    public MediaFile? ReadMedium(string surface, string personId, string mediaId)
    {
        if (_router.FindMedium(mediaId, surface, personId) is { } running)
        {
            return running;
        }

        var medium = _memory.Of(surface, personId).SelectMany(conversation => conversation.Turns)
            .SelectMany(turn => turn.Media).FirstOrDefault(medium => medium.MediaId == mediaId);
        return medium is null ? null : FileOf(_store, _store.KeyOf(surface, personId), medium);
    }

    /// <summary>The file of a medium from memory, else from the log; null if neither has it.</summary>
    internal static MediaFile? FileOf(ITurnStore store, PersonKey person, RememberedMedium medium) =>
        medium.File is { } file ? file
        : medium is { Hash: { } hash, Format: { } format } && store.ReadMedium(person, hash) is { } bytes
            ? new MediaFile(bytes, format) { Kind = medium.Kind }
            : null;

    /// <summary>The name of a conversation in memory, as in the list; null if there is none of theirs.</summary>
    public string? TitleOf(string surface, string personId, ConversationId conversation) =>
        _memory.Find(surface, personId, conversation) is { Count: > 0 } found ? Shorten(found.Title ?? "") : null;

    /// <summary>Those of a person's conversations with these words in name, question or answer; letter case aside.</summary>
    public async Task<IReadOnlyList<ShelvedConversation>> SearchAsync(
        string surface, string personId, string words, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(words);
        return
        [
            .. (await ListAsync(surface, personId, cancellationToken)).Where(conversation => Has(conversation.Title)
                || (_memory.Find(surface, personId, conversation.Id)?.Turns ?? [])
                    .Any(turn => Has(turn.Question) || Has(turn.Answer))),
        ];

        bool Has(string text) => text.Contains(words, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Names a conversation, in memory and, where turns of it are kept, in the log; a blank name takes it away.</summary>
    public async Task<NameOutcome> RenameAsync(
        string surface, string personId, ConversationId conversation, string title,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(title);
        await LoadAsync(surface, personId, conversation, cancellationToken);
        if (_memory.Find(surface, personId, conversation) is not { } found)
        {
            return NameOutcome.NoSuchConversation;
        }

        var cleaned = Shorten(Question.Clean(title)).Trim();
        var name = cleaned.Length == 0 ? null : cleaned;
        var isKept = KeyOfKept(surface, personId) is { } person
            && await _store.NameConversationAsync(person, conversation.Value, name, cancellationToken);
        found.Rename(name, isKept);
        return isKept ? NameOutcome.Kept : NameOutcome.Remembered;
    }

    /// <summary>Removes a conversation with its turns, from memory and log.</summary>
    /// <returns>False if there is no such conversation of theirs.</returns>
    public async Task<bool> RemoveAsync(
        string surface, string personId, ConversationId conversation, CancellationToken cancellationToken = default)
    {
        await LoadAsync(surface, personId, conversation, cancellationToken);
        if (_memory.Find(surface, personId, conversation) is not { } found)
        {
            return false;
        }

        foreach (var turn in found.Turns)
        {
            await _kept.RemoveTurnAsync(surface, personId, turn.TurnId, cancellationToken);
        }

        return _memory.Remove(found.Key);
    }

    /// <summary>Brings the conversations into memory that have kept turns and are not there.</summary>
    private async Task LoadAllAsync(string surface, string personId, CancellationToken cancellationToken)
    {
        if (KeyOfKept(surface, personId) is not { } person)
        {
            return;
        }

        foreach (var id in await _store.ListConversationsAsync(person, cancellationToken))
        {
            if (_memory.Find(surface, personId, new ConversationId(id)) is not { IsLoaded: true })
            {
                await LoadAsync(surface, personId, new ConversationId(id), cancellationToken);
            }
        }
    }

    /// <summary>Brings the kept turns of a conversation into memory that are not there.</summary>
    private async Task<IReadOnlyList<LoggedTurn>> LoadAsync(
        string surface, string personId, ConversationId conversation, CancellationToken cancellationToken)
    {
        if (KeyOfKept(surface, personId) is not { } person)
        {
            return [];
        }

        var logged = await _store.ReadConversationAsync(person, conversation.Value, cancellationToken);
        if (logged.Count > 0)
        {
            _memory.GetOrAdd(surface, personId, conversation)
                .Load(logged, _store.ReadConversationName(person, conversation.Value));
        }

        return logged;
    }

    /// <summary>The person's key at the log, or null if nothing of theirs can be there.</summary>
    private PersonKey? KeyOfKept(string surface, string personId)
    {
        var person = _store.KeyOf(surface, personId);
        return _store.UnavailableBecause is null && _store.GetConsent(person).Keep ? person : null;
    }

    private static PastTurn ToPast(RememberedTurn turn, LoggedTurn? logged) => new()
    {
        TurnId = turn.TurnId,
        ParentTurnId = turn.ParentTurnId,
        Question = turn.Question,
        Answer = turn.Answer,
        Media = [.. turn.Media.Select(medium => medium.ToPast())],
        FinishReason = turn.FinishReason,
        AskedAt = turn.AskedAt,
        Kept = turn.Kept,
        Outdated = turn.Outdated,
        ModelId = logged?.Turn.ModelId,
        Seed = logged?.Turn.Seed,
        Vote = logged?.Vote ?? TurnVote.None,
        VoteReason = logged?.VoteReason,
        Correction = logged?.Correction,
    };

    private static ShelvedConversation Summarise(RememberedConversation conversation)
    {
        var turns = conversation.Turns;
        return new ShelvedConversation(
            conversation.Id, Shorten(conversation.Title ?? ""), turns.Count, turns.Max(turn => turn.AnsweredAt),
            turns.All(turn => turn.Kept));
    }

    private static string Shorten(string title)
    {
        var line = title.ReplaceLineEndings(" ");
        if (line.Length <= TitleLength)
        {
            return line;
        }

        var end = char.IsHighSurrogate(line[TitleLength - 2]) ? TitleLength - 2 : TitleLength - 1;
        return $"{line[..end]}…";
    }
}
