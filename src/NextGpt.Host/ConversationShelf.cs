using NextGpt.Conversations;
using NextGpt.Host.Memory;
using NextGpt.Host.Turns;

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

    /// <summary>How the answer ended.</summary>
    public required string FinishReason { get; init; }

    /// <summary>When it was asked, UTC.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Whether it is in the log.</summary>
    public required bool Kept { get; init; }

    /// <summary>Whether a newer revision of its question exists (TRN-5).</summary>
    public required bool Outdated { get; init; }

    /// <summary>The person's vote, where the turn is kept.</summary>
    public TurnVote Vote { get; init; }
}

/// <summary>A person's own conversations: those in memory and, with consent, those in the log. Thread-safe.</summary>
public sealed class ConversationShelf
{
    private const int TitleLength = 80;

    private readonly ITurnStore _store;
    private readonly ConversationMemory _memory;
    private readonly KeptTurns _kept;

    internal ConversationShelf(ITurnStore store, ConversationMemory memory, KeptTurns kept) =>
        (_store, _memory, _kept) = (store, memory, kept);

    /// <summary>A person's conversations, last used first.</summary>
    public async Task<IReadOnlyList<ShelvedConversation>> ListAsync(
        string surface, string personId, CancellationToken cancellationToken = default)
    {
        await LoadAsync(surface, personId, cancellationToken);
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
        var logged = await LoadAsync(surface, personId, cancellationToken);
        var votes = logged.ToDictionary(turn => turn.Turn.TurnId, turn => turn.Vote);
        return
        [
            .. (_memory.Find(surface, personId, conversation)?.Turns ?? []).Select(turn => new PastTurn
            {
                TurnId = turn.TurnId,
                ParentTurnId = turn.ParentTurnId,
                Question = turn.Question,
                Answer = turn.Answer,
                FinishReason = turn.FinishReason,
                AskedAt = turn.AskedAt,
                Kept = turn.Kept,
                Outdated = turn.Outdated,
                Vote = votes.GetValueOrDefault(turn.TurnId),
            }),
        ];
    }

    /// <summary>Names a conversation for as long as it is in memory.</summary>
    /// <returns>False if there is no such conversation of theirs.</returns>
    public bool Rename(string surface, string personId, ConversationId conversation, string title)
    {
        if (_memory.Find(surface, personId, conversation) is not { } found)
        {
            return false;
        }

        found.Title = Shorten(Question.Clean(title));
        return true;
    }

    /// <summary>Removes a conversation with its turns, from memory and log.</summary>
    /// <returns>False if there is no such conversation of theirs.</returns>
    public async Task<bool> RemoveAsync(
        string surface, string personId, ConversationId conversation, CancellationToken cancellationToken = default)
    {
        await LoadAsync(surface, personId, cancellationToken);
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

    /// <summary>Brings kept turns into memory that are not there.</summary>
    private async Task<IReadOnlyList<LoggedTurn>> LoadAsync(
        string surface, string personId, CancellationToken cancellationToken)
    {
        var person = _store.KeyOf(surface, personId);
        if (_store.UnavailableBecause is not null || !_store.GetConsent(person).Keep)
        {
            return [];
        }

        var logged = await _store.ReadAsync(person, cancellationToken);
        foreach (var turns in logged.GroupBy(turn => turn.Turn.ConversationId))
        {
            _memory.GetOrAdd(surface, personId, new ConversationId(turns.Key)).Load(turns);
        }

        return logged;
    }

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
