using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Lets every place of a feature map look at every other place and at the conditioning.</summary>
/// <remarks>
/// Rombach et al. 2022, appendix E.2.1; weight names as <c>Transformer2DModel</c> of diffusers. Stable Diffusion 1
/// projects in and out with 1x1 convolutions, Stable Diffusion 2 with linear layers after flattening. Without a context
/// the cross-attention attends to the feature map itself, as AudioLDM asks.
/// </remarks>
internal sealed class SpatialTransformer : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly bool _linearProjection;

    [ComponentName(Name = "norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "proj_in")]
    private readonly nn.Module<Tensor, Tensor> _projectIn;

    [ComponentName(Name = "transformer_blocks")]
    private readonly ModuleList<SpatialTransformerBlock> _blocks;

    [ComponentName(Name = "proj_out")]
    private readonly nn.Module<Tensor, Tensor> _projectOut;

    /// <param name="channels">Channels of the feature map; the width of the transformer.</param>
    /// <param name="heads">Attention heads; must divide the channels.</param>
    /// <param name="contextSize">Width of the conditioning.</param>
    /// <param name="layers">Transformer blocks.</param>
    /// <param name="linearProjection">Linear instead of 1x1 convolution for in and out projection.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal SpatialTransformer(
        int channels, int heads, int contextSize, int layers, bool linearProjection, int groups, Device? device,
        ScalarType? dtype)
        : base(nameof(SpatialTransformer))
    {
        _linearProjection = linearProjection;
        _norm = GroupNorms.Create(groups, channels, 1e-6, device, dtype);
        _projectIn = Projection(channels, linearProjection, device, dtype);
        _blocks = new ModuleList<SpatialTransformerBlock>(
            [.. Enumerable.Range(0, layers).Select(_ => new SpatialTransformerBlock(channels, heads, contextSize, device, dtype))]);
        _projectOut = Projection(channels, linearProjection, device, dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, height, width]</param>
    /// <param name="context">[batch, tokens, contextSize], or null for self-attention in its place.</param>
    /// <returns>[batch, channels, height, width], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        var (batch, channels, height, width) = (shape[0], shape[1], shape[2], shape[3]);

        var hidden = _norm.call(input);
        hidden = _linearProjection
            ? _projectIn.call(Flatten(hidden, batch, channels))
            : Flatten(_projectIn.call(hidden), batch, channels);   // [batch, height * width, channels]

        foreach (var block in _blocks)
        {
            hidden = block.call(hidden, context);
        }

        hidden = _linearProjection
            ? Unflatten(_projectOut.call(hidden), batch, channels, height, width)
            : _projectOut.call(Unflatten(hidden, batch, channels, height, width));   // [batch, channels, height, width]
        return (hidden + input).MoveToOuterDisposeScope();
    }

    private static nn.Module<Tensor, Tensor> Projection(int channels, bool linear, Device? device, ScalarType? dtype) =>
        linear
            ? nn.Linear(channels, channels, device: device, dtype: dtype)
            : nn.Conv2d(channels, channels, 1, device: device, dtype: dtype);

    private static Tensor Flatten(Tensor map, long batch, long channels) =>
        map.view(batch, channels, -1).transpose(1, 2).contiguous();

    private static Tensor Unflatten(Tensor tokens, long batch, long channels, long height, long width) =>
        tokens.transpose(1, 2).reshape(batch, channels, height, width);
}

/// <summary>Self-attention, cross-attention and a gated feed-forward layer, each normalised first.</summary>
internal sealed class SpatialTransformerBlock : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _selfNorm;

    [ComponentName(Name = "attn1")]
    private readonly SpatialAttention _selfAttention;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _crossNorm;

    [ComponentName(Name = "attn2")]
    private readonly SpatialAttention _crossAttention;

    [ComponentName(Name = "norm3")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "ff")]
    private readonly GatedFeedForward _feedForward;

    internal SpatialTransformerBlock(int channels, int heads, int contextSize, Device? device, ScalarType? dtype)
        : base(nameof(SpatialTransformerBlock))
    {
        _selfNorm = nn.LayerNorm(channels, device: device, dtype: dtype);
        _selfAttention = new SpatialAttention(channels, heads, channels, device, dtype);
        _crossNorm = nn.LayerNorm(channels, device: device, dtype: dtype);
        _crossAttention = new SpatialAttention(channels, heads, contextSize, device, dtype);
        _feedForwardNorm = nn.LayerNorm(channels, device: device, dtype: dtype);
        _feedForward = new GatedFeedForward(channels, device, dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, seq, channels]</param>
    /// <param name="context">[batch, tokens, contextSize], or null.</param>
    /// <returns>[batch, seq, channels], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var hidden = input + _selfAttention.call(_selfNorm.call(input), null);
        hidden = hidden + _crossAttention.call(_crossNorm.call(hidden), context);
        hidden = hidden + _feedForward.call(_feedForwardNorm.call(hidden));
        return hidden.MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head attention of a sequence to a context, or to itself.</summary>
internal sealed class SpatialAttention : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly int _heads;

    [ComponentName(Name = "to_q")]
    private readonly Linear _query;

    [ComponentName(Name = "to_k")]
    private readonly Linear _key;

    [ComponentName(Name = "to_v")]
    private readonly Linear _value;

    [ComponentName(Name = "to_out")]
    private readonly ModuleList<Linear> _output;

    internal SpatialAttention(int channels, int heads, int contextSize, Device? device, ScalarType? dtype)
        : base(nameof(SpatialAttention))
    {
        if (channels % heads != 0)
        {
            throw new ArgumentException(
                $"{channels} channels cannot be split into {heads} attention heads; attention_head_dim must divide every "
                + "channel count (in 2D U-Nets it is the number of heads).",
                nameof(heads));
        }

        _heads = heads;
        _query = nn.Linear(channels, channels, hasBias: false, device: device, dtype: dtype);
        _key = nn.Linear(contextSize, channels, hasBias: false, device: device, dtype: dtype);
        _value = nn.Linear(contextSize, channels, hasBias: false, device: device, dtype: dtype);
        _output = new ModuleList<Linear>(nn.Linear(channels, channels, device: device, dtype: dtype));
        RegisterComponents();
    }

    /// <param name="input">[batch, seq, channels]</param>
    /// <param name="context">
    /// [batch, tokens, contextSize], or null to attend to the input; [batch / n, ...] where n neighbouring rows share one.
    /// </param>
    /// <returns>[batch, seq, channels], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, Tensor? context)
    {
        using var scope = NewDisposeScope();
        if (context is not null && context.shape[0] is var rows && rows != input.shape[0])
        {
            // Frames of a clip share their context: as one long row they need its keys and values once.
            var longRow = input.view(rows, -1, input.shape[2]);
            return forward(longRow, context).view(input.shape).MoveToOuterDisposeScope();
        }

        var source = context ?? input;
        var query = SplitHeads(_query.call(input));    // [batch, heads, seq, headSize]
        var key = SplitHeads(_key.call(source));       // [batch, heads, tokens, headSize]
        var value = SplitHeads(_value.call(source));   // [batch, heads, tokens, headSize]

        var mixed = nn.functional.scaled_dot_product_attention(query, key, value);
        mixed = mixed.transpose(1, 2).flatten(2);      // [batch, seq, channels]
        return _output[0].call(mixed).MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor tokens) => tokens.unflatten(2, _heads, -1).transpose(1, 2);
}

/// <summary>Feed-forward layer with a gated Gaussian error unit (Shazeer 2020): value times GELU of the gate.</summary>
internal sealed class GatedFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "net")]
    private readonly ModuleList<nn.Module<Tensor, Tensor>> _layers;

    internal GatedFeedForward(int channels, Device? device, ScalarType? dtype)
        : base(nameof(GatedFeedForward))
    {
        _layers = new ModuleList<nn.Module<Tensor, Tensor>>(
            new GatedProjection(channels, 4 * channels, device, dtype),
            nn.Identity(),   // dropout in the reference; keeps the last layer's name at net.2
            nn.Linear(4 * channels, channels, device: device, dtype: dtype));
        RegisterComponents();
    }

    /// <param name="input">[batch, seq, channels]</param>
    /// <returns>[batch, seq, channels], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _layers[2].call(_layers[0].call(input)).MoveToOuterDisposeScope();
    }
}

/// <summary>Projects to value and gate at once and multiplies the value with the gate's exact GELU.</summary>
internal sealed class GatedProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")]
    private readonly Linear _projection;

    internal GatedProjection(int inputSize, int outputSize, Device? device, ScalarType? dtype)
        : base(nameof(GatedProjection))
    {
        _projection = nn.Linear(inputSize, 2 * outputSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, seq, inputSize]</param>
    /// <returns>[batch, seq, outputSize], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var halves = _projection.call(input).chunk(2, -1);
        return (halves[0] * nn.functional.gelu(halves[1])).MoveToOuterDisposeScope();
    }
}
