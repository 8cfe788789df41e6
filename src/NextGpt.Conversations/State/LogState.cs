using System.Collections.Concurrent;
using System.Text.Json;
using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>A person's consent with what the journal knows beyond it.</summary>
/// <param name="State">What is allowed.</param>
/// <param name="TrainSince">Sequence number from which turns may train; those kept earlier may not.</param>
internal sealed record PersonConsent(ConsentState State, long TrainSince)
{
    public static PersonConsent None { get; } = new(ConsentState.None, long.MaxValue);
}

/// <summary>What an act took out of memory and what must now be overwritten on disk.</summary>
/// <param name="Turns">Turns removed.</param>
/// <param name="Records">Their records, votes included.</param>
/// <param name="Media">Media that no other turn uses.</param>
/// <param name="Datasets">Datasets that held any of them.</param>
internal sealed record Erased(
    IReadOnlyList<TurnEntry> Turns,
    IReadOnlyList<RecordLocation> Records,
    IReadOnlyList<string> Media,
    IReadOnlyList<string> Datasets);

/// <summary>What the journal says, in memory. Written by the writer's thread, read by any.</summary>
internal sealed class LogState
{
    private readonly ConcurrentDictionary<UInt128, PersonConsent> _consents = [];
    private readonly Dictionary<UInt128, List<RecordLocation>> _consentRecords = [];
    private readonly List<(Tombstone Act, RecordLocation Location)> _tombstones = [];
    private readonly List<RecordLocation> _leftovers = [];
    private readonly List<string> _leftoverMedia = [];

    public TurnDirectory Turns { get; } = new();

    /// <summary>Where the names of conversations lie.</summary>
    public ConversationNames Names { get; } = new();

    /// <summary>Acts that took something back, oldest first.</summary>
    public IReadOnlyList<Tombstone> Tombstones
    {
        get
        {
            lock (_tombstones)
            {
                return [.. _tombstones.Select(pair => pair.Act)];
            }
        }
    }

    /// <summary>People with a consent record.</summary>
    public int People => _consents.Count;

    public PersonConsent ConsentOf(UInt128 person) => _consents.GetValueOrDefault(person, PersonConsent.None);

    /// <summary>A consent record.</summary>
    public static JournalEntry ConsentEntry(UInt128 id, UInt128 person, ConsentContent content, long utcTicks) => new(
        new(RecordKind.Consent, RecordFlags.None, 0, person, id, 0, utcTicks),
        JsonSerializer.SerializeToUtf8Bytes(content, LogJson.Plain.ConsentContent));

    /// <summary>Takes in a record, at opening and after writing alike.</summary>
    public void Apply(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content)
    {
        switch (head.Kind)
        {
            case RecordKind.Turn:
                AddTurn(head, location, content);
                break;
            case RecordKind.Vote:
                if (AddVote(head, location) is { } stale)
                {
                    _leftovers.Add(stale);
                }

                break;
            case RecordKind.Consent:
                AddConsent(head, location, content);
                break;
            case RecordKind.Erasure:
                Keep(Erase(head, location));
                break;
            case RecordKind.Removal:
                Keep(Remove(head, location));
                break;
            case RecordKind.ConversationName:
                _leftovers.AddRange(Names.Add(head, location, content));
                break;
            case RecordKind.TurnLink:
                if (AddLink(head, location) is { } lone)
                {
                    _leftovers.Add(lone);
                }

                break;
            case RecordKind.DatasetUse:
                AddDatasetUse(content);
                break;
            default:
                break;   // of another journal or a later version: not ours to judge
        }
    }

    /// <summary>Records and media that an act took back before the process ended, to be destroyed now.</summary>
    public (IReadOnlyList<RecordLocation> Records, IReadOnlyList<string> Media) TakeLeftovers()
    {
        var found = (_leftovers.ToArray(), _leftoverMedia.Where(hash => !Turns.HasMedium(hash)).ToArray());
        _leftovers.Clear();
        _leftoverMedia.Clear();
        return found;
    }

    public void AddTurn(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content)
    {
        IReadOnlyList<string> media = [];
        if (head.Flags.HasFlag(RecordFlags.HasMedia)
            && JsonSerializer.Deserialize(content, LogJson.Plain.TurnContent) is { } turn)
        {
            media = [.. turn.Media.Select(medium => medium.Hash)];
        }

        Turns.Add(new()
        {
            TurnId = head.Subject,
            Person = head.Person,
            MessageHash = head.MessageHash,
            Location = location,
            Flags = head.Flags,
            KeptAtTicks = head.UtcTicks,
            Media = media,
        });
    }

    /// <summary>Takes in a vote; returns the record to be overwritten: the earlier vote, or this one if the turn is gone.</summary>
    public RecordLocation? AddVote(in RecordHead head, RecordLocation location)
    {
        if (Turns.Find(head.Subject) is not { } turn || turn.Person != head.Person)
        {
            return location;
        }

        var earlier = turn.Vote;
        turn.Vote = location;
        return earlier;
    }

    /// <summary>Takes in a link; returns it if it leads nowhere or is there already, to be overwritten.</summary>
    public RecordLocation? AddLink(in RecordHead head, RecordLocation location) =>
        Turns.Find(head.Subject)?.Person == head.Person && Turns.Link(head.Subject, new(head.MessageHash, location))
            ? null
            : location;

    /// <summary>Takes in an erasure of everything of a person so far.</summary>
    public Erased Erase(in RecordHead head, RecordLocation location)
    {
        var (person, withdrawal) = (head.Person, head.Flags.HasFlag(RecordFlags.Withdrawal));
        var turns = Turns.Where(turn => turn.Person == person);
        var records = turns.SelectMany(RecordsOf).Concat(Names.Remove(Names.Of(person))).ToList();
        var kind = withdrawal ? TombstoneKind.KeepingWithdrawn : TombstoneKind.Erased;
        if (!withdrawal)
        {
            _consents.TryRemove(person, out _);
            records.AddRange(_consentRecords.Remove(person, out var consents) ? consents : []);
        }

        AddTombstone(new(
            TurnDirectory.Text(head.Subject), kind, TurnDirectory.Text(person), "", head.UtcTicks), location);
        return Forget(turns, records);
    }

    /// <summary>Takes in the removal of one turn.</summary>
    public Erased Remove(in RecordHead head, RecordLocation location)
    {
        var turn = Turns.Find(head.Subject);
        AddTombstone(
            new(
                TurnDirectory.Text(head.MessageHash), TombstoneKind.TurnRemoved, TurnDirectory.Text(head.Person),
                TurnDirectory.Text(head.Subject), head.UtcTicks),
            location);
        return turn is null ? Forget([], []) : Forget([turn], [.. RecordsOf(turn)]);
    }

    /// <summary>Forgets turns whose time is over; they need no tombstone, a restored backup is swept by time again.</summary>
    public Erased Expire(IReadOnlyList<TurnEntry> turns) => Forget(turns, [.. turns.SelectMany(RecordsOf)]);

    /// <summary>Forgets acts so old that no backup from before them exists any more; returns their records.</summary>
    public IReadOnlyList<RecordLocation> ExpireTombstones(long beforeUtcTicks)
    {
        lock (_tombstones)
        {
            // Some of these acts are consent records: those stay, only the note goes.
            var old = _tombstones.Where(pair => pair.Act.UtcTicks < beforeUtcTicks).ToList();
            _tombstones.RemoveAll(pair => pair.Act.UtcTicks < beforeUtcTicks);
            return
            [
                .. old
                    .Where(pair => pair.Act.Kind is not (TombstoneKind.TrainingWithdrawn or TombstoneKind.KeepingPaused))
                    .Select(pair => pair.Location),
            ];
        }
    }

    public PersonConsent AddConsent(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content)
    {
        var act = JsonSerializer.Deserialize(content, LogJson.Plain.ConsentContent)
            ?? throw new InvalidDataException("A consent record is empty.");
        var before = ConsentOf(head.Person);
        var version = act.TextVersion.Length > 0 ? act.TextVersion : before.State.TextVersion;
        var keep = act.Keep && version is not null;
        var train = act.Train && keep;
        var since = !train ? long.MaxValue : before.State.Train ? before.TrainSince : location.Sequence;
        var after = new PersonConsent(
            new(keep, train, version, new DateTimeOffset(head.UtcTicks, TimeSpan.Zero)), since);
        _consents[head.Person] = after;
        if (!_consentRecords.TryGetValue(head.Person, out var records))
        {
            _consentRecords[head.Person] = records = [];
        }

        records.Add(location);
        var paused = act.Act == ConsentContent.UnderAge;
        if (paused || (before.State.Train && !train && keep))
        {
            var kind = paused ? TombstoneKind.KeepingPaused : TombstoneKind.TrainingWithdrawn;
            AddTombstone(
                new(TurnDirectory.Text(head.Subject), kind, TurnDirectory.Text(head.Person), "", head.UtcTicks),
                location);
        }

        return after;
    }

    public void AddDatasetUse(ReadOnlySpan<byte> content)
    {
        var use = JsonSerializer.Deserialize(content, LogJson.Plain.DatasetContent)
            ?? throw new InvalidDataException("A dataset record is empty.");
        foreach (var turnId in use.Turns)
        {
            if (TurnDirectory.TryNumber(turnId, out var number) && Turns.Find(number) is { } turn
                && !turn.Datasets.Contains(use.Dataset))
            {
                turn.Datasets = [.. turn.Datasets, use.Dataset];
            }
        }
    }

    /// <summary>Whether a turn may train now.</summary>
    public bool MayTrain(TurnEntry turn)
    {
        var consent = ConsentOf(turn.Person);
        return turn.Flags.HasFlag(RecordFlags.Trainable) && consent.State.Train && turn.Sequence > consent.TrainSince;
    }

    private static IEnumerable<RecordLocation> RecordsOf(TurnEntry turn) =>
        [turn.Location, .. turn.Vote is { } vote ? [vote] : (RecordLocation[])[], .. turn.Links.Select(link => link.Location)];

    private Erased Forget(IReadOnlyList<TurnEntry> turns, IReadOnlyList<RecordLocation> records)
    {
        var media = new List<string>();
        foreach (var turn in turns)
        {
            media.AddRange(Turns.Remove(turn));
        }

        return new(turns, records, media, [.. turns.SelectMany(turn => turn.Datasets).Distinct(StringComparer.Ordinal)]);
    }

    private void AddTombstone(Tombstone act, RecordLocation location)
    {
        lock (_tombstones)
        {
            _tombstones.Add((act, location));
        }
    }

    private void Keep(Erased erased)
    {
        _leftovers.AddRange(erased.Records);
        _leftoverMedia.AddRange(erased.Media);
    }
}
