using Microsoft.Extensions.Logging;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.State;

/// <summary>
/// The one thread that changes the log. It flushes once for all requests that came in meanwhile (group commit), and after
/// a failure of the disk refuses everything and opens the log anew with growing pauses (LOG-5).
/// </summary>
internal sealed partial class LogWriter : IDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private readonly Func<long, LogCore> _open;
    private readonly TimeProvider _time;
    private readonly Action<LogCore> _opened;
    private readonly ILogger _log;
    private readonly WriteQueue _queue;
    private readonly ITimer _timer;
    private LogCore? _core;
    private string? _unavailableBecause = "The log is being opened.";
    private long _acknowledged = long.MaxValue;
    private TimeSpan _pause = ShortestPause;

    /// <param name="open">Opens the log; its argument is the last record that was acknowledged.</param>
    /// <param name="time">Clock.</param>
    /// <param name="opened">Called on the thread each time the log was opened.</param>
    /// <param name="log">Where to say that the disk fails and works again.</param>
    public LogWriter(Func<long, LogCore> open, TimeProvider time, Action<LogCore> opened, ILogger log)
    {
        (_open, _time, _opened, _log) = (open, time, opened, log);
        _queue = new("log writer", Process);
        _timer = time.CreateTimer(
            _ => _queue.TryAdd(new Reopening()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The open log, or null while the disk fails.</summary>
    public LogCore? Core => Volatile.Read(ref _core);

    /// <summary>Why nothing can be written, or null.</summary>
    public string? UnavailableBecause => Volatile.Read(ref _unavailableBecause);

    /// <summary>Opens the log for the first time. A failing disk is not an error here: it is tried again.</summary>
    /// <exception cref="LogLockedException">Somebody else holds it.</exception>
    /// <exception cref="LogTooNewException">A later version wrote it.</exception>
    /// <exception cref="InvalidDataException">The folder holds something that is not a log of ours.</exception>
    public Task OpenAsync()
    {
        var opening = new Opening();
        _queue.Add(opening);
        return opening.Task;
    }

    /// <summary>Takes part in the next flush.</summary>
    /// <param name="prepare">Adds records, or none; returns what is to be done and answered once they are on the disk.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<T> SubmitAsync<T>(Func<WriteBatch, Func<T>> prepare)
    {
        var request = new Batched<T>(prepare);
        _queue.Add(request);
        return request.Task;
    }

    /// <summary>Runs between two flushes, alone.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<T> AloneAsync<T>(Func<LogCore, T> act)
    {
        var request = new Alone<T>(act);
        _queue.Add(request);
        return request.Task;
    }

    /// <summary>Replaces the open log, e.g. after compaction. Only from within <see cref="AloneAsync"/>.</summary>
    public void Replace(LogCore core)
    {
        var before = _core;
        Volatile.Write(ref _core, core);
        before?.Dispose();
    }

    /// <summary>Finishes what was asked and takes no more requests; what is open can still be read.</summary>
    public void Stop()
    {
        _timer.Dispose();
        _queue.Dispose();
    }

    public void Dispose()
    {
        Stop();
        _core?.Dispose();
        _core = null;
    }

    private void Process(IReadOnlyList<object> requests)
    {
        var batched = new List<Request>();
        foreach (var item in requests)
        {
            if (item is Request { IsBatched: true } request)
            {
                batched.Add(request);
                continue;
            }

            Flush(batched);
            switch (item)
            {
                case Request alone:
                    RunAlone(alone);
                    break;
                case Opening opening:
                    opening.Settle(TryOpen);
                    break;
                default:
                    Reopen();
                    break;
            }
        }

        Flush(batched);
    }

    private void Flush(List<Request> requests)
    {
        if (requests.Count == 0)
        {
            return;
        }

        if (_core is not { } core)
        {
            requests.ForEach(request => request.Refuse(Unavailable(null)));
            requests.Clear();
            return;
        }

        var batch = new WriteBatch(core);
        var ready = requests.FindAll(request => request.Prepare(batch));
        try
        {
            if (batch.Entries.Count > 0)
            {
                batch.Locations = core.Journal.Append(batch.Entries);
            }

            ready.ForEach(request => request.Complete());
            core.Journal.Overwrite(batch.Stale);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail(failure);
            ready.ForEach(request => request.Refuse(Unavailable(failure)));   // those not yet answered
        }

        requests.Clear();
    }

    private void RunAlone(Request request)
    {
        if (_core is not { } core)
        {
            request.Refuse(Unavailable(null));
            return;
        }

        try
        {
            request.Run(core);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail(failure);
            request.Refuse(Unavailable(failure));
        }
    }

    private void TryOpen()
    {
        try
        {
            var core = _open(_acknowledged);
            Volatile.Write(ref _core, core);
            Volatile.Write(ref _unavailableBecause, null);
            _pause = ShortestPause;
            _opened(core);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail(failure);
        }
    }

    private void Reopen()
    {
        if (_core is not null)
        {
            return;
        }

        try
        {
            TryOpen();
            if (_core is not null)
            {
                LogWorksAgain();
            }
        }
        catch (Exception failure) when (failure is LogLockedException or LogTooNewException or InvalidDataException)
        {
            // Somebody changed the folder while the disk was away: say so, keep trying.
            Volatile.Write(ref _unavailableBecause, failure.Message);
            LogFails(failure.Message);
            _timer.Change(_pause, Timeout.InfiniteTimeSpan);
        }
    }

    private void Fail(Exception failure)
    {
        var sentence = StorageFailure.Sentence(failure);
        Volatile.Write(ref _unavailableBecause, sentence);
        if (_core is { } core)
        {
            _acknowledged = core.Journal.LastSequence;   // whatever came after it was refused
            Volatile.Write(ref _core, null);
            core.Dispose();
        }

        LogFails(sentence);
        _timer.Change(_pause, Timeout.InfiniteTimeSpan);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private LogUnavailableException Unavailable(Exception? failure) =>
        new(UnavailableBecause ?? "Turns are not being kept: the log is being opened again.", failure);

    [LoggerMessage(EventId = 300, Level = LogLevel.Error, Message = "{Sentence}")]
    private partial void LogFails(string sentence);

    [LoggerMessage(EventId = 301, Level = LogLevel.Information, Message = "The log works again: turns are being kept.")]
    private partial void LogWorksAgain();

    private sealed record Reopening;

    private sealed class Opening
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _done.Task;

        public void Settle(Action open)
        {
            try
            {
                open();
                _done.SetResult();
            }
            catch (Exception failure)
            {
                _done.SetException(failure);
            }
        }
    }

    private abstract class Request
    {
        public abstract bool IsBatched { get; }

        /// <summary>Adds records; false if the request failed for a reason of its own.</summary>
        public abstract bool Prepare(WriteBatch batch);

        public abstract void Complete();

        public abstract void Run(LogCore core);

        public abstract void Refuse(LogUnavailableException because);
    }

    private sealed class Batched<T>(Func<WriteBatch, Func<T>> prepare) : Request
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Func<T>? _complete;

        public Task<T> Task => _done.Task;

        public override bool IsBatched => true;

        public override bool Prepare(WriteBatch batch)
        {
            try
            {
                _complete = prepare(batch);
                return true;
            }
            catch (Exception failure) when (!StorageFailure.Is(failure))
            {
                _done.SetException(failure);
                return false;
            }
        }

        public override void Complete()
        {
            try
            {
                _done.SetResult(_complete!());   // prepared before
            }
            catch (Exception failure) when (!StorageFailure.Is(failure))
            {
                _done.SetException(failure);
            }
        }

        public override void Run(LogCore core) => throw new InvalidOperationException("A batched request.");

        public override void Refuse(LogUnavailableException because) => _done.TrySetException(because);
    }

    private sealed class Alone<T>(Func<LogCore, T> act) : Request
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _done.Task;

        public override bool IsBatched => false;

        public override bool Prepare(WriteBatch batch) => throw new InvalidOperationException("Not a batched request.");

        public override void Complete()
        {
        }

        public override void Run(LogCore core)
        {
            try
            {
                _done.SetResult(act(core));
            }
            catch (Exception failure) when (!StorageFailure.Is(failure))
            {
                _done.SetException(failure);
            }
        }

        public override void Refuse(LogUnavailableException because) => _done.TrySetException(because);
    }
}
