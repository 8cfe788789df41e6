namespace NextGpt.Bots.Discord.Gateway;

/// <summary>
/// Lets so many sessions start at once as Discord allows: those of one key (shard modulo the number) a window apart, and
/// none when the day's starts are used up. Thread-safe.
/// </summary>
internal sealed class IdentifyGate(TimeSpan window, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, long> _next = [];   // key to the timestamp from which on the next may start
    private SessionStarts _starts = new(1_000, 1_000, TimeSpan.FromDays(1), 1);
    private long _resetAt = long.MaxValue;

    /// <summary>Takes over what Discord says is left.</summary>
    public void Update(SessionStarts starts)
    {
        lock (_gate)
        {
            _starts = starts;
            _resetAt = time.GetTimestamp() + Ticks(starts.ResetAfter);
        }
    }

    /// <summary>Waits for this shard's turn to identify, and takes it.</summary>
    public async Task EnterAsync(int shard, CancellationToken cancellationToken)
    {
        while (Wait(shard) is { } wait)
        {
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private TimeSpan? Wait(int shard)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_starts.Remaining <= 0)
            {
                if (now < _resetAt)
                {
                    return AtLeastAMillisecond(_resetAt - now);
                }

                _starts = _starts with { Remaining = _starts.Total };
                _resetAt = now + Ticks(TimeSpan.FromDays(1));
            }

            var key = shard % Math.Max(1, _starts.MaxConcurrency);
            if (_next.TryGetValue(key, out var next) && now < next)
            {
                return AtLeastAMillisecond(next - now);
            }

            _next[key] = now + Ticks(window);
            _starts = _starts with { Remaining = _starts.Remaining - 1 };
            return null;
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private TimeSpan AtLeastAMillisecond(long ticks) =>
        TimeSpan.FromSeconds(Math.Max(0.001, (double)ticks / time.TimestampFrequency));
}
