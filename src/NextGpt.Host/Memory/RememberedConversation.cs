using System.Security.Cryptography;
using NextGpt.Conversations;

namespace NextGpt.Host.Memory;

/// <summary>A conversation in memory: a tree of turns (edits and regenerations branch). Guarded by its own lock.</summary>
internal sealed class RememberedConversation(string key, string surface, string personId, ConversationId id)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RememberedTurn> _turns = [];
    private string? _lastTurnId;
    private string? _name;
    private bool _nameIsKept;
    private bool _forgot;

    public string Key { get; } = key;

    public string Surface { get; } = surface;

    /// <summary>Who began it.</summary>
    public string PersonId { get; } = personId;

    public ConversationId Id { get; } = id;

    /// <summary>Whether kept turns of it were looked for in the log.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>Whether it was said that an AI answers (AID-1).</summary>
    public bool Disclosed { get; set; }

    /// <summary>Whether turns of it were forgotten that the model might be expected to know (TRN-6).</summary>
    public bool Forgot
    {
        get
        {
            lock (_gate)
            {
                return _forgot;
            }
        }
    }

    /// <summary>Turns in memory.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _turns.Count;
            }
        }
    }

    /// <summary>The name given by the person, else the beginning of the first question.</summary>
    public string? Title
    {
        get
        {
            lock (_gate)
            {
                return _name ?? _turns.Values.MinBy(turn => turn.AskedAt)?.Question;
            }
        }
    }

    /// <summary>The name given by the person that the log does not have yet, or null.</summary>
    public string? UnkeptName
    {
        get
        {
            lock (_gate)
            {
                return _nameIsKept ? null : _name;
            }
        }
    }

    /// <summary>Takes the person's name for it; null takes it away.</summary>
    public void Rename(string? name, bool isKept)
    {
        lock (_gate)
        {
            (_name, _nameIsKept) = (name, isKept);
        }
    }

    /// <summary>All turns, oldest first.</summary>
    public IReadOnlyList<RememberedTurn> Turns
    {
        get
        {
            lock (_gate)
            {
                return [.. _turns.Values.OrderBy(turn => turn.AskedAt)];
            }
        }
    }

    /// <summary>Where a new turn continues: null parent is the beginning; false if the named turn is unknown.</summary>
    public bool TryFindParent(IncomingTurn turn, out string? parent)
    {
        lock (_gate)
        {
            if (turn.AfterTurnId is { } after)
            {
                parent = after.Length == 0 ? null : after;
                return parent is null || _turns.ContainsKey(parent);
            }

            var earlier = _turns.Values.Where(other => other.MessageId == turn.MessageId && other.Revision < turn.Revision)
                .MaxBy(other => other.Revision);
            parent = earlier is null ? _lastTurnId : earlier.ParentTurnId;
            return true;
        }
    }

    /// <summary>The turns from the beginning of the branch to the given one, oldest first.</summary>
    public IReadOnlyList<RememberedTurn> BranchTo(string? turnId)
    {
        lock (_gate)
        {
            var branch = new List<RememberedTurn>();
            while (turnId is not null && _turns.TryGetValue(turnId, out var turn))
            {
                branch.Add(turn);
                turnId = turn.ParentTurnId;
            }

            branch.Reverse();
            return branch;
        }
    }

    /// <summary>Adds an answered turn as the last one; earlier revisions of its question become outdated.</summary>
    public void Add(RememberedTurn turn)
    {
        lock (_gate)
        {
            foreach (var other in _turns.Values
                .Where(other => other.MessageId == turn.MessageId && other.Revision < turn.Revision).ToList())
            {
                _turns[other.TurnId] = other with { Outdated = true };
            }

            _turns[turn.TurnId] = turn;
            _lastTurnId = turn.TurnId;
        }
    }

    /// <summary>A turn, or null.</summary>
    public RememberedTurn? Find(string turnId)
    {
        lock (_gate)
        {
            return _turns.GetValueOrDefault(turnId);
        }
    }

    /// <summary>Memory that its media take, in bytes.</summary>
    public long MediaBytes
    {
        get
        {
            lock (_gate)
            {
                return _turns.Values.Sum(BytesOf);
            }
        }
    }

    /// <summary>When the oldest turn with a medium in memory was asked; null if there is none.</summary>
    public DateTimeOffset? OldestMedium
    {
        get
        {
            lock (_gate)
            {
                return _turns.Values.Where(turn => BytesOf(turn) > 0).MinBy(turn => turn.AskedAt)?.AskedAt;
            }
        }
    }

    /// <summary>Gives up the files of the oldest turns until no more than this is left.</summary>
    public void BoundMedia(int most, long mostBytes)
    {
        lock (_gate)
        {
            var (count, bytes) = (0, 0L);
            foreach (var turn in _turns.Values.Where(turn => turn.Media.Count > 0).Reverse()
                .OrderByDescending(turn => turn.AskedAt).ToList())
            {
                count += turn.Media.Count(medium => medium.File is not null);
                bytes += BytesOf(turn);
                if (count > most || bytes > mostBytes)
                {
                    _turns[turn.TurnId] = turn with { Media = [.. turn.Media.Select(medium => medium with { File = null })] };
                }
            }
        }
    }

    private static long BytesOf(RememberedTurn turn) => turn.Media.Sum(medium => (long)(medium.File?.Bytes.Length ?? 0));

    /// <summary>Whether it has this turn.</summary>
    public bool Has(string turnId)
    {
        lock (_gate)
        {
            return _turns.ContainsKey(turnId);
        }
    }

    /// <summary>Brings in kept turns that are not in memory; the newest of all becomes the last one.</summary>
    /// <param name="kept">Turns in the log.</param>
    /// <param name="name">The name in the log; one given since then stays.</param>
    public void Load(IEnumerable<LoggedTurn> kept, string? name = null)
    {
        lock (_gate)
        {
            IsLoaded = true;
            if (_name is null && name is not null)
            {
                (_name, _nameIsKept) = (name, true);
            }

            foreach (var turn in kept.Select(KeptTurns.Remember).Where(turn => !_turns.ContainsKey(turn.TurnId)))
            {
                Disclosed = true;
                _turns[turn.TurnId] = turn;
                if (_lastTurnId is null || _turns[_lastTurnId].AskedAt < turn.AskedAt)
                {
                    _lastTurnId = turn.TurnId;
                }
            }
        }
    }

    /// <summary>Notes that a turn is in the log, with its media by their hashes.</summary>
    public void MarkKept(string turnId)
    {
        lock (_gate)
        {
            if (_turns.TryGetValue(turnId, out var turn))
            {
                _turns[turnId] = turn with { Kept = true, Media = [.. turn.Media.Select(HashOf)] };
            }
        }
    }

    /// <summary>Notes that no turn is in the log any more.</summary>
    public void MarkNothingKept()
    {
        lock (_gate)
        {
            _nameIsKept = false;
            foreach (var turn in _turns.Values.Where(turn => turn.Kept).ToList())
            {
                _turns[turn.TurnId] = turn with
                {
                    Kept = false,
                    Media = [.. turn.Media.Select(medium => medium with { Hash = null })],
                };
            }
        }
    }

    private static RememberedMedium HashOf(RememberedMedium medium) => medium.File is { } file
        ? medium with { Hash = Convert.ToHexStringLower(SHA256.HashData(file.Bytes.Span)) }
        : medium;

    /// <summary>Removes a turn; those after it stay and continue after its parent.</summary>
    public bool Remove(string turnId)
    {
        lock (_gate)
        {
            if (!_turns.Remove(turnId, out var removed))
            {
                return false;
            }

            foreach (var child in _turns.Values.Where(child => child.ParentTurnId == turnId).ToList())
            {
                _turns[child.TurnId] = child with { ParentTurnId = removed.ParentTurnId };
            }

            if (_lastTurnId == turnId)
            {
                _lastTurnId = removed.ParentTurnId;
            }

            return true;
        }
    }

    /// <summary>Forgets turns that are not kept and older than allowed; true if nothing remains.</summary>
    public bool Forget(DateTimeOffset answeredBefore)
    {
        List<RememberedTurn> old;
        bool everythingIdle;
        lock (_gate)
        {
            everythingIdle = _turns.Values.All(turn => turn.AnsweredAt < answeredBefore);
            old = [.. _turns.Values.Where(turn => turn.AnsweredAt < answeredBefore && (everythingIdle || !turn.Kept))];
        }

        foreach (var turn in old.OrderBy(turn => turn.AskedAt))
        {
            Remove(turn.TurnId);
        }

        lock (_gate)
        {
            _forgot |= old.Count > 0;
            return _turns.Count == 0;
        }
    }
}
