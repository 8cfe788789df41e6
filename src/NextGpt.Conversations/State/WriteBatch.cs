using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>Records that go to the disk with one flush, and what they will have changed once they are there.</summary>
internal sealed class WriteBatch(LogCore core)
{
    private readonly List<JournalEntry> _entries = [];
    private readonly Dictionary<UInt128, ConsentContent> _consents = [];
    private readonly HashSet<UInt128> _messages = [];
    private readonly HashSet<UInt128> _turns = [];

    public LogCore Core => core;

    public IReadOnlyList<JournalEntry> Entries => _entries;

    /// <summary>Where each record lies, once flushed.</summary>
    public RecordLocation[] Locations { get; set; } = [];

    /// <summary>Records that this batch made void; overwritten once everybody has their answer.</summary>
    public List<RecordLocation> Stale { get; } = [];

    /// <summary>Adds a record; returns its place in <see cref="Locations"/>.</summary>
    public int Add(JournalEntry entry)
    {
        _entries.Add(entry);
        return _entries.Count - 1;
    }

    /// <summary>Whether a person allows keeping and training at this moment, acts of this batch included.</summary>
    public (bool Keep, bool Train, string? Version) ConsentOf(UInt128 person)
    {
        if (_consents.TryGetValue(person, out var act))
        {
            return (act.Keep, act.Train, act.TextVersion);
        }

        var state = core.State.ConsentOf(person).State;
        return (state.Keep, state.Train, state.TextVersion);
    }

    public void NoteConsent(UInt128 person, ConsentContent act) => _consents[person] = act;

    /// <summary>Claims a message and a turn id; false if either is taken.</summary>
    public bool TryClaim(UInt128 message, UInt128 turn)
    {
        if (core.State.Turns.FindByMessage(message) is not null || core.State.Turns.Find(turn) is not null
            || _messages.Contains(message) || _turns.Contains(turn))
        {
            return false;
        }

        _messages.Add(message);
        _turns.Add(turn);
        return true;
    }
}
