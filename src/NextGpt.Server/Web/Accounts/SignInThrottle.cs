namespace NextGpt.Server.Web.Accounts;

/// <summary>
/// Slows guessing down: wrong passwords are counted per name and per address over a minute; past the limit even a right
/// one waits. Thread-safe.
/// </summary>
internal sealed class SignInThrottle(TimeProvider time)
{
    private const int MostFailures = 10;
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _failures = [];

    /// <summary>How long to wait before another try with any of these keys; zero if none is needed.</summary>
    public TimeSpan WaitFor(params ReadOnlySpan<string> keys)
    {
        var now = time.GetUtcNow();
        var wait = TimeSpan.Zero;
        lock (_gate)
        {
            foreach (var key in keys)
            {
                if (_failures.TryGetValue(key, out var failures))
                {
                    DropOld(failures, now);
                    if (failures.Count >= MostFailures && failures.Peek() + Window - now > wait)
                    {
                        wait = failures.Peek() + Window - now;
                    }
                }
            }
        }

        return wait;
    }

    /// <summary>Counts a wrong try against each key.</summary>
    public void CountFailure(params ReadOnlySpan<string> keys)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_failures.Count > MostRemembered)
            {
                foreach (var (key, failures) in _failures.ToList())
                {
                    DropOld(failures, now);
                    if (failures.Count == 0)
                    {
                        _failures.Remove(key);
                    }
                }
            }

            foreach (var key in keys)
            {
                if (!_failures.TryGetValue(key, out var failures))
                {
                    _failures[key] = failures = new Queue<DateTimeOffset>();
                }

                failures.Enqueue(now);
            }
        }
    }

    private static void DropOld(Queue<DateTimeOffset> failures, DateTimeOffset now)
    {
        while (failures.TryPeek(out var oldest) && oldest + Window <= now)
        {
            failures.Dequeue();
        }
    }
}
