using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Server.Terminal;

/// <summary>Whom the console talks to: the model in this process, or the running server.</summary>
internal interface IChatPartner : IAsyncDisposable
{
    /// <summary>Base model and adapter, for example <c>smollm2-135m-instruct+2026-11-02</c>.</summary>
    string ModelId { get; }

    /// <summary>Where it computes, or <c>server at http://...</c>.</summary>
    string Place { get; }

    /// <summary>Asks; cancelling stops the answer, whose parts then end with <c>cancelled</c>.</summary>
    IAsyncEnumerable<ReplyPart> AskAsync(Ask ask, CancellationToken stop);

    /// <summary>What the person has allowed, and why nothing is kept nevertheless, or null.</summary>
    Task<(ConsentState Consent, string? NotKeptBecause)> GetConsentAsync(CancellationToken cancellationToken = default);

    /// <summary>What the person is asked to agree to before anything is kept.</summary>
    Task<string> GetKeepTextAsync(CancellationToken cancellationToken = default);

    /// <summary>Allows or withdraws.</summary>
    Task SetConsentAsync(bool keep, bool train, CancellationToken cancellationToken = default);

    /// <summary>Votes on an answer.</summary>
    Task<VoteOutcome> RateAsync(
        string turnId, TurnVote vote, string? reason, string? correction, CancellationToken cancellationToken = default);

    /// <summary>Writes a ZIP of the person's kept turns.</summary>
    Task ExportAsync(Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Erases everything of the person; returns kept turns removed.</summary>
    Task<int> EraseAsync(CancellationToken cancellationToken = default);
}

/// <summary>A question from the console.</summary>
/// <param name="Conversation">Its conversation.</param>
/// <param name="Text">What was typed.</param>
/// <param name="AfterTurnId">See <see cref="IncomingTurn.AfterTurnId"/>.</param>
/// <param name="Settings">Settings of the command line.</param>
internal sealed record Ask(ConversationId Conversation, string Text, string? AfterTurnId, TurnSettings Settings)
{
    /// <summary>What is attached.</summary>
    public IReadOnlyList<IncomingFile> Files { get; init; } = [];

    /// <summary>A turn whose files this one has too, or null.</summary>
    public string? FilesOfTurnId { get; init; }
}
