using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NextGpt.Model.Language.Quantized;

/// <summary>Work that a <see cref="WorkerTeam"/> does in parts that run at the same time.</summary>
internal interface ITeamWork
{
    /// <summary>Does one part; parts meet at <see cref="WorkerTeam.Meet"/>.</summary>
    /// <param name="part">0 to the number of threads − 1; part 0 runs on the caller's thread.</param>
    void Do(int part);
}

/// <summary>
/// The caller's thread and persistent helpers that do one piece of work together. Between two pieces helpers watch for
/// a moment (a decoder comes back every few milliseconds) and then sleep, so that an idle program uses no processor time.
/// </summary>
/// <remarks>One piece at a time; call it from one thread at a time.</remarks>
internal sealed class WorkerTeam : IDisposable
{
    private static readonly long WatchTicks = Stopwatch.Frequency / 4_000;   // 250 µs

    private readonly Thread[] _helpers;
    private readonly SemaphoreSlim[] _bells;
    private Rendezvous _rendezvous;
    private ITeamWork? _work;
    private volatile Exception? _failure;
    private volatile bool _closed;

    /// <summary>Starts the helpers.</summary>
    /// <param name="threads">Threads in all, the caller's included.</param>
    public WorkerTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _bells = new SemaphoreSlim[threads - 1];
        _helpers = new Thread[threads - 1];
        for (var index = 0; index < _helpers.Length; index++)
        {
            var part = index + 1;
            _bells[index] = new SemaphoreSlim(0);
            _helpers[index] = new Thread(() => Help(part)) { IsBackground = true, Name = $"Decoder {part}" };
            _helpers[index].Start();
        }
    }

    /// <summary>Threads in all.</summary>
    public int Threads { get; }

    /// <summary>Helpers that sleep at this moment.</summary>
    public int Sleeping => Volatile.Read(ref _rendezvous.Asleep);

    /// <summary>Does all parts and returns when they are done.</summary>
    /// <exception cref="InvalidOperationException">A part failed; the inner exception says why.</exception>
    public void Run(ITeamWork work)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (Threads == 1)
        {
            work.Do(0);
            return;
        }

        _work = work;
        _failure = null;
        _rendezvous.Arrived = 0;
        Volatile.Write(ref _rendezvous.Piece, _rendezvous.Piece + 1);
        Interlocked.MemoryBarrier();   // the new piece is seen by a helper that goes to sleep, or its sleep is seen here
        for (var index = 0; index < _bells.Length; index++)
        {
            if (Volatile.Read(ref _rendezvous.Asleep) != 0)
            {
                _bells[index].Release();
            }
        }

        try
        {
            work.Do(0);
        }
        catch (MeetingBrokenException)
        {
        }
        catch (Exception exception)   // thrown again below, once nobody works any more
        {
            _failure ??= exception;
        }

        Finish();
        _work = null;
        if (_failure is { } failure)
        {
            throw new InvalidOperationException("A part of the decoder's work failed.", failure);
        }
    }

    /// <summary>Waits until every part has come here; what they wrote before is seen by all afterwards.</summary>
    public void Meet()
    {
        if (Threads == 1)
        {
            return;
        }

        var meeting = Volatile.Read(ref _rendezvous.Meeting);
        if (Interlocked.Increment(ref _rendezvous.Arrived) == Threads)
        {
            _rendezvous.Arrived = 0;
            Volatile.Write(ref _rendezvous.Meeting, meeting + 1);
            return;
        }

        for (var turn = 0; Volatile.Read(ref _rendezvous.Meeting) == meeting; turn++)
        {
            Pause(turn);
            if (_failure is not null)
            {
                throw new MeetingBrokenException();
            }
        }
    }

    /// <summary>The share of a part when items are dealt in runs.</summary>
    /// <returns>First item and the one after the last.</returns>
    public (int From, int To) Share(int part, int items) =>
        ((int)((long)items * part / Threads), (int)((long)items * (part + 1) / Threads));

    /// <summary>Sends the helpers home.</summary>
    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        foreach (var bell in _bells)
        {
            bell.Release();
        }

        foreach (var helper in _helpers)
        {
            helper.Join();
        }

        foreach (var bell in _bells)
        {
            bell.Dispose();
        }
    }

    /// <summary>Waits for the end of the helpers' parts, whether the piece went well or not.</summary>
    private void Finish()
    {
        for (var turn = 0; Volatile.Read(ref _rendezvous.Finished) != (Threads - 1) * _rendezvous.Piece; turn++)
        {
            Pause(turn);
        }
    }

    private void Help(int part)
    {
        for (var piece = 1L; ; piece++)
        {
            if (!WaitFor(piece, part))
            {
                return;
            }

            try
            {
                _work?.Do(part);
            }
            catch (MeetingBrokenException)
            {
            }
            catch (Exception exception)   // handed to the caller of Run
            {
                _failure = exception;
            }

            Interlocked.Increment(ref _rendezvous.Finished);
        }
    }

    private bool WaitFor(long piece, int part)
    {
        var since = Stopwatch.GetTimestamp();
        for (var turn = 0; Volatile.Read(ref _rendezvous.Piece) < piece; turn++)
        {
            if (_closed)
            {
                return false;
            }

            if (Stopwatch.GetTimestamp() - since < WatchTicks)
            {
                Thread.SpinWait(20);
                continue;
            }

            Interlocked.Increment(ref _rendezvous.Asleep);
            while (Volatile.Read(ref _rendezvous.Piece) < piece && !_closed)
            {
                _bells[part - 1].Wait();
            }

            Interlocked.Decrement(ref _rendezvous.Asleep);
        }

        return !_closed;
    }

    /// <summary>Spins, and lets others run once the wait is longer than a part of one token takes.</summary>
    private static void Pause(int turn)
    {
        if (turn < 1_000)
        {
            Thread.SpinWait(1);   // about 40 ns
        }
        else
        {
            Thread.Yield();
        }
    }

    /// <summary>Counters on cache lines of their own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 768)]
    private struct Rendezvous
    {
        [FieldOffset(128)]
        public int Arrived;

        [FieldOffset(256)]
        public int Meeting;

        [FieldOffset(384)]
        public long Piece;

        [FieldOffset(512)]
        public long Finished;

        [FieldOffset(640)]
        public int Asleep;
    }

    /// <summary>Another part failed, so this one will wait in vain.</summary>
    private sealed class MeetingBrokenException : Exception;
}
