using System.Runtime.InteropServices;
using NextGpt.Model.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>Computes through libtorch, on the CPU or a GPU.</summary>
/// <param name="model">The network, filled; owned by the engine, with the rows added to it.</param>
/// <param name="adapter">The adapter that is on, or null; owned by the engine.</param>
internal sealed class TorchEngine(LlamaModel model, LoraAdapter? adapter = null) : ILanguageEngine
{
    private const int RoomStep = 256;

    /// <summary>The network itself, for what works on its tensors (adapters, media).</summary>
    public LlamaModel Model => model;

    public int VocabularySize => model.VocabularySize;

    public int HiddenSize => model.Config.HiddenSize;

    public string Description => $"{NameOf(model.ElementType)} on {model.Device}";

    public int ChunkTokens => 64;

    public bool DependsOnChunks => true;   // the sums of a product are split by its size

    public ILanguageSequence NewSequence() => new TorchSequence(model);

    public void Prefill(ILanguageSequence sequence, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Continue(sequence, model.Embed(tokens), logits, []);
    }

    public void PrefillEmbeddings(ILanguageSequence sequence, ReadOnlySpan<float> embeddings, Span<float> logits)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var input = tensor(embeddings.ToArray(), [1, embeddings.Length / HiddenSize, HiddenSize]);   // [1, seq, hidden]
        Continue(sequence, input.to(model.ElementType).to(model.Device), logits, []);
    }

    public void Decode(ILanguageSequence sequence, int token, Span<float> logits, Span<float> hidden)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Continue(sequence, model.Embed([token]), logits, hidden);
    }

    public void Embed(int token, Span<float> destination)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        CopyOut(model.Embed([token]), destination);
    }

    private void Continue(ILanguageSequence sequence, Tensor input, Span<float> logits, Span<float> hidden)
    {
        var cache = ((TorchSequence)sequence).Cache;
        var seq = input.shape[1];
        cache.Reserve((cache.Length + (int)seq + RoomStep - 1) / RoomStep * RoomStep);
        var states = model.forward(input, cache, null);   // [1, seq, hidden]
        if (logits.IsEmpty && hidden.IsEmpty)
        {
            return;
        }

        var last = states.narrow(1, seq - 1, 1);
        if (!logits.IsEmpty)
        {
            CopyOut(model.Head(last), logits);
        }

        if (!hidden.IsEmpty)
        {
            CopyOut(last, hidden);
        }
    }

    private static void CopyOut(Tensor values, Span<float> destination)
    {
        var plain = values.flatten().to(ScalarType.Float32).cpu().contiguous();
        MemoryMarshal.Cast<byte, float>(plain.bytes).CopyTo(destination);
    }

    public void Dispose()
    {
        model.Added?.Dispose();
        adapter?.Dispose();
        model.Dispose();
    }

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
