using NextGpt.Conversations;

namespace NextGpt.Host;

/// <summary>The store over the conversation log of this process.</summary>
internal sealed class LoggedTurnStore(ConversationLog log) : ITurnStore
{
    public string? UnavailableBecause => log.IsAvailable ? null : log.UnavailableBecause ?? "the log is not available.";

    public int RetentionDays => log.TurnRetentionDays;

    public PersonKey KeyOf(string surface, string personId) => log.KeyOf(surface, personId);

    /// <summary>What the person allowed; what they allowed under an older text is asked again and until then off (PRI-2).</summary>
    public ConsentState GetConsent(PersonKey person)
    {
        var state = log.GetConsent(person);
        return state.TextVersion is null || state.TextVersion == ConsentText.VersionFor(RetentionDays)
            ? state
            : state with { Keep = false, Train = false };
    }

    public Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default) =>
        log.SetConsentAsync(person, keep, train, textVersion, cancellationToken);

    public async Task<MessageBeginOutcome> BeginAsync(string messageKey, PersonKey person) =>
        (await log.TryBeginMessageAsync(messageKey, person.Value)).Outcome;

    public Task EndAsync(string messageKey, MessageEnd end) => log.CompleteMessageAsync(messageKey, end);

    public IReadOnlyList<string> InterruptedOf(PersonKey person) =>
        [.. log.ListInterruptedMessages().Where(message => message.Route == person.Value).Select(m => m.MessageKey)];

    public Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default) =>
        log.AppendAsync(turn, cancellationToken);

    public Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default) =>
        log.RateAsync(person, turnId, vote, reason, correction, cancellationToken);

    public TurnVote ReadVote(PersonKey person, string turnId)
    {
        try
        {
            return log.ReadTurn(person, turnId)?.Vote ?? TurnVote.None;
        }
        catch (LogUnavailableException)
        {
            return TurnVote.None;   // the disk fails: a new vote will say so
        }
    }

    public async Task<bool> LinkAsync(
        PersonKey person, string surface, string turnId, IReadOnlyList<TurnLink> links,
        CancellationToken cancellationToken = default)
    {
        try
        {
            return await log.LinkAsync(person, surface, turnId, links, cancellationToken);
        }
        catch (LogUnavailableException)
        {
            return false;   // the disk fails: votes by button and deletions in this process work all the same
        }
    }

    public IReadOnlyList<LoggedTurn> FindLinked(string surface, TurnLink link)
    {
        try
        {
            return log.FindLinked(surface, link);
        }
        catch (LogUnavailableException)
        {
            return [];
        }
    }

    public Task<IReadOnlyList<string>> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default) =>
        log.RemoveLinkedAsync(surface, link, cancellationToken);

    public Task<bool> RemoveTurnAsync(
        PersonKey person, string turnId, CancellationToken cancellationToken = default) =>
        log.RemoveTurnAsync(person, turnId, cancellationToken);

    public Task<IReadOnlyList<LoggedTurn>> ReadAsync(
        PersonKey person, CancellationToken cancellationToken = default) => log.ReadAsync(person, cancellationToken);

    public async Task<IReadOnlyList<string>> ListConversationsAsync(
        PersonKey person, CancellationToken cancellationToken = default) =>
        [.. (await log.ListConversationsAsync(person, cancellationToken)).Select(summary => summary.ConversationId)];

    public Task<IReadOnlyList<LoggedTurn>> ReadConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default) =>
        log.ReadConversationAsync(person, conversationId, cancellationToken);

    public async Task<bool> NameConversationAsync(
        PersonKey person, string conversationId, string? name, CancellationToken cancellationToken = default)
    {
        try
        {
            return await log.NameConversationAsync(person, conversationId, name, cancellationToken);
        }
        catch (Exception failure) when (failure is LogUnavailableException or ArgumentException)
        {
            return false;   // the disk fails, or it cannot be redacted: the name holds in memory all the same
        }
    }

    public string? ReadConversationName(PersonKey person, string conversationId)
    {
        try
        {
            return log.ReadConversationName(person, conversationId);
        }
        catch (LogUnavailableException)
        {
            return null;   // the first question names it
        }
    }

    public byte[]? ReadMedium(PersonKey person, string hash)
    {
        try
        {
            return log.ReadMedium(person, hash);
        }
        catch (LogUnavailableException)
        {
            return null;   // the disk fails: shown as a medium that is not there
        }
    }

    public Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default) =>
        log.ExportAsync(person, destination, cancellationToken);

    public Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default) =>
        log.EraseAsync(person, cancellationToken);
}
