using System.Net;

namespace NextGpt.Server.Keys;

/// <summary>Slows down an address that sends wrong keys (API-3). Thread-safe, bounded.</summary>
internal sealed class FailureBrake(int failuresPerMinute, TimeProvider time)
{
    private const int MaxAddresses = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Queue<DateTimeOffset>> _failures = [];

    /// <summary>How long the address has to wait; zero is not at all.</summary>
    public TimeSpan WaitOf(IPAddress address)
    {
        lock (_gate)
        {
            return Recent(address) is { } failures && failures.Count >= failuresPerMinute
                ? failures.Peek() + Window - time.GetUtcNow()
                : TimeSpan.Zero;
        }
    }

    /// <summary>Notes a wrong key.</summary>
    public void Failed(IPAddress address)
    {
        lock (_gate)
        {
            var failures = Recent(address);
            if (failures is null)
            {
                if (_failures.Count >= MaxAddresses)
                {
                    _failures.Clear();   // a flood from everywhere: memory comes before memory of it
                }

                _failures[address] = failures = [];
            }

            failures.Enqueue(time.GetUtcNow());
            if (failures.Count > failuresPerMinute)
            {
                failures.Dequeue();
            }
        }
    }

    private Queue<DateTimeOffset>? Recent(IPAddress address)
    {
        if (!_failures.TryGetValue(address, out var failures))
        {
            return null;
        }

        while (failures.TryPeek(out var oldest) && time.GetUtcNow() - oldest >= Window)
        {
            failures.Dequeue();
        }

        if (failures.Count == 0)
        {
            _failures.Remove(address);
            return null;
        }

        return failures;
    }
}
