using System.Globalization;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Index;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;
using NextGpt.Media;

namespace NextGpt.Conversations;

/// <summary>Reading. Every record is checked when it is read (LOG-6); a damaged one is left out and counted by verify.</summary>
public sealed partial class ConversationLog
{
    private const int MostPerPage = 1_000;

    /// <summary>A person's kept turns, oldest first.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<IReadOnlyList<LoggedTurn>> ReadAsync(
        PersonKey person, CancellationToken cancellationToken = default)
    {
        NumberOf(person);
        var rows = await _index.QueryAsync(
            file => file.OfPerson(person.Value, 0, long.MaxValue, int.MaxValue, newestFirst: false));
        return await TurnsOfAsync(rows, cancellationToken);
    }

    /// <summary>A page of a person's kept turns, newest first.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="before">Only turns with a smaller sequence; <see cref="long.MaxValue"/> begins with the newest.</param>
    /// <param name="most">Turns on the page, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<IReadOnlyList<LoggedTurn>> ReadPageAsync(
        PersonKey person, long before = long.MaxValue, int most = 50, CancellationToken cancellationToken = default)
    {
        NumberOf(person);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MostPerPage);
        var rows = await _index.QueryAsync(
            file => file.OfPerson(person.Value, 0, before - 1, most, newestFirst: true));
        return await TurnsOfAsync(rows, cancellationToken);
    }

    /// <summary>A person's turns of one conversation, oldest first.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<IReadOnlyList<LoggedTurn>> ReadConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default)
    {
        NumberOf(person);
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        var rows = await _index.QueryAsync(
            file => file.OfConversation(person.Value, conversationId, int.MaxValue));
        return await TurnsOfAsync(rows, cancellationToken);
    }

    /// <summary>A person's conversations, the one used last first.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<IReadOnlyList<ConversationSummary>> ListConversationsAsync(
        PersonKey person, CancellationToken cancellationToken = default)
    {
        NumberOf(person);
        cancellationToken.ThrowIfCancellationRequested();
        var rows = await _index.QueryAsync(
            file => file.OfPerson(person.Value, 0, long.MaxValue, int.MaxValue, newestFirst: false));
        return
        [
            .. rows.GroupBy(row => row.Conversation, StringComparer.Ordinal)
                .Select(group => new ConversationSummary(
                    group.Key, group.First().Surface, group.Count(), TimeOf(group.First()), TimeOf(group.Last()))
                {
                    Name = ReadConversationName(person, group.Key),
                })
                .OrderByDescending(summary => summary.Last),
        ];
    }

    /// <summary>One's own turn, or null if there is no such turn of theirs or it is damaged.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public LoggedTurn? ReadTurn(PersonKey person, string turnId)
    {
        var owner = NumberOf(person);
        return TurnDirectory.TryNumber(turnId, out var turn)
            && Core().State.Turns.Find(turn) is { } entry && entry.Person == owner
            ? TurnOf(entry)
            : null;
    }

    /// <summary>A medium of one's own turns, or null if it is not theirs, expired or damaged.</summary>
    /// <param name="person">Who asks.</param>
    /// <param name="hash">SHA-256 as in <see cref="LoggedTurn.MediaHashes"/>.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public byte[]? ReadMedium(PersonKey person, string hash)
    {
        var (owner, core) = (NumberOf(person), Core());
        var isTheirs = core.State.Turns.HasMedium(hash)
            && core.State.Turns.Where(turn => turn.Person == owner && turn.Media.Contains(hash)).Count > 0;
        return isTheirs ? core.Media.Read(hash) : null;
    }

    /// <summary>
    /// A page of all turns that may train now (consent, topics), oldest first, whole and checked. A model's answer is
    /// still no target before a reviewer said so (CUR-1).
    /// </summary>
    /// <param name="after">Only turns with a greater sequence; 0 begins with the oldest.</param>
    /// <param name="most">Turns on the page, 1 to 1,000; fewer mean the end.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<IReadOnlyList<LoggedTurn>> ReadTrainableAsync(
        long after = 0, int most = 500, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MostPerPage);
        return Task.Run<IReadOnlyList<LoggedTurn>>(
            () =>
            {
                var state = Core().State;
                var found = new List<LoggedTurn>();
                foreach (var entry in state.Turns.Where(turn => turn.Sequence > after && state.MayTrain(turn)))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (TurnOf(entry) is { } turn)
                    {
                        found.Add(turn);
                    }

                    if (found.Count == most)
                    {
                        break;
                    }
                }

                return found;
            },
            cancellationToken);
    }

    /// <summary>The audit trail, oldest entry first.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public IReadOnlyList<AuditEntry> ReadAudit() => Core().Audit.Entries;

    private static DateTimeOffset TimeOf(TurnRow row) =>
        DateTimeOffset.Parse(row.AskedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private Task<IReadOnlyList<LoggedTurn>> TurnsOfAsync(List<TurnRow> rows, CancellationToken cancellationToken) =>
        Task.Run<IReadOnlyList<LoggedTurn>>(
            () =>
            {
                var turns = new List<LoggedTurn>(rows.Count);
                foreach (var row in rows)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (Core().State.Turns.Find(TurnDirectory.Number(row.TurnId)) is { } entry
                        && TurnOf(entry) is { } turn)
                    {
                        turns.Add(turn);
                    }
                }

                return turns;
            },
            cancellationToken);

    private LoggedTurn? TurnOf(TurnEntry entry)
    {
        if (ReadContent(entry) is not { } content)
        {
            return null;
        }

        var vote = entry.Vote is { } location && ReadRecord(entry, _ => location) is { } voted
            ? JsonSerializer.Deserialize(voted, LogJson.Plain.VoteContent)
            : null;
        var core = Core();
        return new()
        {
            Turn = new()
            {
                TurnId = entry.Id,
                MessageKey = content.MessageKey,
                ConversationId = content.ConversationId,
                ParentTurnId = content.ParentTurnId,
                Person = new(TurnDirectory.Text(entry.Person)),
                Surface = content.Surface,
                Question = content.Question,
                Answer = content.Answer,
                ModelId = content.ModelId,
                Seed = content.Seed,
                FinishReason = content.FinishReason,
                PromptTokens = content.PromptTokens,
                ReplyTokens = content.ReplyTokens,
                AskedAt = content.AskedAt,
                AnsweredAt = content.AnsweredAt,
            },
            Sequence = entry.Sequence,
            Trainable = core.State.MayTrain(entry),
            MediaHashes = [.. content.Media.Select(medium => medium.Hash)],
            Media =
            [
                .. content.Media.Select(medium => new LoggedMedium(
                    medium.FromPerson, medium.MediaType, medium.Hash, medium.Caption)
                {
                    Kind = medium.Kind is { } kind && Enum.IsDefined((MediaKind)kind) ? (MediaKind)kind : null,
                    TextOffset = medium.TextOffset,
                }),
            ],
            Vote = vote?.Vote ?? TurnVote.None,
            VoteReason = vote?.Reason,
            Correction = vote?.Correction,
            Topics = content.Topics,
            Datasets = entry.Datasets,
            Redactions = content.Redactions,
        };
    }

    private TurnContent? ReadContent(TurnEntry entry) => ReadRecord(entry, found => found.Location) is { } bytes
        ? JsonSerializer.Deserialize(bytes, LogJson.Plain.TurnContent)
        : null;

    /// <summary>
    /// Reads a record of a turn. Compaction or a reopening may close the file just then; the turn's entry in the log that
    /// is open afterwards says where it lies now.
    /// </summary>
    private byte[]? ReadRecord(TurnEntry entry, Func<TurnEntry, RecordLocation> which)
    {
        for (var attempt = 1; ; attempt++)
        {
            var core = Core();
            try
            {
                return core.State.Turns.Find(entry.TurnId) is null ? null : core.Journal.Read(which(entry))?.Content;
            }
            catch (ObjectDisposedException) when (attempt < 3)
            {
                if (Core().State.Turns.Find(entry.TurnId) is not { } moved)
                {
                    return null;
                }

                var isVote = entry.Vote is { } vote && which(entry) == vote;
                which = isVote && moved.Vote is { } now ? _ => now : found => found.Location;
                entry = moved;
            }
            catch (Exception failure) when (failure is ObjectDisposedException || StorageFailure.Is(failure))
            {
                throw new LogUnavailableException("The log cannot be read; check the disk of the log's folder.", failure);
            }
        }
    }

    private IEnumerable<TurnRow> AllRows()
    {
        foreach (var entry in Core().State.Turns.Where(_ => true))
        {
            if (ReadContent(entry) is { } content)
            {
                var vote = entry.Vote is { } location && ReadRecord(entry, _ => location) is { } bytes
                    ? JsonSerializer.Deserialize(bytes, LogJson.Plain.VoteContent)?.Vote ?? TurnVote.None
                    : TurnVote.None;
                yield return TurnRow.Of(entry, content, vote);
            }
        }
    }
}
