using System.Collections.Concurrent;
using System.Text.Json;
using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>
/// Where the names lie that people gave their conversations; the names themselves stand in the journal alone. Written by
/// the writer's thread, read by any.
/// </summary>
internal sealed class ConversationNames
{
    private readonly ConcurrentDictionary<(UInt128 Person, string Conversation), RecordLocation> _names = [];

    /// <summary>A record that gives or takes away a name.</summary>
    /// <param name="id">Random id of the act.</param>
    /// <param name="person">Whose conversation.</param>
    /// <param name="content">Which one, and the name; null takes it away.</param>
    /// <param name="utcTicks">When.</param>
    public static JournalEntry Entry(UInt128 id, UInt128 person, NameContent content, long utcTicks) => new(
        new(RecordKind.ConversationName, RecordFlags.None, 0, person, id, 0, utcTicks),
        JsonSerializer.SerializeToUtf8Bytes(content, LogJson.Plain.NameContent));

    public RecordLocation? Find(UInt128 person, string conversation) =>
        _names.TryGetValue((person, conversation), out var location) ? location : null;

    /// <summary>Named conversations of a person, or of everybody.</summary>
    public IReadOnlyList<(UInt128 Person, string Conversation)> Of(UInt128? person) =>
        [.. _names.Keys.Where(key => person is null || key.Person == person)];

    /// <summary>Takes in a record; returns those that are void from now on.</summary>
    public IReadOnlyList<RecordLocation> Add(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content)
    {
        var act = JsonSerializer.Deserialize(content, LogJson.Plain.NameContent)
            ?? throw new InvalidDataException("The record of a conversation's name is empty.");
        var stale = Remove([(head.Person, act.ConversationId)]);
        if (act.Name is null)
        {
            return [.. stale, location];   // it has done its work
        }

        _names[(head.Person, act.ConversationId)] = location;
        return stale;
    }

    /// <summary>Forgets names; returns their records.</summary>
    public IReadOnlyList<RecordLocation> Remove(IReadOnlyList<(UInt128 Person, string Conversation)> named)
    {
        var records = new List<RecordLocation>();
        foreach (var key in named)
        {
            if (_names.TryRemove(key, out var location))
            {
                records.Add(location);
            }
        }

        return records;
    }
}
