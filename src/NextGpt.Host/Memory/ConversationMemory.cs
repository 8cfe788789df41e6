using System.Collections.Concurrent;

namespace NextGpt.Host.Memory;

/// <summary>The conversations in memory, each seen only by its person or its group (THR-4). Thread-safe.</summary>
internal sealed class ConversationMemory
{
    private readonly ConcurrentDictionary<string, RememberedConversation> _conversations = new(StringComparer.Ordinal);

    /// <summary>Conversations in memory.</summary>
    public int Count => _conversations.Count;

    /// <summary>The key of the conversation a turn belongs to: id and audience.</summary>
    public static string KeyOf(IncomingTurn turn) =>
        turn is { GroupId: { } group, IsOnesOwn: false }
            ? $"{turn.Surface}\ngroup\n{group}\n{turn.Conversation}"
            : KeyOf(turn.Surface, turn.PersonId, turn.Conversation);

    /// <summary>The key of a person's own conversation.</summary>
    public static string KeyOf(string surface, string personId, ConversationId conversation) =>
        $"{surface}\nperson\n{personId}\n{conversation}";

    public RememberedConversation GetOrAdd(IncomingTurn turn) =>
        _conversations.GetOrAdd(
            KeyOf(turn),
            static (key, turn) => new RememberedConversation(key, turn.Surface, turn.PersonId, turn.Conversation),
            turn);

    public RememberedConversation GetOrAdd(string surface, string personId, ConversationId id) =>
        _conversations.GetOrAdd(
            KeyOf(surface, personId, id), key => new RememberedConversation(key, surface, personId, id));

    public RememberedConversation? Find(string surface, string personId, ConversationId id) =>
        _conversations.GetValueOrDefault(KeyOf(surface, personId, id));

    /// <summary>A person's own conversations.</summary>
    public IReadOnlyList<RememberedConversation> Of(string surface, string personId) =>
        [.. _conversations.Values.Where(other => other.Surface == surface && other.PersonId == personId)];

    public bool Remove(string key) => _conversations.TryRemove(key, out _);

    /// <summary>Forgets turns by their ids, wherever they are.</summary>
    public void Forget(IReadOnlyList<string> turnIds)
    {
        foreach (var conversation in turnIds.Count == 0 ? [] : _conversations.Values)
        {
            foreach (var id in turnIds)
            {
                conversation.Remove(id);
            }
        }
    }

    /// <summary>Gives up the files of the oldest turns until the media of all conversations take no more than this.</summary>
    public void BoundMedia(long mostBytes)
    {
        var over = _conversations.Values.Sum(conversation => conversation.MediaBytes) - mostBytes;
        if (over <= 0)
        {
            return;
        }

        foreach (var conversation in _conversations.Values.Where(other => other.OldestMedium is not null)
            .OrderBy(other => other.OldestMedium).ToList())
        {
            var bytes = conversation.MediaBytes;
            conversation.BoundMedia(int.MaxValue, Math.Max(0, bytes - over));
            over -= bytes - conversation.MediaBytes;
            if (over <= 0)
            {
                break;
            }
        }
    }

    /// <summary>Forgets what was answered before an instant and is not kept, and empty conversations nobody uses.</summary>
    /// <param name="answeredBefore">The oldest instant that may be remembered.</param>
    /// <param name="inUse">Keys of conversations with a turn that waits or works.</param>
    public void Forget(DateTimeOffset answeredBefore, IReadOnlySet<string> inUse)
    {
        foreach (var conversation in _conversations.Values)
        {
            if (conversation.Forget(answeredBefore) && !inUse.Contains(conversation.Key))
            {
                Remove(conversation.Key);
            }
        }
    }
}
