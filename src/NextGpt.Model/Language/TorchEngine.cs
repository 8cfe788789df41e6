using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>Computes through libtorch, on the CPU or a GPU.</summary>
/// <param name="model">The network, filled; owned by the engine.</param>
internal sealed class TorchEngine(LlamaModel model) : ILanguageEngine
{
    private const int RoomStep = 256;

    /// <summary>The network itself, for what works on its tensors (adapters, media).</summary>
    public LlamaModel Model => model;

    public int VocabularySize => model.Config.VocabularySize;

    public string Description => $"{NameOf(model.ElementType)} on {model.Device}";

    public int ChunkTokens => 64;

    public bool DependsOnChunks => true;   // the sums of a product are split by its size

    public ILanguageSequence NewSequence() => new TorchSequence(model);

    public void Prefill(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var cache = ((TorchSequence)sequence).Cache;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        cache.Reserve((cache.Length + tokens.Length + RoomStep - 1) / RoomStep * RoomStep);
        var hidden = model.forward(model.Embed(tokens), cache, null);   // [1, seq, hidden]
        if (!logits.IsEmpty)
        {
            var last = model.Head(hidden.narrow(1, tokens.Length - 1, 1)).flatten()   // [vocab]
                .to(ScalarType.Float32).cpu().contiguous();
            MemoryMarshal.Cast<byte, float>(last.bytes).CopyTo(logits);
        }
    }

    public void Decode(ILanguageSequence sequence, int token, Span<float> logits) => Prefill(sequence, [token], logits);

    public void Dispose() => model.Dispose();

    private static string NameOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => "float32",
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        _ => type.ToString(),
    };
}

/// <summary>A sequence whose keys and values lie in tensors.</summary>
internal sealed class TorchSequence : ILanguageSequence
{
    private const int FirstRoom = 256;
    private readonly long _bytesPerToken;

    public TorchSequence(LlamaModel model)
    {
        var config = model.Config;
        Cache = model.NewCache(Math.Min(FirstRoom, config.ContextLength));
        _bytesPerToken = 2L * config.Layers * config.KeyValueHeads * config.HeadSize * model.ElementType.ElementSize();
    }

    /// <summary>Keys and values.</summary>
    public KeyValueCache Cache { get; }

    public int Length => Cache.Length;

    public long SizeBytes => Cache.Capacity * _bytesPerToken;

    public void Truncate(int length) => Cache.Truncate(length);

    public void Dispose() => Cache.Dispose();
}
