using NextGpt.Conversations;

namespace NextGpt.Host;

/// <summary>What the router needs of the log: there, absent (chat goes on without keeping), or scripted in tests.</summary>
internal interface ITurnStore
{
    /// <summary>Why turns are not being kept, as a sentence for the operator, or null.</summary>
    string? UnavailableBecause { get; }

    /// <summary>The key of a person; needs no disk.</summary>
    PersonKey KeyOf(string surface, string personId);

    /// <summary>What a person has allowed.</summary>
    ConsentState GetConsent(PersonKey person);

    /// <summary>Records an act of consent or withdrawal.</summary>
    Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default);

    /// <summary>Offers an answered turn.</summary>
    Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default);

    /// <summary>Records a vote; false if there is no such kept turn of theirs.</summary>
    Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default);

    /// <summary>Removes a turn; false if there is no such kept turn of theirs.</summary>
    Task<bool> RemoveTurnAsync(PersonKey person, string turnId, CancellationToken cancellationToken = default);

    /// <summary>A person's kept turns, oldest first.</summary>
    Task<IReadOnlyList<LoggedTurn>> ReadAsync(PersonKey person, CancellationToken cancellationToken = default);

    /// <summary>Writes a ZIP of a person's turns.</summary>
    Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Erases everything of a person; returns turns removed.</summary>
    Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default);
}
