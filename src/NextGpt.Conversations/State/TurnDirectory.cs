using System.Globalization;
using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>A link that leads to a turn.</summary>
/// <param name="Hash">Keyed hash of surface, kind and id.</param>
/// <param name="Location">Its record.</param>
internal readonly record struct LinkEntry(UInt128 Hash, RecordLocation Location);

/// <summary>A kept turn as memory knows it: no content, only where it lies and whose it is.</summary>
internal sealed class TurnEntry
{
    public required UInt128 TurnId { get; init; }

    public required UInt128 Person { get; init; }

    public required UInt128 MessageHash { get; init; }

    public required RecordLocation Location { get; init; }

    public required RecordFlags Flags { get; init; }

    public required long KeptAtTicks { get; init; }

    public IReadOnlyList<string> Media { get; init; } = [];

    /// <summary>The latest vote, or null.</summary>
    public RecordLocation? Vote { get; set; }

    /// <summary>Datasets it went into (lineage).</summary>
    public IReadOnlyList<string> Datasets { get; set; } = [];

    /// <summary>What leads to it; changed by the directory only.</summary>
    public IReadOnlyList<LinkEntry> Links { get; set; } = [];

    public long Sequence => Location.Sequence;

    public string Id => TurnDirectory.Text(TurnId);
}

/// <summary>
/// All kept turns by id, by message and by link, and how many turns use a medium. Thread-safe; about 200 bytes a turn and
/// 150 a link.
/// </summary>
internal sealed class TurnDirectory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, TurnEntry> _turns = [];
    private readonly Dictionary<UInt128, UInt128> _byMessage = [];
    private readonly Dictionary<UInt128, HashSet<UInt128>> _byLink = [];
    private readonly Dictionary<string, int> _media = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _turns.Count;
            }
        }
    }

    public static UInt128 Number(string hexadecimal) =>
        UInt128.Parse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public static bool TryNumber(string hexadecimal, out UInt128 number)
    {
        number = 0;
        return hexadecimal.Length == 32
            && UInt128.TryParse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }

    public static string Text(UInt128 number) => number.ToString("x32", CultureInfo.InvariantCulture);

    public void Add(TurnEntry entry)
    {
        lock (_lock)
        {
            _turns[entry.TurnId] = entry;
            _byMessage[entry.MessageHash] = entry.TurnId;
            foreach (var hash in entry.Media)
            {
                _media[hash] = _media.GetValueOrDefault(hash) + 1;
            }
        }
    }

    public TurnEntry? Find(UInt128 turnId)
    {
        lock (_lock)
        {
            return _turns.GetValueOrDefault(turnId);
        }
    }

    public TurnEntry? FindByMessage(UInt128 messageHash)
    {
        lock (_lock)
        {
            return _byMessage.TryGetValue(messageHash, out var turn) ? _turns.GetValueOrDefault(turn) : null;
        }
    }

    /// <summary>The turns that a link leads to, oldest first.</summary>
    public IReadOnlyList<TurnEntry> FindLinked(UInt128 link)
    {
        lock (_lock)
        {
            return _byLink.TryGetValue(link, out var turns)
                ? [.. turns.Select(turn => _turns[turn]).OrderBy(turn => turn.Sequence)]
                : [];
        }
    }

    /// <summary>Adds a link to a turn. False if the turn is not there or has it already.</summary>
    public bool Link(UInt128 turnId, LinkEntry link)
    {
        lock (_lock)
        {
            if (!_turns.TryGetValue(turnId, out var turn))
            {
                return false;
            }

            if (!_byLink.TryGetValue(link.Hash, out var turns))
            {
                _byLink[link.Hash] = turns = [];
            }

            if (!turns.Add(turnId))
            {
                return false;
            }

            turn.Links = [.. turn.Links, link];
            return true;
        }
    }

    public bool HasMedium(string hash)
    {
        lock (_lock)
        {
            return _media.ContainsKey(hash);
        }
    }

    public IReadOnlyCollection<string> MediaHashes()
    {
        lock (_lock)
        {
            return [.. _media.Keys];
        }
    }

    /// <summary>All entries that fit, oldest first.</summary>
    public List<TurnEntry> Where(Func<TurnEntry, bool> fits)
    {
        List<TurnEntry> found;
        lock (_lock)
        {
            found = [.. _turns.Values.Where(fits)];
        }

        found.Sort((left, right) => left.Sequence.CompareTo(right.Sequence));
        return found;
    }

    /// <summary>Forgets a turn; returns the media that no other turn uses.</summary>
    public IReadOnlyList<string> Remove(TurnEntry entry)
    {
        lock (_lock)
        {
            if (!_turns.Remove(entry.TurnId))
            {
                return [];
            }

            if (_byMessage.GetValueOrDefault(entry.MessageHash) == entry.TurnId)
            {
                _byMessage.Remove(entry.MessageHash);
            }

            foreach (var link in entry.Links)
            {
                if (_byLink[link.Hash] is var turns && turns.Remove(entry.TurnId) && turns.Count == 0)
                {
                    _byLink.Remove(link.Hash);
                }
            }

            var unused = new List<string>();
            foreach (var hash in entry.Media)
            {
                if (--_media[hash] == 0)
                {
                    _media.Remove(hash);
                    unused.Add(hash);
                }
            }

            return unused;
        }
    }
}
