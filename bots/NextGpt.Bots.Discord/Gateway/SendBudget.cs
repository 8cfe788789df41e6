namespace NextGpt.Bots.Discord.Gateway;

/// <summary>At most 120 frames in 60 s; the last few of a window are for heartbeats alone. Thread-safe.</summary>
internal sealed class SendBudget(TimeProvider time, int most = 120, int reserve = 3)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private readonly Lock _gate = new();
    private readonly Queue<long> _sent = [];

    /// <summary>Waits until a frame may be sent, and counts it.</summary>
    public async ValueTask TakeAsync(bool isHeartbeat, CancellationToken cancellationToken)
    {
        while (TryTake(isHeartbeat) is { } wait)
        {
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <summary>Null if it may be sent, which then is counted; else how long to wait before asking again.</summary>
    internal TimeSpan? TryTake(bool isHeartbeat)
    {
        lock (_gate)
        {
            while (_sent.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= Window)
            {
                _sent.Dequeue();
            }

            var allowed = isHeartbeat ? most : most - reserve;
            if (_sent.Count < allowed)
            {
                _sent.Enqueue(time.GetTimestamp());
                return null;
            }

            var wait = Window - time.GetElapsedTime(_sent.Peek());
            return wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1);
        }
    }
}
