using NextGpt.Conversations;

namespace NextGpt.Host;

/// <summary>What the router needs of the log: there, absent (chat goes on without keeping), or scripted in tests.</summary>
internal interface ITurnStore
{
    /// <summary>Why turns are not being kept, as a sentence for the operator, or null.</summary>
    string? UnavailableBecause { get; }

    /// <summary>Days a kept turn stays; the consent text names them.</summary>
    int RetentionDays => ConsentText.UsualDays;

    /// <summary>The key of a person; needs no disk.</summary>
    PersonKey KeyOf(string surface, string personId);

    /// <summary>What a person has allowed.</summary>
    ConsentState GetConsent(PersonKey person);

    /// <summary>Records an act of consent or withdrawal.</summary>
    Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default);

    /// <summary>Notes that work on a message begins, before it does; says if it came to an end before (TRN-1).</summary>
    /// <param name="messageKey">Unique key of the message.</param>
    /// <param name="person">Whom to tell if the process ends first.</param>
    Task<MessageBeginOutcome> BeginAsync(string messageKey, PersonKey person);

    /// <summary>Notes how work on a message ended.</summary>
    Task EndAsync(string messageKey, MessageEnd end);

    /// <summary>Messages of a person whose answer an earlier process did not finish and did not tell of.</summary>
    IReadOnlyList<string> InterruptedOf(PersonKey person);

    /// <summary>Offers an answered turn.</summary>
    Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default);

    /// <summary>Records a vote; false if there is no such kept turn of theirs.</summary>
    Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default);

    /// <summary>The vote on a person's kept turn.</summary>
    TurnVote ReadVote(PersonKey person, string turnId);

    /// <summary>Adds links to a kept turn; false if there is no such kept turn of theirs.</summary>
    Task<bool> LinkAsync(
        PersonKey person, string surface, string turnId, IReadOnlyList<TurnLink> links,
        CancellationToken cancellationToken = default);

    /// <summary>The kept turns that a link leads to, oldest first.</summary>
    IReadOnlyList<LoggedTurn> FindLinked(string surface, TurnLink link);

    /// <summary>Removes every kept turn that a link leads to; returns their ids.</summary>
    Task<IReadOnlyList<string>> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default);

    /// <summary>Removes a turn; false if there is no such kept turn of theirs.</summary>
    Task<bool> RemoveTurnAsync(PersonKey person, string turnId, CancellationToken cancellationToken = default);

    /// <summary>A person's kept turns, oldest first.</summary>
    Task<IReadOnlyList<LoggedTurn>> ReadAsync(PersonKey person, CancellationToken cancellationToken = default);

    /// <summary>Ids of the conversations a person has kept turns in; reads no content.</summary>
    Task<IReadOnlyList<string>> ListConversationsAsync(PersonKey person, CancellationToken cancellationToken = default);

    /// <summary>A person's kept turns of one conversation, oldest first.</summary>
    Task<IReadOnlyList<LoggedTurn>> ReadConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default);

    /// <summary>Keeps a person's name for a conversation, null takes it away; false if nothing was kept.</summary>
    Task<bool> NameConversationAsync(
        PersonKey person, string conversationId, string? name, CancellationToken cancellationToken = default);

    /// <summary>The kept name of a person's conversation, or null.</summary>
    string? ReadConversationName(PersonKey person, string conversationId);

    /// <summary>The bytes of a medium of a person's kept turns; null if it is not theirs, expired or damaged.</summary>
    byte[]? ReadMedium(PersonKey person, string hash);

    /// <summary>Writes a ZIP of a person's turns.</summary>
    Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Erases everything of a person; returns turns removed.</summary>
    Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default);
}
