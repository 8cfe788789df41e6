namespace NextGpt.Bots.Teams.Bot;

/// <summary>Whose turn a message belongs to.</summary>
/// <param name="PersonId">Who asked.</param>
/// <param name="TurnId">The turn.</param>
internal sealed record MessageTurn(string PersonId, string TurnId);

/// <summary>
/// Which messages belong to which turns, for votes, edits and deletions: ids alone, in memory, for a day. Thread-safe.
/// </summary>
internal sealed class SentMessages(TimeProvider time)
{
    private const int MostKept = 100_000;
    private static readonly TimeSpan Life = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, MessageTurn> _turns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _latest = new(StringComparer.Ordinal);      // conversation and person: answer
    private readonly Dictionary<string, HashSet<string>> _people = new(StringComparer.Ordinal);   // conversation: who asked
    private readonly Queue<(string Key, DateTimeOffset At)> _order = new();

    /// <summary>Notes the question of a turn.</summary>
    public void AddQuestion(string conversation, string? activityId, MessageTurn turn)
    {
        lock (_gate)
        {
            if (!_people.TryGetValue(conversation, out var people))
            {
                _people[conversation] = people = [];
            }

            people.Add(turn.PersonId);
            Add($"q\n{conversation}\n{activityId}", turn);
        }
    }

    /// <summary>Notes the answer of a turn, the latest of its conversation.</summary>
    public void AddAnswer(string conversation, string activityId, MessageTurn turn)
    {
        lock (_gate)
        {
            Add($"a\n{conversation}\n{activityId}", turn);
            _latest[$"{conversation}\n{turn.PersonId}"] = $"a\n{conversation}\n{activityId}";
        }
    }

    /// <summary>The turn whose question a message is, or null.</summary>
    public MessageTurn? FindQuestion(string conversation, string? activityId) => Find($"q\n{conversation}\n{activityId}");

    /// <summary>The turn whose answer a message is, or null.</summary>
    public MessageTurn? FindAnswer(string conversation, string? activityId) => Find($"a\n{conversation}\n{activityId}");

    /// <summary>The turn that a person was answered last in a conversation, or null.</summary>
    public MessageTurn? LatestAnswer(string conversation, string personId)
    {
        lock (_gate)
        {
            return _latest.TryGetValue($"{conversation}\n{personId}", out var key) ? _turns.GetValueOrDefault(key) : null;
        }
    }

    /// <summary>Who asked in a conversation.</summary>
    public IReadOnlyList<string> PeopleOf(string conversation)
    {
        lock (_gate)
        {
            return _people.TryGetValue(conversation, out var people) ? [.. people] : [];
        }
    }

    /// <summary>Forgets a conversation.</summary>
    public void Forget(string conversation)
    {
        lock (_gate)
        {
            _people.Remove(conversation);
            foreach (var key in _turns.Keys.Where(key => key.Split('\n')[1] == conversation).ToList())
            {
                _turns.Remove(key);
            }

            foreach (var key in _latest.Keys.Where(key => key.Split('\n')[0] == conversation).ToList())
            {
                _latest.Remove(key);
            }
        }
    }

    /// <summary>Forgets a person everywhere.</summary>
    public void ForgetPerson(string personId)
    {
        lock (_gate)
        {
            foreach (var people in _people.Values)
            {
                people.Remove(personId);
            }

            foreach (var key in _turns.Where(turn => turn.Value.PersonId == personId).Select(turn => turn.Key).ToList())
            {
                _turns.Remove(key);
            }
        }
    }

    private MessageTurn? Find(string key)
    {
        lock (_gate)
        {
            return _turns.GetValueOrDefault(key);
        }
    }

    private void Add(string key, MessageTurn turn)
    {
        var now = time.GetUtcNow();
        while (_order.TryPeek(out var oldest) && (now - oldest.At >= Life || _order.Count > MostKept))
        {
            _order.Dequeue();
            _turns.Remove(oldest.Key);
        }

        _turns[key] = turn;
        _order.Enqueue((key, now));
    }
}
