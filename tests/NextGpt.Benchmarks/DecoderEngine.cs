using NextGpt.Model.Language.Quantized;

namespace NextGpt.Benchmarks;

/// <summary>The product's decoder.</summary>
internal sealed class DecoderEngine(QuantizedLlama weights, int threads, int context) : IEngine
{
    private readonly QuantizedDecoder _decoder = new(weights, threads);
    private readonly float[] _logits = new float[weights.Config.VocabularySize];
    private QuantizedKeyValueCache? _cache;

    public string Name => $"NextGpt.Chat ({_decoder.Path})";

    public int Threads => threads;

    public void Reset()
    {
        _cache ??= _decoder.NewCache(context);
        _cache.Truncate(0);
    }

    public void Read(int[] tokens) =>
        _decoder.Run(_cache ?? throw new InvalidOperationException("Reset comes first."), tokens, _logits, []);

    public int Likeliest()
    {
        var best = 0;
        for (var token = 1; token < _logits.Length; token++)
        {
            best = _logits[token] > _logits[best] ? token : best;
        }

        return best;
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _cache?.Dispose();
    }
}
