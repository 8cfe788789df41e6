using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Server.Terminal;

/// <summary>The model in this process.</summary>
internal sealed class LocalPartner(
    ConversationRouter router, KeptTurns kept, string modelId, string place, IAsyncDisposable owner) : IChatPartner
{
    private const string Surface = "console";
    private readonly string _person = Environment.UserName;

    public string ModelId => modelId;

    public string Place => place;

    public IAsyncEnumerable<ReplyPart> AskAsync(Ask ask, CancellationToken stop) => router.AskAsync(
        new IncomingTurn
        {
            Surface = Surface,
            PersonId = _person,
            Conversation = ask.Conversation,
            MessageId = Guid.NewGuid().ToString("N"),
            Text = ask.Text,
            Files = ask.Files,
            FilesOfTurnId = ask.FilesOfTurnId,
            AfterTurnId = ask.AfterTurnId,
            Settings = ask.Settings,
        },
        stop);

    public Task<(ConsentState Consent, string? NotKeptBecause)> GetConsentAsync(
        CancellationToken cancellationToken = default) =>
        Task.FromResult((kept.GetConsent(Surface, _person), kept.UnavailableBecause));

    public Task<string> GetKeepTextAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(ConsentText.KeepFor(kept.RetentionDays));

    public Task SetConsentAsync(bool keep, bool train, CancellationToken cancellationToken = default) =>
        kept.SetConsentAsync(Surface, _person, keep, train, cancellationToken);

    public Task<VoteOutcome> RateAsync(
        string turnId, TurnVote vote, string? reason, string? correction, CancellationToken cancellationToken = default) =>
        kept.RateAsync(Surface, _person, turnId, vote, reason, correction, cancellationToken);

    public Task ExportAsync(Stream destination, CancellationToken cancellationToken = default) =>
        kept.ExportAsync(Surface, _person, destination, cancellationToken);

    public Task<int> EraseAsync(CancellationToken cancellationToken = default) =>
        kept.EraseAsync(Surface, _person, cancellationToken);

    public ValueTask DisposeAsync() => owner.DisposeAsync();
}
