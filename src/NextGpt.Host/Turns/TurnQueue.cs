namespace NextGpt.Host.Turns;

/// <summary>A turn's place: waiting, then working, then gone.</summary>
internal sealed class QueueTicket(string person, string? group, string conversation)
{
    private readonly TaskCompletionSource _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Person { get; } = person;

    public string? Group { get; } = group;

    public string Conversation { get; } = conversation;

    /// <summary>Whether the model works on it.</summary>
    public bool IsWorking { get; private set; }

    /// <summary>When work began.</summary>
    public long WorkingSince { get; private set; }

    /// <summary>Completes when its turn has come.</summary>
    public Task Granted => _granted.Task;

    internal void Grant(long timestamp)
    {
        IsWorking = true;
        WorkingSince = timestamp;
        _granted.TrySetResult();
    }
}

/// <summary>
/// Who is next: round robin between people, first in first out for each, never two turns of one conversation at once
/// and never out of its order, bounded per person, per group and in all (QUE-1, TRN-2). Thread-safe.
/// </summary>
internal sealed class TurnQueue(TurnOptions options, TimeProvider time)
{
    private static readonly TimeSpan FirstGuess = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<Line> _lines = [];   // the ring of people who wait; the first is served next
    private readonly Dictionary<string, List<QueueTicket>> _conversations = [];   // in order of arrival, working too
    private readonly List<QueueTicket> _working = [];
    private TimeSpan _usualDuration = FirstGuess;

    /// <summary>Turns that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return CountWaiting();
            }
        }
    }

    /// <summary>Turns that the model works on.</summary>
    public int Working
    {
        get
        {
            lock (_gate)
            {
                return _working.Count;
            }
        }
    }

    /// <summary>Takes a place, or says why there is none.</summary>
    public TurnError? TryEnter(QueueTicket ticket)
    {
        lock (_gate)
        {
            var ofPerson = Count(other => other.Person == ticket.Person);
            if (ofPerson >= options.MaxPerPerson)
            {
                return ErrorCatalogue.BusyForPerson.RetryIn(_usualDuration, ofPerson, options.MaxPerPerson);
            }

            var ofGroup = ticket.Group is null ? 0 : Count(other => other.Group == ticket.Group);
            if (ofGroup >= options.MaxPerGroup)
            {
                return Refuse(ErrorCatalogue.BusyForGroup, ofGroup, options.MaxPerGroup);
            }

            var waiting = CountWaiting();
            if (waiting >= options.MaxWaiting && !CanWorkAtOnce(ticket))
            {
                return Refuse(ErrorCatalogue.Busy, waiting);
            }

            Wait(ticket);
            GrantNext();
            return null;
        }
    }

    /// <summary>Gives the place back, whether it waited or worked, and lets the next one begin.</summary>
    public void Leave(QueueTicket ticket)
    {
        lock (_gate)
        {
            if (_working.Remove(ticket))
            {
                var took = time.GetElapsedTime(ticket.WorkingSince);
                _usualDuration = (_usualDuration * 0.75) + (took * 0.25);
            }
            else
            {
                var line = _lines.Find(line => line.Person == ticket.Person);
                if (line is not null && line.Tickets.Remove(ticket) && line.Tickets.Count == 0)
                {
                    _lines.Remove(line);
                }
            }

            if (_conversations.TryGetValue(ticket.Conversation, out var order) && order.Remove(ticket) && order.Count == 0)
            {
                _conversations.Remove(ticket.Conversation);
            }

            GrantNext();
        }
    }

    /// <summary>The place of a waiting turn (1 is next) and about how long it will wait; null if it does not wait.</summary>
    public (int Position, TimeSpan Estimate)? PlaceOf(QueueTicket ticket)
    {
        lock (_gate)
        {
            var position = 0;
            for (var round = 0; _lines.Exists(line => line.Tickets.Count > round); round++)
            {
                foreach (var line in _lines.Where(line => line.Tickets.Count > round))
                {
                    position++;
                    if (ReferenceEquals(line.Tickets[round], ticket))
                    {
                        return (position, EstimateFor(position));
                    }
                }
            }

            return null;
        }
    }

    private TurnError Refuse(ErrorEntry entry, params ReadOnlySpan<object?> values)
    {
        var wait = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(EstimateFor(CountWaiting() + 1).TotalSeconds)));
        return entry.RetryIn(wait, [.. values, wait.TotalSeconds]);
    }

    private TimeSpan EstimateFor(int position)
    {
        var rest = TimeSpan.Zero;
        foreach (var working in _working)
        {
            var left = _usualDuration - time.GetElapsedTime(working.WorkingSince);
            rest += left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
        }

        return (rest + (_usualDuration * (position - 1))) / options.MaxWorking;
    }

    private int CountWaiting() => _lines.Sum(line => line.Tickets.Count);

    private int Count(Func<QueueTicket, bool> which) =>
        _working.Count(which) + _lines.Sum(line => line.Tickets.Count(which));

    private bool CanWorkAtOnce(QueueTicket ticket) =>
        _working.Count < options.MaxWorking && _lines.Count == 0 && !_conversations.ContainsKey(ticket.Conversation);

    private void Wait(QueueTicket ticket)
    {
        var line = _lines.Find(line => line.Person == ticket.Person);
        if (line is null)
        {
            _lines.Add(line = new Line(ticket.Person));
        }

        line.Tickets.Add(ticket);
        if (!_conversations.TryGetValue(ticket.Conversation, out var order))
        {
            _conversations[ticket.Conversation] = order = [];
        }

        order.Add(ticket);
    }

    private void GrantNext()
    {
        while (_working.Count < options.MaxWorking && FindNext() is var (line, ticket))
        {
            line.Tickets.Remove(ticket);
            _lines.Remove(line);
            if (line.Tickets.Count > 0)
            {
                _lines.Add(line);   // served: to the end of the ring
            }

            _working.Add(ticket);
            ticket.Grant(time.GetTimestamp());
        }
    }

    private (Line Line, QueueTicket Ticket)? FindNext()
    {
        foreach (var line in _lines)
        {
            var ticket = line.Tickets.Find(ticket => ReferenceEquals(_conversations[ticket.Conversation][0], ticket));
            if (ticket is not null)
            {
                return (line, ticket);
            }
        }

        return null;
    }

    private sealed class Line(string person)
    {
        public string Person { get; } = person;

        public List<QueueTicket> Tickets { get; } = [];
    }
}
