namespace NextGpt.Conversations;

/// <summary>The log of consented turns: journal first, one writer thread, LiteDB as index. Thread-safe.</summary>
public sealed class ConversationLog : IAsyncDisposable
{
    private ConversationLog()
    {
    }

    /// <summary>Opens the log, taking its lock and repairing what a crash left.</summary>
    /// <exception cref="LogLockedException">Another process holds it.</exception>
    public static Task<ConversationLog> OpenAsync(
        ConversationOptions options, TimeProvider time, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Whether turns can be kept right now; false says <c>not_logged</c> and why.</summary>
    public bool IsAvailable => throw new NotImplementedException();

    /// <summary>Why turns are not being kept, as a sentence for the operator, or null.</summary>
    public string? UnavailableBecause => throw new NotImplementedException();

    /// <summary>The key of a person; needs no disk.</summary>
    public PersonKey KeyOf(string surface, string platformUserId) => throw new NotImplementedException();

    /// <summary>What a person has allowed.</summary>
    public ConsentState GetConsent(PersonKey person) => throw new NotImplementedException();

    /// <summary>Records an act of consent or withdrawal; withdrawing <paramref name="keep"/> removes earlier turns.</summary>
    public Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Offers an answered turn; returns once it is on disk, or says why not. Never throws for a full disk.</summary>
    public Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Records a vote on one's own turn; repeating overwrites. False if there is no such turn of theirs.</summary>
    public Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Removes one's own turn. False if there is no such turn of theirs.</summary>
    public Task<bool> RemoveTurnAsync(
        PersonKey person, string turnId, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>A person's kept turns, oldest first.</summary>
    public Task<IReadOnlyList<LoggedTurn>> ReadAsync(
        PersonKey person, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Writes a ZIP of a person's turns (JSON and media) (PRI-3).</summary>
    public Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Erases everything of a person (PRI-4); afterwards a byte search finds nothing. Returns turns removed.</summary>
    public Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>The log is in use by another process; the message names it and says what to do (exit code 4).</summary>
/// <param name="message">For example: The log is in use by process 4711; stop it or use its API.</param>
public sealed class LogLockedException(string message) : Exception(message);
