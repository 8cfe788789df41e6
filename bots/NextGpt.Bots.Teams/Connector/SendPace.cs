namespace NextGpt.Bots.Teams.Connector;

/// <summary>
/// The lane of one conversation: calls one after the other, so that order holds through retries, and no more than the
/// service allows: 7 in 1 s, 8 in 2 s, 60 in 30 s, 1,800 in an hour.
/// </summary>
internal sealed class SendPace(TimeProvider time) : IDisposable
{
    private static readonly (int Count, TimeSpan Within)[] Limits =
    [
        (7, TimeSpan.FromSeconds(1)), (8, TimeSpan.FromSeconds(2)), (60, TimeSpan.FromSeconds(30)),
        (1_800, TimeSpan.FromHours(1)),
    ];

    private readonly List<DateTimeOffset> _sent = [];

    /// <summary>Held by whoever is calling.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>When it was last used.</summary>
    public DateTimeOffset LastUsed { get; private set; } = time.GetUtcNow();

    /// <summary>Waits until one more call is allowed and counts it; the gate is held.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var now = time.GetUtcNow();
            _sent.RemoveAll(at => now - at >= Limits[^1].Within);
            var wait = TimeSpan.Zero;
            foreach (var (count, within) in Limits)
            {
                if (_sent.Count >= count && _sent[^count] + within - now is { Ticks: > 0 } left && left > wait)
                {
                    wait = left;
                }
            }

            if (wait == TimeSpan.Zero)
            {
                _sent.Add(now);
                LastUsed = now;
                return;
            }

            await Task.Delay(wait, time, cancellationToken);
        }
    }

    public void Dispose() => Gate.Dispose();
}
