using NextGpt.Model.Lora;
using NextGpt.Model.Weights;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>LLaMA decoder that continues a sequence of embeddings (text tokens and projected media alike).</summary>
/// <remarks>
/// Follows Touvron et al. 2023, section 2.2, with grouped-query attention (Ainslie et al. 2023) and optional query, key and value
/// biases (Qwen2); weight names of the Hugging Face checkpoints (Vicuna-7B, SmolLM2, Qwen2).
/// Differs in one thing: the input is embeddings, because media enter as embeddings; <see cref="Embed(Tensor)"/> makes them of ids.
/// Made on its device in its element type (float32 on the CPU, float16 or bfloat16 on a GPU), empty and frozen;
/// <see cref="Load"/> fills it. Belongs to one thread.
/// </remarks>
public sealed class LlamaModel : nn.Module<Tensor, KeyValueCache?, IReadOnlyList<int>?, Tensor>
{
    [ComponentName(Name = "model")]
    private readonly LlamaDecoder _decoder;

    [ComponentName(Name = "lm_head")]
    private readonly LoraLinear? _head;

    private readonly LlamaRotary _rotary;

    /// <summary>Takes the room for the weights; their values are undefined until <see cref="Load"/>.</summary>
    /// <param name="config">The network's numbers.</param>
    /// <param name="device">Null is the CPU; the meta device gives shapes without memory.</param>
    /// <param name="type">Element type of weights and activations.</param>
    /// <exception cref="InvalidDataException">The numbers cannot be those of a network.</exception>
    public LlamaModel(LlamaConfig config, Device? device = null, ScalarType type = ScalarType.Float32)
        : base(nameof(LlamaModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate("the network's config");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Config = config;
        Device = device ?? CPU;
        ElementType = type;
        _rotary = new LlamaRotary(config, Device);
        _decoder = new LlamaDecoder(config, Device, type);
        _head = config.TiedHead
            ? null
            : new LoraLinear(LlamaWeights.Frozen(empty(config.VocabularySize, config.HiddenSize, type, Device)));
        RegisterComponents();
    }

    /// <summary>The network's numbers.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Tokens that it knows: its own, and those added to it.</summary>
    public int VocabularySize => Config.VocabularySize + (Added?.Count ?? 0);

    /// <summary>Rows of tokens added to it, or null; they belong to whoever made them.</summary>
    public AddedTokenRows? Added { get; private set; }

    /// <summary>[vocab, hidden], without the added rows.</summary>
    internal Tensor EmbeddingWeight => _decoder.Embedding.Weight;

    /// <summary>[vocab, hidden], without the added rows; the embedding where they are tied.</summary>
    internal Tensor HeadWeight => _head?.Weight ?? _decoder.Embedding.Weight;

    /// <summary>Where weights and activations are.</summary>
    public Device Device { get; }

    /// <summary>Element type of weights and activations.</summary>
    public ScalarType ElementType { get; }

    /// <summary>Fills the network.</summary>
    /// <param name="source">A checkpoint with Hugging Face names; stays open.</param>
    /// <returns>
    /// Tensors of the checkpoint that were left out: rotary tables of old checkpoints, a head beside a tied embedding.
    /// </returns>
    /// <exception cref="InvalidDataException">Tensors are missing, unexpected or of another shape.</exception>
    public IReadOnlyList<string> Load(ITensorSource source) => CheckpointLoader.Fill(
        this,
        source,
        name => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (_head is null && name == "lm_head.weight")
            ? null
            : name);

    /// <summary>Takes added tokens into use, instead of any other; null takes them out.</summary>
    /// <param name="rows">As wide as the network, on its device.</param>
    /// <exception cref="ArgumentException">They are of another width.</exception>
    public void Use(AddedTokenRows? rows)
    {
        if (rows is not null && rows.Embedding.shape[1] != Config.HiddenSize)
        {
            throw new ArgumentException(
                $"The added rows are {rows.Embedding.shape[1]} wide, the network is {Config.HiddenSize}; they belong to another model.",
                nameof(rows));
        }

        Added = rows;
    }

    /// <summary>A cache that fits the network.</summary>
    /// <param name="capacity">Tokens per row, padding included.</param>
    /// <param name="batch">Number of rows.</param>
    /// <param name="leftPadding">Padding tokens at the start of each row; null is none.</param>
    public KeyValueCache NewCache(int capacity, int batch = 1, IReadOnlyList<int>? leftPadding = null) =>
        new(Config, capacity, batch, ElementType, Device, leftPadding);

    /// <summary>Looks tokens up.</summary>
    /// <param name="ids">[batch, seq] int64, 0 to <see cref="VocabularySize"/> − 1.</param>
    /// <returns>[batch, seq, hidden], owned by the caller's dispose scope.</returns>
    public Tensor Embed(Tensor ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        using var scope = NewDisposeScope();
        if (Added is null)
        {
            return _decoder.Embedding.call(ids).MoveToOuterDisposeScope();
        }

        var own = _decoder.Embedding.call(ids.clamp_max(Config.VocabularySize - 1));
        var added = Added.Embedding.index_select(0, (ids - Config.VocabularySize).clamp_min(0).reshape(-1)).view(own.shape).to(ElementType);
        return where(ids.ge(Config.VocabularySize).unsqueeze(-1), added, own).MoveToOuterDisposeScope();
    }

    /// <summary>Looks tokens up; one row.</summary>
    /// <param name="ids">0 to <see cref="VocabularySize"/> − 1.</param>
    /// <returns>[1, seq, hidden], owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public Tensor Embed(ReadOnlySpan<int> ids)
    {
        var wide = new long[ids.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = ids[i];
            if ((uint)ids[i] >= (uint)VocabularySize)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(ids), ids[i], $"The vocabulary has {VocabularySize} tokens; is this the model's own tokenizer?");
            }
        }

        using var scope = NewDisposeScope();
        return Embed(tensor(wide, [1, wide.Length], device: Device)).MoveToOuterDisposeScope();
    }

    /// <summary>Continues a sequence.</summary>
    /// <param name="embeddings">[batch, seq, hidden]; with a cache, the part behind what the cache holds.</param>
    /// <param name="cache">Earlier tokens, extended by these; null reads a whole sequence without keeping anything.</param>
    /// <param name="leftPadding">Padding at the start of each row, for a call without a cache (a cache knows its own).</param>
    /// <returns>[batch, seq, hidden] after the final norm, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The cache is for another number of rows, or too small.</exception>
    public override Tensor forward(Tensor embeddings, KeyValueCache? cache, IReadOnlyList<int>? leftPadding)
    {
        using var scope = NewDisposeScope();
        var shape = embeddings.shape;
        var (batch, seq, past) = ((int)shape[0], (int)shape[1], cache?.Length ?? 0);
        Check(batch, seq, cache, leftPadding);

        var step = _rotary.Step(batch, seq, past, cache, cache?.LeftPadding ?? leftPadding, ElementType);
        var hidden = _decoder.call(embeddings, step);
        cache?.SetLength(past + seq);
        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>Scores of the next token. Ask only for the positions that are needed: this is the widest product.</summary>
    /// <param name="hidden">[..., hidden], from <see cref="forward"/>.</param>
    /// <returns>[..., vocab], owned by the caller's dispose scope.</returns>
    public Tensor Head(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var logits = _head is null
            ? nn.functional.linear(hidden, _decoder.Embedding.Weight)
            : _head.call(hidden);
        if (Added is not null)
        {
            logits = cat([logits, nn.functional.linear(hidden, Added.Head.to(hidden.dtype))], -1);
        }

        return logits.MoveToOuterDisposeScope();
    }

    /// <summary>The frequencies of the rotary positions, for tests: [headSize / 2].</summary>
    internal IReadOnlyList<float> RotaryFrequencies => _rotary.Frequencies;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }

    private static void Check(int batch, int seq, KeyValueCache? cache, IReadOnlyList<int>? leftPadding)
    {
        if (cache is null)
        {
            if (leftPadding is not null && leftPadding.Count != batch)
            {
                throw new ArgumentException($"{leftPadding.Count} counts of padding for {batch} rows.", nameof(leftPadding));
            }

            return;
        }

        if (leftPadding is not null)
        {
            throw new ArgumentException("A cache knows its own padding; give it there.", nameof(leftPadding));
        }

        if (cache.Batch != batch || cache.Length + seq > cache.Capacity)
        {
            throw new ArgumentException(
                $"{batch} rows of {seq} tokens do not fit a cache of {cache.Batch} rows with {cache.Length} of {cache.Capacity} "
                + "tokens used; make room with Reserve.",
                nameof(cache));
        }
    }
}

/// <summary>Embedding, layers and final norm: everything but the head.</summary>
internal sealed class LlamaDecoder : nn.Module<Tensor, LlamaStep, Tensor>
{
    [ComponentName(Name = "embed_tokens")]
    private readonly LlamaEmbedding _embedding;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<LlamaLayer> _layers;

    [ComponentName(Name = "norm")]
    private readonly LlamaNorm _norm;

    private readonly LlamaLayer[] _order;

    public LlamaDecoder(LlamaConfig config, Device device, ScalarType type)
        : base(nameof(LlamaDecoder))
    {
        _embedding = new LlamaEmbedding(config, device, type);
        _order = [.. Enumerable.Range(0, config.Layers).Select(layer => new LlamaLayer(config, layer, device, type))];
        _layers = new ModuleList<LlamaLayer>(_order);
        _norm = new LlamaNorm(config, device, type);
        RegisterComponents();
    }

    public LlamaEmbedding Embedding => _embedding;

    /// <returns>[batch, seq, hidden] after the final norm.</returns>
    public override Tensor forward(Tensor hidden, LlamaStep step)
    {
        using var scope = NewDisposeScope();
        for (var layer = 0; layer < _order.Length; layer++)
        {
            var before = hidden;
            hidden = _order[layer].call(before, step);
            if (layer > 0)
            {
                before.Dispose();   // the first one is the caller's
            }
        }

        return _norm.call(hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>Rows of the vocabulary.</summary>
internal sealed class LlamaEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private readonly int _hidden;

    public LlamaEmbedding(LlamaConfig config, Device device, ScalarType type)
        : base(nameof(LlamaEmbedding))
    {
        _hidden = config.HiddenSize;
        _weight = LlamaWeights.Frozen(empty(config.VocabularySize, config.HiddenSize, type, device));
        RegisterComponents();
    }

    /// <summary>[vocab, hidden]</summary>
    public Parameter Weight => _weight;

    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var shape = ids.shape;
        return _weight.index_select(0, ids.reshape(-1)).view(shape[0], shape[1], _hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention and feed-forward, each behind a norm and beside a residual.</summary>
internal sealed class LlamaLayer : nn.Module<Tensor, LlamaStep, Tensor>
{
    [ComponentName(Name = "input_layernorm")]
    private readonly LlamaNorm _attentionNorm;

    [ComponentName(Name = "self_attn")]
    private readonly LlamaAttention _attention;

    [ComponentName(Name = "post_attention_layernorm")]
    private readonly LlamaNorm _feedForwardNorm;

    [ComponentName(Name = "mlp")]
    private readonly LlamaFeedForward _feedForward;

    public LlamaLayer(LlamaConfig config, int layer, Device device, ScalarType type)
        : base(nameof(LlamaLayer))
    {
        _attentionNorm = new LlamaNorm(config, device, type);
        _attention = new LlamaAttention(config, layer, device, type);
        _feedForwardNorm = new LlamaNorm(config, device, type);
        _feedForward = new LlamaFeedForward(config, device, type);
        RegisterComponents();
    }

    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, LlamaStep step)
    {
        using var scope = NewDisposeScope();
        hidden = hidden + _attention.call(_attentionNorm.call(hidden), step);
        hidden = hidden + _feedForward.call(_feedForwardNorm.call(hidden));
        return hidden.MoveToOuterDisposeScope();
    }
}

/// <summary>Divides by the root mean square (Zhang and Sennrich 2019), in float32 whatever the element type.</summary>
internal sealed class LlamaNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private readonly Scalar _epsilon;

    public LlamaNorm(LlamaConfig config, Device device, ScalarType type)
        : base(nameof(LlamaNorm))
    {
        _epsilon = config.NormEpsilon;
        _weight = LlamaWeights.Frozen(empty(config.HiddenSize, type, device));
        RegisterComponents();
    }

    /// <returns>As the input, [batch, seq, hidden].</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var wide = hidden.to(ScalarType.Float32);
        var scale = wide.square().mean([-1], keepdim: true).add_(_epsilon).rsqrt_();   // [batch, seq, 1]
        return wide.mul(scale).to(_weight.dtype).mul(_weight).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _epsilon.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Grouped-query attention with rotary positions; neighbouring query heads share a key/value head.</summary>
internal sealed class LlamaAttention : nn.Module<Tensor, LlamaStep, Tensor>
{
    [ComponentName(Name = "q_proj")]
    private readonly LoraLinear _query;

    [ComponentName(Name = "k_proj")]
    private readonly LoraLinear _key;

    [ComponentName(Name = "v_proj")]
    private readonly LoraLinear _value;

    [ComponentName(Name = "o_proj")]
    private readonly LoraLinear _output;

    private readonly LlamaWeights _together;
    private readonly int _layer;
    private readonly int _queryHeads;
    private readonly int _sharedHeads;
    private readonly int _group;
    private readonly int _headSize;

    public LlamaAttention(LlamaConfig config, int layer, Device device, ScalarType type)
        : base(nameof(LlamaAttention))
    {
        (_layer, _headSize) = (layer, config.HeadSize);
        (_queryHeads, _sharedHeads) = (config.QueryHeads, config.KeyValueHeads);
        _group = _queryHeads / _sharedHeads;
        _together = new LlamaWeights(
            config.HiddenSize,
            [_queryHeads * _headSize, _sharedHeads * _headSize, _sharedHeads * _headSize],
            config.QueryKeyValueBias, device, type);
        (_query, _key, _value) = (_together.Parts[0], _together.Parts[1], _together.Parts[2]);
        _output = new LoraLinear(LlamaWeights.Frozen(empty(config.HiddenSize, _queryHeads * _headSize, type, device)));
        RegisterComponents();
    }

    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, LlamaStep step)
    {
        using var scope = NewDisposeScope();
        var projected = _together.Apply(hidden);
        var query = step.Rotate(SplitHeads(projected[0], step, _queryHeads));    // [batch, heads, seq, headSize]
        var key = step.Rotate(SplitHeads(projected[1], step, _sharedHeads));     // [batch, shared, seq, headSize]
        var value = SplitHeads(projected[2], step, _sharedHeads);                // [batch, shared, seq, headSize]
        if (step.Cache is not null)
        {
            (key, value) = step.Cache.Append(_layer, key, value, step.Seq);      // [batch, shared, past + seq, headSize]
        }

        var mixed = step.Seq == 1 ? AttendOne(query, key, value, step) : Attend(query, key, value, step);
        return _output.call(mixed).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _together.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor SplitHeads(Tensor projected, LlamaStep step, int heads) =>
        projected.view(step.Batch, step.Seq, heads, _headSize).transpose(1, 2);

    /// <summary>One new token: the heads of a group take the place of the query positions, so that no key is copied.</summary>
    private Tensor AttendOne(Tensor query, Tensor key, Tensor value, LlamaStep step)
    {
        query = query.reshape(step.Batch, _sharedHeads, _group, _headSize);
        return nn.functional.scaled_dot_product_attention(query, key, value, step.Mask)
            .reshape(step.Batch, 1, _queryHeads * _headSize);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, LlamaStep step)
    {
        var mixed = nn.functional.scaled_dot_product_attention(
            query, Repeated(key, step), Repeated(value, step), step.Mask, is_casual: step.IsCausal);
        return mixed.transpose(1, 2).reshape(step.Batch, step.Seq, _queryHeads * _headSize);
    }

    /// <returns>[batch, heads, past + seq, headSize]; each key/value head serves its group of neighbouring query heads.</returns>
    private Tensor Repeated(Tensor shared, LlamaStep step) => _group == 1
        ? shared
        : shared.unsqueeze(2)
            .expand(step.Batch, _sharedHeads, _group, step.Past + step.Seq, _headSize)
            .reshape(step.Batch, _queryHeads, step.Past + step.Seq, _headSize);
}

/// <summary>Gated feed-forward block (SwiGLU, Shazeer 2020).</summary>
internal sealed class LlamaFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")]
    private readonly LoraLinear _gate;

    [ComponentName(Name = "up_proj")]
    private readonly LoraLinear _up;

    [ComponentName(Name = "down_proj")]
    private readonly LoraLinear _down;

    private readonly LlamaWeights _together;

    public LlamaFeedForward(LlamaConfig config, Device device, ScalarType type)
        : base(nameof(LlamaFeedForward))
    {
        _together = new LlamaWeights(
            config.HiddenSize, [config.IntermediateSize, config.IntermediateSize], bias: false, device, type);
        (_gate, _up) = (_together.Parts[0], _together.Parts[1]);
        _down = new LoraLinear(LlamaWeights.Frozen(empty(config.HiddenSize, config.IntermediateSize, type, device)));
        RegisterComponents();
    }

    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var projected = _together.Apply(hidden);   // gate and up, each [batch, seq, intermediate]
        return _down.call(nn.functional.silu(projected[0]).mul(projected[1])).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _together.Dispose();
        }

        base.Dispose(disposing);
    }
}
