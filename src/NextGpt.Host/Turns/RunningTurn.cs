using System.Runtime.CompilerServices;
using NextGpt.Host.Memory;
using NextGpt.Media;

namespace NextGpt.Host.Turns;

/// <summary>A turn in memory: its parts so far, for as many readers as follow it, and the way to stop it. Thread-safe.</summary>
internal sealed class RunningTurn(IncomingTurn incoming, string contextKey, string messageKey, DateTimeOffset askedAt)
    : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ReplyPart> _parts = [];
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _grown = NewSignal();
    private bool _disposed;

    /// <summary>Random 128-bit id, 32 hexadecimal digits.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    public IncomingTurn Incoming { get; } = incoming;

    public string ContextKey { get; } = contextKey;

    public string MessageKey { get; } = messageKey;

    public DateTimeOffset AskedAt { get; } = askedAt;

    /// <summary>The person's files once they are read, clean.</summary>
    public IReadOnlyList<RememberedMedium> Files { get; set; } = [];

    /// <summary>What to say of the files under the answer.</summary>
    public IReadOnlyList<string> FileNotices { get; set; } = [];

    /// <summary>A medium of the question or the answer so far, or null.</summary>
    public MediaFile? FindMedium(string mediaId)
    {
        if (Files.FirstOrDefault(file => file.MediaId == mediaId) is { } file)
        {
            return file.File;
        }

        lock (_gate)
        {
            return _parts.OfType<MediaReady>().FirstOrDefault(ready => ready.MediaId == mediaId)?.File;
        }
    }

    /// <summary>Whether the attempt was written down.</summary>
    public bool IsBegun { get; set; }

    /// <summary>When its last part came, or null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>Cancelled when somebody stops it.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Completes with the last part.</summary>
    public Task Ended => _ended.Task;

    private readonly TaskCompletionSource _ended = NewSignal();

    /// <summary>Whether this person asked it.</summary>
    public bool IsOf(string surface, string personId) =>
        Incoming.Surface == surface && Incoming.PersonId == personId;

    /// <summary>Adds a part; readers see it at once. Parts after the last one are dropped.</summary>
    public void Add(ReplyPart part, DateTimeOffset now)
    {
        TaskCompletionSource grown;
        var last = part is TurnFinished or TurnFailed;
        lock (_gate)
        {
            if (EndedAt is not null)
            {
                return;
            }

            _parts.Add(part);
            EndedAt = last ? now : null;
            grown = _grown;
            _grown = NewSignal();
        }

        grown.TrySetResult();
        if (last)
        {
            _ended.TrySetResult();
        }
    }

    /// <summary>Stops it. False if it has ended already.</summary>
    public bool Stop()
    {
        lock (_gate)
        {
            if (EndedAt is not null || _disposed)
            {
                return false;
            }
        }

        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            return false;   // ended and forgotten between the two lines
        }

        return true;
    }

    /// <summary>The parts from an index on, then those to come; ends with the last.</summary>
    public async IAsyncEnumerable<ReplyPart> ReadAsync(
        int fromPart, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var index = fromPart; ;)
        {
            ReplyPart? part = null;
            Task? grown = null;
            lock (_gate)
            {
                if (index < _parts.Count)
                {
                    part = _parts[index];
                }
                else if (EndedAt is not null)
                {
                    yield break;
                }
                else
                {
                    grown = _grown.Task;
                }
            }

            if (part is not null)
            {
                index++;
                yield return part;
            }
            else if (grown is not null)
            {
                await grown.WaitAsync(cancellationToken);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _stop.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
