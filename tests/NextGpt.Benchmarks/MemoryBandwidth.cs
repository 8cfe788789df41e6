using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NextGpt.Model.Language.Quantized;

namespace NextGpt.Benchmarks;

/// <summary>How fast threads can read memory in a stream and do nothing else: the bound of every decoder.</summary>
internal sealed unsafe class MemoryBandwidth : ITeamWork, IDisposable
{
    private const long Size = 512L << 20;

    private readonly WorkerTeam _team;
    private readonly WeightArena _arena = new();
    private readonly byte* _start;
    private readonly ulong[] _sums;

    /// <summary>Takes and touches half a gigabyte.</summary>
    public MemoryBandwidth(int threads)
    {
        _team = new WorkerTeam(threads);
        _sums = new ulong[threads * 16];
        _start = _arena.Take(Size);
        for (var offset = 0L; offset < Size; offset += 1 << 20)
        {
            NativeMemory.Fill(_start + offset, 1 << 20, 1);
        }
    }

    /// <summary>Reads it once.</summary>
    /// <returns>Bytes per second.</returns>
    public double Measure()
    {
        var since = Stopwatch.GetTimestamp();
        _team.Run(this);
        return Size / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    void ITeamWork.Do(int part)
    {
        var share = Size / _team.Threads / 512 * 512;
        var first = Vector256<ulong>.Zero;
        var (second, third, fourth) = (first, first, first);
        var end = _start + ((part + 1) * share);
        for (var at = _start + (part * share); at < end; at += 128)
        {
            first += Vector256.Load((ulong*)at);
            second += Vector256.Load((ulong*)(at + 32));
            third += Vector256.Load((ulong*)(at + 64));
            fourth += Vector256.Load((ulong*)(at + 96));
        }

        _sums[part * 16] = Vector256.Sum(first + second + third + fourth);
    }

    public void Dispose()
    {
        _team.Dispose();
        _arena.Dispose();
    }
}
