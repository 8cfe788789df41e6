using System.Collections.Concurrent;

namespace NextGpt.Conversations.State;

/// <summary>
/// One thread that takes requests in order, as many at a time as have come in: while one flush waits for the disk, the next
/// batch gathers, which is all that group commit needs.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    private const int MostAtOnce = 512;
    private readonly BlockingCollection<object> _requests = [];
    private readonly Thread _thread;
    private readonly Action<IReadOnlyList<object>> _process;

    public WriteQueue(string name, Action<IReadOnlyList<object>> process)
    {
        _process = process;
        _thread = new(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Adds a request.</summary>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public void Add(object request)
    {
        try
        {
            _requests.Add(request);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(_thread.Name);
        }
    }

    /// <summary>Adds a request unless the queue is closed.</summary>
    public bool TryAdd(object request)
    {
        try
        {
            return _requests.TryAdd(request);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Takes no more requests, finishes those there are and ends the thread.</summary>
    public void Dispose()
    {
        _requests.CompleteAdding();   // may be said twice
        if (_thread != Thread.CurrentThread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        var batch = new List<object>();
        foreach (var first in _requests.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < MostAtOnce && _requests.TryTake(out var next))
            {
                batch.Add(next);
            }

            _process(batch);
            batch.Clear();
        }
    }
}
