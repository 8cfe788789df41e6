namespace NextGpt.Benchmarks;

/// <summary>llama.cpp on the same file.</summary>
internal sealed unsafe class LlamaCppEngine(LlamaCppLibrary library, nint model, int vocabulary, int threads, int context) : IEngine
{
    private readonly nint _context = library.NewContext(model, (uint)context, threads);
    private float* _logits;

    public string Name => "llama.cpp (npm prebuilt)";

    public int Threads => threads;

    public void Reset() => library.Clear(_context);

    public void Read(int[] tokens) => _logits = library.Decode(_context, tokens);

    public int Likeliest()
    {
        var best = 0;
        for (var token = 1; token < vocabulary; token++)
        {
            best = _logits[token] > _logits[best] ? token : best;
        }

        return best;
    }

    public void Dispose() => library.CloseContext(_context);
}
