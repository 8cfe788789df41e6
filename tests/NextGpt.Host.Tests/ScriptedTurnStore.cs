using System.Security.Cryptography;
using System.Text;
using NextGpt.Conversations;

namespace NextGpt.Host.Tests;

/// <summary>A log in memory that can be told to fail.</summary>
internal sealed class ScriptedTurnStore : ITurnStore
{
    private readonly Dictionary<PersonKey, ConsentState> _consents = [];

    public List<LoggedTurn> Turns { get; } = [];

    public AppendOutcome? Outcome { get; set; }

    public Exception? Failure { get; set; }

    public string? UnavailableBecause { get; set; }

    public PersonKey KeyOf(string surface, string personId) =>
        new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{surface}/{personId}")))[..32]);

    public ConsentState GetConsent(PersonKey person) => _consents.GetValueOrDefault(person, ConsentState.None);

    public void Allow(string surface, string personId) =>
        _consents[KeyOf(surface, personId)] = new ConsentState(true, false, ConsentText.Version, DateTimeOffset.UnixEpoch);

    public Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default)
    {
        if (!keep)
        {
            Turns.RemoveAll(turn => turn.Turn.Person == person);
        }

        return Task.FromResult(_consents[person] = new ConsentState(keep, train, textVersion, DateTimeOffset.UnixEpoch));
    }

    /// <summary>Messages and how they ended; null is not yet.</summary>
    public Dictionary<string, MessageEnd?> Messages { get; } = [];

    /// <summary>What an earlier process left.</summary>
    public List<(PersonKey Person, string MessageKey)> Interrupted { get; } = [];

    public Task<MessageBeginOutcome> BeginAsync(string messageKey, PersonKey person)
    {
        if (Messages.GetValueOrDefault(messageKey) is not null)
        {
            return Task.FromResult(MessageBeginOutcome.Finished);
        }

        Messages[messageKey] = null;
        return Task.FromResult(MessageBeginOutcome.Started);
    }

    public Task EndAsync(string messageKey, MessageEnd end)
    {
        Messages[messageKey] = end;
        Interrupted.RemoveAll(lost => lost.MessageKey == messageKey);
        return Task.CompletedTask;
    }

    public IReadOnlyList<string> InterruptedOf(PersonKey person) =>
        [.. Interrupted.Where(lost => lost.Person == person).Select(lost => lost.MessageKey)];

    public Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default)
    {
        if (Failure is not null)
        {
            throw Failure;
        }

        if (Outcome is { } outcome)
        {
            return Task.FromResult(outcome);
        }

        Turns.Add(new LoggedTurn
        {
            Turn = turn,
            Sequence = Turns.Count + 1,
            Trainable = false,
            Media =
            [
                .. turn.Media.Select(medium => new LoggedMedium(
                    medium.FromPerson, medium.MediaType, HashOf(medium), medium.Caption)
                {
                    Kind = medium.Kind,
                    TextOffset = medium.TextOffset,
                }),
            ],
        });
        return Task.FromResult(AppendOutcome.Kept);
    }

    public Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default)
    {
        var index = IndexOf(person, turnId);
        if (index >= 0)
        {
            Turns[index] = Turns[index] with { Vote = vote, VoteReason = reason, Correction = correction };
        }

        return Task.FromResult(index >= 0);
    }

    public TurnVote ReadVote(PersonKey person, string turnId) =>
        IndexOf(person, turnId) is >= 0 and var index ? Turns[index].Vote : TurnVote.None;

    /// <summary>Links that were added to turns.</summary>
    public List<(string TurnId, TurnLink Link)> Links { get; } = [];

    public Task<bool> LinkAsync(
        PersonKey person, string surface, string turnId, IReadOnlyList<TurnLink> links,
        CancellationToken cancellationToken = default)
    {
        var isKept = IndexOf(person, turnId) >= 0;
        Links.AddRange(isKept ? links.Select(link => (turnId, link)) : []);
        return Task.FromResult(isKept);
    }

    public IReadOnlyList<LoggedTurn> FindLinked(string surface, TurnLink link) =>
    [
        .. Turns.Where(turn => turn.Turn.Surface == surface
            && (turn.Turn.Links.Contains(link) || Links.Contains((turn.Turn.TurnId, link)))),
    ];

    public Task<IReadOnlyList<string>> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<string> ids = [.. FindLinked(surface, link).Select(turn => turn.Turn.TurnId)];
        Turns.RemoveAll(turn => ids.Contains(turn.Turn.TurnId));
        return Task.FromResult(ids);
    }

    public Task<bool> RemoveTurnAsync(PersonKey person, string turnId, CancellationToken cancellationToken = default)
    {
        var index = IndexOf(person, turnId);
        if (index >= 0)
        {
            Turns.RemoveAt(index);
        }

        return Task.FromResult(index >= 0);
    }

    public Task<IReadOnlyList<string>> ListConversationsAsync(
        PersonKey person, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<string>>(
            [.. Turns.Where(turn => turn.Turn.Person == person).Select(turn => turn.Turn.ConversationId).Distinct()]);

    public Task<IReadOnlyList<LoggedTurn>> ReadAsync(
        PersonKey person, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<LoggedTurn>>([.. Turns.Where(turn => turn.Turn.Person == person)]);

    public async Task<IReadOnlyList<LoggedTurn>> ReadConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default) =>
        [.. (await ReadAsync(person, cancellationToken)).Where(turn => turn.Turn.ConversationId == conversationId)];

    /// <summary>Names of conversations.</summary>
    public Dictionary<(PersonKey Person, string Conversation), string> Names { get; } = [];

    public Task<bool> NameConversationAsync(
        PersonKey person, string conversationId, string? name, CancellationToken cancellationToken = default)
    {
        if (!Turns.Exists(turn => turn.Turn.Person == person && turn.Turn.ConversationId == conversationId))
        {
            return Task.FromResult(false);
        }

        Names.Remove((person, conversationId));
        if (name is not null)
        {
            Names.Add((person, conversationId), name);
        }

        return Task.FromResult(true);
    }

    public string? ReadConversationName(PersonKey person, string conversationId) =>
        Names.GetValueOrDefault((person, conversationId));

    public byte[]? ReadMedium(PersonKey person, string hash) =>
        Turns.Where(turn => turn.Turn.Person == person).SelectMany(turn => turn.Turn.Media)
            .FirstOrDefault(medium => HashOf(medium) == hash)?.Bytes.ToArray();

    private static string HashOf(TurnMedium medium) => Convert.ToHexStringLower(SHA256.HashData(medium.Bytes.Span));

    public Task ExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken = default) =>
        destination.WriteAsync(new byte[] { 1, 2, 3 }, cancellationToken).AsTask();

    public Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default) =>
        Task.FromResult(Turns.RemoveAll(turn => turn.Turn.Person == person));

    private int IndexOf(PersonKey person, string turnId) =>
        Turns.FindIndex(turn => turn.Turn.Person == person && turn.Turn.TurnId == turnId);
}
