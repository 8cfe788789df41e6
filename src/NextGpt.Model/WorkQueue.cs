namespace NextGpt.Model;

/// <summary>What waits for the model thread, in order; a place is free again the moment its work is given up.</summary>
/// <param name="capacity">Bounded work that may wait.</param>
internal sealed class WorkQueue(int capacity)
{
    private readonly LinkedList<ModelWork> _waiting = [];
    private readonly object _gate = new();   // waited on, which a Lock cannot be
    private int _bounded;
    private bool _closed;

    /// <summary>Work that waits and counts against the bound.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _bounded;
            }
        }
    }

    /// <summary>Adds work at the end.</summary>
    /// <param name="work">The work.</param>
    /// <param name="bounded">Whether it counts against the bound.</param>
    /// <returns>False if the queue is full.</returns>
    /// <exception cref="ObjectDisposedException">The queue was closed.</exception>
    public bool TryAdd(ModelWork work, bool bounded = true)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(ModelThread));
            if (bounded && _bounded >= capacity)
            {
                return false;
            }

            work.Bounded = bounded;
            work.Place = _waiting.AddLast(work);
            _bounded += bounded ? 1 : 0;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Waits for work; null once the queue is closed.</summary>
    public ModelWork? Take()
    {
        lock (_gate)
        {
            while (!_closed && _waiting.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            if (_closed || _waiting.First is not { } first)
            {
                return null;
            }

            Leave(first.Value);
            return first.Value;
        }
    }

    /// <summary>Gives a place up.</summary>
    /// <returns>False if the work does not wait any more.</returns>
    public bool Remove(ModelWork work)
    {
        lock (_gate)
        {
            return Leave(work);
        }
    }

    /// <summary>Takes nothing more in and gives back what waits.</summary>
    public IReadOnlyList<ModelWork> Close()
    {
        lock (_gate)
        {
            List<ModelWork> rest = [.. _waiting];
            _waiting.Clear();
            _bounded = 0;
            foreach (var work in rest)
            {
                work.Place = null;
            }

            _closed = true;
            Monitor.PulseAll(_gate);
            return rest;
        }
    }

    private bool Leave(ModelWork work)
    {
        if (work.Place is not { } place)
        {
            return false;
        }

        _waiting.Remove(place);
        work.Place = null;
        _bounded -= work.Bounded ? 1 : 0;
        return true;
    }
}

/// <summary>One piece of work for the model thread.</summary>
internal abstract class ModelWork
{
    /// <summary>Its place in the queue, or null; guarded by the queue.</summary>
    internal LinkedListNode<ModelWork>? Place { get; set; }

    /// <summary>Whether it counts against the bound.</summary>
    internal bool Bounded { get; set; }

    /// <summary>Does the work, on the model thread.</summary>
    public abstract void Run();

    /// <summary>Ends the work with a failure; may be called from any thread, and more than once.</summary>
    public abstract void Fail(Exception failure);
}
