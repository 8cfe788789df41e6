using NextGpt.Conversations;
using NextGpt.Host.Memory;
using NextGpt.Host.Turns;

namespace NextGpt.Host;

/// <summary>What became of a vote.</summary>
public enum VoteOutcome
{
    /// <summary>There is no such turn of this person.</summary>
    NoSuchTurn,

    /// <summary>The turn is not kept: the vote counts in the totals only.</summary>
    Counted,

    /// <summary>Kept with the turn.</summary>
    Kept,
}

/// <summary>
/// A person's say over their own words, for every surface: consent, votes, removal, export, erasure. What the log forgets
/// is forgotten in memory too. Thread-safe.
/// </summary>
public sealed class KeptTurns
{
    private readonly ITurnStore _store;
    private readonly ConversationMemory _memory;
    private readonly ConversationRouter _router;
    private readonly TurnMeter _meter;

    internal KeptTurns(ITurnStore store, ConversationMemory memory, ConversationRouter router, TurnMeter meter) =>
        (_store, _memory, _router, _meter) = (store, memory, router, meter);

    /// <summary>Why nothing is being kept although people allowed it, as a sentence for the operator; null if all is well.</summary>
    public string? UnavailableBecause => _store.UnavailableBecause;

    /// <summary>Days a kept turn stays, as <see cref="ConsentText.KeepFor"/> says them.</summary>
    public int RetentionDays => _store.RetentionDays;

    /// <summary>The version of the consent text in force.</summary>
    public string ConsentVersion => ConsentText.VersionFor(_store.RetentionDays);

    /// <summary>What a person has allowed; consent to an older text counts as none given for the new one.</summary>
    public ConsentState GetConsent(string surface, string personId) =>
        _store.GetConsent(_store.KeyOf(surface, personId));

    /// <summary>Records an act of consent or withdrawal; withdrawing <paramref name="keep"/> removes earlier turns.</summary>
    /// <param name="surface">The surface.</param>
    /// <param name="personId">The person on it.</param>
    /// <param name="keep">The first switch of <see cref="ConsentText"/>.</param>
    /// <param name="train">The second; never without the first.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="ArgumentException">Training without keeping.</exception>
    public async Task<ConsentState> SetConsentAsync(
        string surface, string personId, bool keep, bool train, CancellationToken cancellationToken = default)
    {
        if (train && !keep)
        {
            throw new ArgumentException(
                "Conversations can improve the model only if they are kept; switch keeping on too.", nameof(train));
        }

        var state = await _store.SetConsentAsync(
            _store.KeyOf(surface, personId), keep, train, ConsentVersion, cancellationToken);
        if (!keep)
        {
            // They are gone from the log: in memory they now count as not kept and go after the hour of PRI-1.
            foreach (var conversation in _memory.Of(surface, personId))
            {
                conversation.MarkNothingKept();
            }
        }

        return state;
    }

    /// <summary>Records a vote on one's own turn; repeating overwrites.</summary>
    public async Task<VoteOutcome> RateAsync(
        string surface, string personId, string turnId, TurnVote vote, string? reason = null, string? correction = null,
        CancellationToken cancellationToken = default)
    {
        var kept = await _store.RateAsync(
            _store.KeyOf(surface, personId), turnId, vote, reason, correction, cancellationToken);
        if (!kept && !_router.Knows(turnId, surface, personId) && FindRemembered(surface, personId, turnId) is null)
        {
            return VoteOutcome.NoSuchTurn;
        }

        _meter.Vote(vote switch { TurnVote.Good => "good", TurnVote.Bad => "bad", _ => "none" });
        return kept ? VoteOutcome.Kept : VoteOutcome.Counted;
    }

    /// <summary>Removes one's own turn from memory and log; if it is still being answered it is stopped.</summary>
    /// <returns>False if there is no such turn of theirs.</returns>
    public async Task<bool> RemoveTurnAsync(
        string surface, string personId, string turnId, CancellationToken cancellationToken = default)
    {
        var known = _router.Knows(turnId, surface, personId);
        _router.Forget(surface, personId, turnId);
        var remembered = FindRemembered(surface, personId, turnId)?.Remove(turnId) ?? false;
        var kept = await _store.RemoveTurnAsync(_store.KeyOf(surface, personId), turnId, cancellationToken);
        return known || remembered || kept;
    }

    /// <summary>The vote that stands on one's own kept turn.</summary>
    public TurnVote VoteOf(string surface, string personId, string turnId) =>
        _store.ReadVote(_store.KeyOf(surface, personId), turnId);

    /// <summary>
    /// Notes which messages answer a turn, so that they lead to it after a restart too. Of a turn that is not kept nothing
    /// is noted.
    /// </summary>
    /// <param name="surface">The surface.</param>
    /// <param name="personId">Who asked.</param>
    /// <param name="turnId">Their turn, once it has ended.</param>
    /// <param name="messageIds">Ids of the messages, each unique on the surface; at most 100.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False if the turn is not kept or the log cannot be written.</returns>
    public Task<bool> LinkAnswersAsync(
        string surface, string personId, string turnId, IReadOnlyList<string> messageIds,
        CancellationToken cancellationToken = default) =>
        _store.LinkAsync(
            _store.KeyOf(surface, personId), surface, turnId,
            [.. messageIds.Select(id => new TurnLink(TurnLinkKind.Answer, id))], cancellationToken);

    /// <summary>The kept turns that a message leads to, oldest first, whoever asked; none while the log cannot be read.</summary>
    public IReadOnlyList<LinkedTurn> FindLinked(string surface, TurnLink link) =>
    [
        .. _store.FindLinked(surface, link)
            .Select(logged => new LinkedTurn(logged.Turn.TurnId, new ConversationId(logged.Turn.ConversationId))),
    ];

    /// <summary>
    /// Removes, from log and memory, every kept turn that a message or place leads to: it was deleted, or the bot was
    /// removed from it (TRN-5). Returns how many.
    /// </summary>
    public async Task<int> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default)
    {
        var removed = await _store.RemoveLinkedAsync(surface, link, cancellationToken);
        _router.Forget(removed);
        _memory.Forget(removed);
        return removed.Count;
    }

    /// <summary>Writes a ZIP of a person's kept turns (JSON and media) (PRI-3).</summary>
    /// <exception cref="InvalidOperationException">There is no log.</exception>
    public Task ExportAsync(
        string surface, string personId, Stream destination, CancellationToken cancellationToken = default) =>
        _store.ExportAsync(_store.KeyOf(surface, personId), destination, cancellationToken);

    /// <summary>Erases everything of a person, in memory and on disk (PRI-4). Returns kept turns removed.</summary>
    /// <exception cref="InvalidOperationException">There is no log.</exception>
    public async Task<int> EraseAsync(string surface, string personId, CancellationToken cancellationToken = default)
    {
        _router.Forget(surface, personId);
        foreach (var conversation in _memory.Of(surface, personId))
        {
            _memory.Remove(conversation.Key);
        }

        return await _store.EraseAsync(_store.KeyOf(surface, personId), cancellationToken);
    }

    internal static RememberedTurn Remember(LoggedTurn logged) => new()
    {
        TurnId = logged.Turn.TurnId,
        ParentTurnId = logged.Turn.ParentTurnId,
        MessageId = logged.Turn.MessageKey,
        Revision = 0,
        Question = logged.Turn.Question,
        Answer = logged.Turn.Answer,
        Media = RememberedMedium.Of(logged),
        FinishReason = logged.Turn.FinishReason,
        AskedAt = logged.Turn.AskedAt,
        AnsweredAt = logged.Turn.AnsweredAt,
        Kept = true,
    };

    private RememberedConversation? FindRemembered(string surface, string personId, string turnId) =>
        _memory.Of(surface, personId).FirstOrDefault(conversation => conversation.Has(turnId));
}
