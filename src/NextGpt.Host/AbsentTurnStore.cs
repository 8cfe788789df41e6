using System.Security.Cryptography;
using System.Text;
using NextGpt.Conversations;

namespace NextGpt.Host;

/// <summary>Stands where the log could not be opened: chat goes on, nothing is kept (DEG-1).</summary>
/// <param name="because">Why nothing is kept, as a sentence.</param>
internal sealed class AbsentTurnStore(string because) : ITurnStore
{
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    public string? UnavailableBecause => because;

    public PersonKey KeyOf(string surface, string personId) =>
        new(Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{surface}\n{personId}")))[..32]);

    public ConsentState GetConsent(PersonKey person) => ConsentState.None;

    public Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default) =>
        Task.FromResult(ConsentState.None);

    public Task<MessageBeginOutcome> BeginAsync(string messageKey, PersonKey person) =>
        Task.FromResult(MessageBeginOutcome.Started);

    public Task EndAsync(string messageKey, MessageEnd end) => Task.CompletedTask;

    public IReadOnlyList<string> InterruptedOf(PersonKey person) => [];

    public Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default) =>
        Task.FromResult(AppendOutcome.NoConsent);

    public Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default) => Task.FromResult(false);

    public TurnVote ReadVote(PersonKey person, string turnId) => TurnVote.None;

    public Task<bool> LinkAsync(
        PersonKey person, string surface, string turnId, IReadOnlyList<TurnLink> links,
        CancellationToken cancellationToken = default) => Task.FromResult(false);

    public IReadOnlyList<LoggedTurn> FindLinked(string surface, TurnLink link) => [];

    public Task<IReadOnlyList<string>> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<string>>([]);

    public Task<bool> RemoveTurnAsync(
        PersonKey person, string turnId, CancellationToken cancellationToken = default) => Task.FromResult(false);

    public Task<IReadOnlyList<LoggedTurn>> ReadAsync(
        PersonKey person, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<LoggedTurn>>([]);

    public Task<IReadOnlyList<string>> ListConversationsAsync(
        PersonKey person, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<string>>([]);

    public Task<IReadOnlyList<LoggedTurn>> ReadConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<LoggedTurn>>([]);

    public Task<bool> NameConversationAsync(
        PersonKey person, string conversationId, string? name, CancellationToken cancellationToken = default) =>
        Task.FromResult(false);

    public string? ReadConversationName(PersonKey person, string conversationId) => null;

    public byte[]? ReadMedium(PersonKey person, string hash) => null;

    public Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default) =>
        Task.FromException(new InvalidOperationException($"Nothing can be exported: {because}"));

    public Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default) =>
        Task.FromException<int>(new InvalidOperationException($"Nothing can be erased: {because}"));
}
