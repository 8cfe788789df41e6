using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>
/// Between the connection and those who handle events: bounded, events of one place in order, places beside each other,
/// the same event once. When it is full the connection waits (and Discord keeps what comes), so nothing is lost.
/// </summary>
internal sealed partial class EventQueue(
    Func<GatewayEvent, CancellationToken, Task> handle, int capacity, ILogger logger) : IAsyncDisposable
{
    private const int MostRemembered = 10_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _last = [];   // by place
    private readonly HashSet<string> _seen = [];
    private readonly Queue<string> _seenInOrder = [];
    private readonly SemaphoreSlim _room = new(capacity);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>How often the connection had to wait for room.</summary>
    public long TimesFull { get; private set; }

    /// <summary>Events that came again and were left out.</summary>
    public long Repeated { get; private set; }

    /// <summary>Events waiting or being handled.</summary>
    public int Count => capacity - _room.CurrentCount;

    /// <summary>Takes an event; waits while the queue is full.</summary>
    public async ValueTask AddAsync(GatewayEvent happened, CancellationToken cancellationToken)
    {
        if (happened.Key is { } key && !Remember(key))
        {
            Repeated++;
            return;
        }

        if (!_room.Wait(0, CancellationToken.None))
        {
            TimesFull++;
            LogFull(capacity);
            try
            {
                await _room.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Forget(happened.Key);   // it will come again after the next connection
                throw;
            }
        }

        lock (_gate)
        {
            var before = _last.GetValueOrDefault(happened.Place, Task.CompletedTask);
            var work = RunAsync(before, happened);
            _last[happened.Place] = work;
            _ = work.ContinueWith(
                _ => Leave(happened.Place, work), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] left;
        lock (_gate)
        {
            left = [.. _last.Values];
        }

        await Task.WhenAll(left);
        _stop.Dispose();
    }

    private async Task RunAsync(Task before, GatewayEvent happened)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await handle(happened, _stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Shutdown.
        }
        catch (Exception failure)   // the edge of an event (rule 21): the next one must still be handled
        {
            LogFailed(happened.Name, failure.GetType().Name, failure);
        }
    }

    private void Leave(string place, Task work)
    {
        lock (_gate)
        {
            if (_last.GetValueOrDefault(place) == work)
            {
                _last.Remove(place);
            }
        }

        _room.Release();
    }

    private bool Remember(string key)
    {
        lock (_gate)
        {
            if (!_seen.Add(key))
            {
                return false;
            }

            _seenInOrder.Enqueue(key);
            if (_seenInOrder.Count > MostRemembered)
            {
                _seen.Remove(_seenInOrder.Dequeue());
            }

            return true;
        }
    }

    private void Forget(string? key)
    {
        if (key is not null)
        {
            lock (_gate)
            {
                _seen.Remove(key);
            }
        }
    }

    [LoggerMessage(5020, LogLevel.Warning, "{Count} Discord events wait; the connection is held until there is room")]
    private partial void LogFull(int count);

    [LoggerMessage(5021, LogLevel.Error, "A Discord event {Name} could not be handled ({Failure})")]
    private partial void LogFailed(string name, string failure, Exception exception);
}
