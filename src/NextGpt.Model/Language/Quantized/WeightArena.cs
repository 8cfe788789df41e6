using System.Runtime.InteropServices;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Native memory for weights that are read in a stream: large aligned slabs, on huge pages where Linux grants them,
/// because hardware prefetching stops at page borders. Lives as long as the weights.
/// </summary>
internal sealed unsafe class WeightArena : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const nuint Slab = 32 << 20;
    private const int Advise = 14;   // MADV_HUGEPAGE

    private static readonly delegate* unmanaged<void*, nuint, int, int> Madvise = FindMadvise();

    private readonly List<nint> _slabs = [];
    private byte* _free;
    private nuint _left;

    /// <summary>Bytes handed out.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Memory that is not cleared, aligned to 64 bytes, valid until <see cref="Dispose"/>.</summary>
    public byte* Take(long sizeBytes)
    {
        var size = (nuint)((sizeBytes + 63) / 64 * 64);
        if (size > _left)
        {
            var slab = Math.Max(Slab, (size + HugePage - 1) / HugePage * HugePage);
            _free = (byte*)NativeMemory.AlignedAlloc(slab, HugePage);
            _left = slab;
            _slabs.Add((nint)_free);
            if (Madvise is not null)
            {
                Madvise(_free, slab, Advise);   // a wish; refusal costs speed only
            }
        }

        var taken = _free;
        _free += size;
        _left -= size;
        UsedBytes += (long)size;
        return taken;
    }

    /// <summary>Frees everything. Call it once nothing computes with the weights any more.</summary>
    public void Dispose()
    {
        foreach (var slab in _slabs)
        {
            NativeMemory.AlignedFree((void*)slab);
        }

        _slabs.Clear();
        _left = 0;
    }

    private static delegate* unmanaged<void*, nuint, int, int> FindMadvise() =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("libc.so.6", out var library)
        && NativeLibrary.TryGetExport(library, "madvise", out var function)
            ? (delegate* unmanaged<void*, nuint, int, int>)function
            : null;
}
