using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>Work of one conversation goes in order, conversations go side by side; bounded in all. Thread-safe.</summary>
internal sealed partial class ConversationQueue(int capacity, ILogger<ConversationQueue> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<Func<CancellationToken, Task>>> _waiting = new(StringComparer.Ordinal);
    private readonly HashSet<Task> _workers = [];
    private readonly CancellationTokenSource _closing = new();
    private int _count;

    /// <summary>Whether something of this conversation waits or is under way.</summary>
    public bool IsBusy(string conversation)
    {
        lock (_gate)
        {
            return _waiting.ContainsKey(conversation);
        }
    }

    /// <summary>Adds work; false if there is too much.</summary>
    /// <param name="conversation">Whose order it keeps.</param>
    /// <param name="work">What to do; what it throws is logged.</param>
    public bool TryAdd(string conversation, Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            if (_count >= capacity || _closing.IsCancellationRequested)
            {
                return false;
            }

            _count++;
            if (_waiting.TryGetValue(conversation, out var queue))
            {
                queue.Enqueue(work);
                return true;
            }

            _waiting[conversation] = queue = new Queue<Func<CancellationToken, Task>>([work]);
            var worker = Task.Run(() => WorkAsync(conversation, queue));
            _workers.Add(worker);
            _ = worker.ContinueWith(
                done =>
                {
                    lock (_gate)
                    {
                        _workers.Remove(done);
                    }
                },
                TaskScheduler.Default);
            return true;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Task[] left;
        lock (_gate)
        {
            left = [.. _workers];
        }

        await _closing.CancelAsync();
        await Task.WhenAll(left);
        _closing.Dispose();
    }

    private async Task WorkAsync(string conversation, Queue<Func<CancellationToken, Task>> queue)
    {
        while (true)
        {
            Func<CancellationToken, Task> work;
            lock (_gate)
            {
                if (!queue.TryDequeue(out work!))
                {
                    _waiting.Remove(conversation);
                    return;
                }
            }

            try
            {
                await work(_closing.Token);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                // The program ends.
            }
            catch (Exception failure)   // the edge of a bot turn
            {
                LogFailure(failure.GetType().FullName, failure.StackTrace);
            }
            finally
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }

    [LoggerMessage(6010, LogLevel.Error, "Work on a Teams activity failed: {ExceptionType}\n{Stack}")]
    private partial void LogFailure(string? exceptionType, string? stack);
}
