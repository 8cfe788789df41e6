using System.Globalization;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Index;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.Privacy;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>Writing and taking back.</summary>
public sealed partial class ConversationLog
{
    /// <summary>Removes one's own turn. False if there is no such turn of theirs.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<bool> RemoveTurnAsync(
        PersonKey person, string turnId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var owner = NumberOf(person);
        if (!TurnDirectory.TryNumber(turnId, out var turn)
            || !await _writer.AloneAsync(core =>
                core.State.Turns.Find(turn) is { } found && found.Person == owner && RemoveNow(core, [found]) == 1))
        {
            return false;
        }

        await RemoveLoneNamesAsync(owner);
        return true;
    }

    /// <summary>Removes the turn of a message whose sender deleted it (TRN-5). False if it is not kept.</summary>
    /// <param name="messageKey">Its unique key: surface, message id, revision.</param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<bool> RemoveMessageAsync(string messageKey, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(messageKey);
        cancellationToken.ThrowIfCancellationRequested();
        var owner = await _writer.AloneAsync(core =>
            core.State.Turns.FindByMessage(core.Secret.MessageOf(messageKey)) is { } found
            && RemoveNow(core, [found]) == 1
                ? found.Person
                : null as UInt128?);
        if (owner is { } person)
        {
            await RemoveLoneNamesAsync(person);
        }

        return owner is not null;
    }

    /// <summary>Removes a person's conversation; returns the turns removed.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<int> RemoveConversationAsync(
        PersonKey person, string conversationId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        cancellationToken.ThrowIfCancellationRequested();
        var owner = NumberOf(person);
        var rows = await _index.QueryAsync(file => file.OfConversation(person.Value, conversationId, int.MaxValue));
        var removed = await _writer.AloneAsync(core => RemoveNow(core, [.. rows
            .Select(row => core.State.Turns.Find(TurnDirectory.Number(row.TurnId)))
            .OfType<TurnEntry>()
            .Where(turn => turn.Person == owner)]));
        await RemoveLoneNamesAsync(owner);
        return removed;
    }

    /// <summary>Erases everything of a person (PRI-4); afterwards a byte search finds nothing. Returns turns removed.</summary>
    /// <exception cref="LogUnavailableException">The disk fails; what was begun is finished when it works again.</exception>
    public async Task<int> EraseAsync(PersonKey person, CancellationToken cancellationToken = default) =>
        (await ErasePersonAsync(person, cancellationToken)).Turns;

    /// <summary>Erases everything of a person like <see cref="EraseAsync"/> and says what it was.</summary>
    /// <exception cref="LogUnavailableException">The disk fails; what was begun is finished when it works again.</exception>
    public async Task<EraseReport> ErasePersonAsync(PersonKey person, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var number = NumberOf(person);
        var report = await _writer.AloneAsync(core =>
        {
            var head = new RecordHead(
                RecordKind.Erasure, RecordFlags.None, 0, number, NewId(), 0, Now().UtcTicks);
            var location = core.Journal.Append([new(head, default)])[0];
            var erased = core.State.Erase(head, location);
            _withdrawn.Remove(number);
            var media = core.Destroy(erased, number);
            core.Audit.Add(person.Value, "erase", string.Create(
                CultureInfo.InvariantCulture,
                $"turns {erased.Turns.Count}, records {erased.Records.Count}, media {media}, datasets {string.Join(' ', erased.Datasets)}"));
            return new EraseReport(erased.Turns.Count, erased.Records.Count, media, erased.Datasets);
        });
        await _messages.CompactAsync();
        await _index.ScrubAsync();
        return report;
    }

    /// <summary>Notes that turns went into a dataset, for lineage (PRI-5) and so that their media stay.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task RecordDatasetAsync(
        string dataset, IReadOnlyList<string> turnIds, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(dataset);
        cancellationToken.ThrowIfCancellationRequested();
        return _writer.AloneAsync(core =>
        {
            foreach (var some in turnIds.Chunk(10_000))
            {
                var content = JsonSerializer.SerializeToUtf8Bytes(
                    new DatasetContent(dataset, some), LogJson.Plain.DatasetContent);
                var head = new RecordHead(
                    RecordKind.DatasetUse, RecordFlags.None, 0, 0, NewId(), 0, Now().UtcTicks);
                core.Journal.Append([new(head, content)]);
                core.State.AddDatasetUse(content);
            }

            core.Audit.Add("system", "dataset", string.Create(
                CultureInfo.InvariantCulture, $"{dataset}: turns {turnIds.Count}"));
            return true;
        });
    }

    private Task<int> WriteWithdrawalAsync(UInt128 person, ConsentContent act, string how) =>
        _writer.AloneAsync(core =>
        {
            if (!_withdrawn.Has(person))
            {
                return 0;   // written, erased or given again meanwhile
            }

            var (id, ticks) = (NewId(), Now().UtcTicks);
            var erasure = new RecordHead(RecordKind.Erasure, RecordFlags.Withdrawal, 0, person, id, 0, ticks);
            var consent = LogState.ConsentEntry(id, person, act, ticks);
            var locations = core.Journal.Append([new(erasure, default), consent]);
            var erased = core.State.Erase(erasure, locations[0]);
            core.State.AddConsent(consent.Head, locations[1], consent.Content.Span);
            core.Destroy(erased, person);
            _withdrawn.Remove(person);
            _index.Remove([.. erased.Turns.Select(turn => turn.Sequence)]);
            core.Audit.Add(TurnDirectory.Text(person), "withdrawal", string.Create(
                CultureInfo.InvariantCulture, $"{how}, text {act.TextVersion}, turns removed {erased.Turns.Count}"));
            return erased.Turns.Count;
        });

    /// <summary>
    /// Whoever says to be a child is not kept, and what was kept of them before they said so goes too: they could not
    /// have agreed to it (PRI-7).
    /// </summary>
    private async Task SwitchOffForAgeAsync(UInt128 number)
    {
        var act = new ConsentContent(false, false, "", ConsentContent.UnderAge);
        _withdrawn.Add(number, act);   // holds from now on, also if the disk fails
        if (await WriteWithdrawalAsync(number, act, "after a statement of age") > 0)
        {
            await _index.ScrubAsync();
        }
    }

    private int RemoveNow(LogCore core, IReadOnlyList<TurnEntry> turns)
    {
        if (turns.Count == 0)
        {
            return 0;
        }

        var heads = turns.Select(turn => new RecordHead(
            RecordKind.Removal, RecordFlags.None, 0, turn.Person, turn.TurnId, NewId(), Now().UtcTicks)).ToArray();
        var locations = core.Journal.Append([.. heads.Select(head => new JournalEntry(head, default))]);
        var (records, media) = (new List<RecordLocation>(), new List<string>());
        for (var i = 0; i < heads.Length; i++)
        {
            var erased = core.State.Remove(heads[i], locations[i]);
            records.AddRange(erased.Records);
            media.AddRange(erased.Media);
        }

        core.Destroy(new(turns, records, media, []), null);
        _index.Remove([.. turns.Select(turn => turn.Sequence)]);
        core.Audit.Add(TurnDirectory.Text(turns[0].Person), "remove", string.Create(
            CultureInfo.InvariantCulture, $"turns {turns.Count}"));
        return turns.Count;
    }

    private async Task<AppendOutcome> WriteTurnAsync(
        TurnDraft turn, UInt128 person, TurnContent content, bool trainable)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(content, LogJson.Plain.TurnContent);
        var id = TurnDirectory.Number(turn.TurnId);
        return await _writer.SubmitAsync<AppendOutcome>(batch =>
        {
            // Consent is looked at here, between two flushes, where no act can come in between.
            var consent = batch.ConsentOf(person);
            var inForce = _options.ConsentTextVersion is not { } wanted || wanted == consent.Version;
            if (!consent.Keep || !inForce || _withdrawn.Has(person))
            {
                return () => AppendOutcome.NoConsent;
            }

            var message = batch.Core.Secret.MessageOf(turn.MessageKey);
            if (!batch.TryClaim(message, id))
            {
                return () => AppendOutcome.Duplicate;
            }

            var flags = (trainable && consent.Train ? RecordFlags.Trainable : RecordFlags.None)
                | (content.Media.Count > 0 ? RecordFlags.HasMedia : RecordFlags.None);
            var head = new RecordHead(RecordKind.Turn, flags, 0, person, id, message, Now().UtcTicks);
            var place = batch.Add(new(head, bytes));
            var link = AddLinks(batch, turn.Surface, id, person, turn.Links, []);
            return () =>
            {
                batch.Core.State.AddTurn(head, batch.Locations[place], bytes);
                link();
                var entry = batch.Core.State.Turns.Find(id)!;   // added in the line above
                _index.Put([TurnRow.Of(entry, content, TurnVote.None)]);
                return AppendOutcome.Kept;
            };
        });
    }

    private (TurnContent Content, bool Trainable) Redacted(TurnDraft turn)
    {
        var redactor = new Redactor(Volatile.Read(ref _secret));
        var question = redactor.Redact(turn.Question, turn.ConversationId);
        var answer = redactor.Redact(turn.Answer, turn.ConversationId);
        var topics = SensitiveTopicFinder.Find(turn.Question) | SensitiveTopicFinder.Find(turn.Answer);
        var content = new TurnContent
        {
            MessageKey = turn.MessageKey,
            ConversationId = turn.ConversationId,
            ParentTurnId = turn.ParentTurnId,
            Surface = turn.Surface,
            Question = question.Text,
            Answer = answer.Text,
            ModelId = turn.ModelId,
            Seed = turn.Seed,
            FinishReason = turn.FinishReason,
            PromptTokens = turn.PromptTokens,
            ReplyTokens = turn.ReplyTokens,
            AskedAt = turn.AskedAt.ToUniversalTime(),
            AnsweredAt = turn.AnsweredAt.ToUniversalTime(),
            Redactions = question.Count + answer.Count,
            Topics = topics,
        };
        return (content, topics is SensitiveTopics.None);
    }

    private List<string> PutMedia(LogCore core, IReadOnlyList<TurnMedium> media)
    {
        var hashes = new List<string>();
        try
        {
            foreach (var medium in media)
            {
                hashes.Add(core.Media.Put(medium.Bytes.Span));
            }

            return hashes;
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Release(core, hashes);
            throw;
        }
    }

    private List<MediumContent> MediaOf(TurnDraft turn, TurnContent content, IReadOnlyList<string> hashes)
    {
        var redactor = new Redactor(Volatile.Read(ref _secret));
        return
        [
            .. turn.Media.Select((medium, i) => new MediumContent(
                medium.FromPerson,
                medium.MediaType,
                hashes[i],
                medium.Bytes.Length,
                redactor.RedactOptional(medium.Caption, content.ConversationId).Text)
            {
                Kind = (int?)medium.Kind,
                TextOffset = medium.TextOffset,
            }),
        ];
    }

    private void Release(LogCore core, IReadOnlyList<string> hashes)
    {
        if (hashes.Count == 0)
        {
            return;
        }

        try
        {
            // Asked of the log that is open now: compaction may have replaced the one the turn began with. While none is
            // open nobody knows, and the files stay for the sweep.
            core.Media.Release(hashes, hash => _writer.Core?.State.Turns.HasMedium(hash) ?? true);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            // The disk fails: what is left over is an orphan, which the sweep finds.
        }
    }
}
