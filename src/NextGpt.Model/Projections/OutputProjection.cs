using NextGpt.Model.Weights;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Projections;

/// <summary>The numbers of an <see cref="OutputProjection"/>.</summary>
public sealed record OutputProjectionConfig
{
    /// <summary>Width of the language model.</summary>
    public required int InputSize { get; init; }

    /// <summary>Width of the decoder's conditioning: 768, 1,024, or 512 for sounds.</summary>
    public required int OutputSize { get; init; }

    /// <summary>Positions of the conditioning: 77, or 1 for sounds.</summary>
    public required int Queries { get; init; }

    /// <summary>Width inside.</summary>
    public int HiddenSize { get; init; } = 512;

    /// <summary>Width inside the feed-forward layers.</summary>
    public int IntermediateSize { get; init; } = 2_048;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Layers of the encoder.</summary>
    public int EncoderLayers { get; init; } = 4;

    /// <summary>Layers of the decoder.</summary>
    public int DecoderLayers { get; init; } = 4;

    /// <summary>Reads the numbers off the shapes of a checkpoint, which does not say them otherwise.</summary>
    /// <param name="source">Tensors with the names of v0 or of v2.</param>
    /// <param name="heads">Attention heads, which no shape tells.</param>
    /// <exception cref="InvalidDataException">It is no such projection; names the tensor.</exception>
    public static OutputProjectionConfig Of(ITensorSource source, int heads)
    {
        ArgumentNullException.ThrowIfNull(source);
        var v0 = ProjectionWeights.Has(source, "fc.weight");
        var first = ProjectionWeights.ShapeOf(source, v0 ? "fc.weight" : "in_fc.weight", 2);
        var config = new OutputProjectionConfig
        {
            InputSize = (int)first[1],
            HiddenSize = (int)first[0],
            OutputSize = (int)ProjectionWeights.ShapeOf(source, v0 ? "model.weight" : "out_fc.weight", 2)[0],
            Queries = (int)ProjectionWeights.ShapeOf(source, "query_embs", 3)[1],
            IntermediateSize = (int)ProjectionWeights.ShapeOf(source, "tfm.encoder.layers.0.linear1.weight", 2)[0],
            Heads = heads,
            EncoderLayers = ProjectionWeights.Count(source, "tfm.encoder.layers"),
            DecoderLayers = ProjectionWeights.Count(source, "tfm.decoder.layers"),
        };
        return heads >= 1 && config.HiddenSize % heads == 0
            ? config
            : throw new InvalidDataException($"{source.Name}: a width of {config.HiddenSize} cannot be shared by {heads} heads evenly.");
    }
}

/// <summary>Turns the states of a signal into the conditioning of a diffusion decoder.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), section 3; <c>TextFcLayer</c> in the mode <c>transformer</c> of v0 and <c>TransformersProjector</c> of
/// v2, which differ in names alone: an encoder over the signal, a decoder whose queries are learned, norms first and once more
/// behind each stack, ReLU, no masks, no positions. Names are those of v2; v0's are understood.
/// </remarks>
public sealed class OutputProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "in_fc")]
    private readonly Linear _in;

    [ComponentName(Name = "tfm")]
    private readonly ProjectionTransformer _transformer;

    [ComponentName(Name = "query_embs")]
    private readonly Parameter _queries;

    [ComponentName(Name = "out_fc")]
    private readonly Linear _out;

    /// <summary>Builds the projection with fresh weights, ready to be trained.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="seed">Same seed, same weights.</param>
    public OutputProjection(OutputProjectionConfig config, Device? device = null, ScalarType? dtype = null, long seed = 0)
        : base(nameof(OutputProjection))
    {
        ArgumentNullException.ThrowIfNull(config);
        using var scope = NewDisposeScope();
        Config = config;
        _in = nn.Linear(config.InputSize, config.HiddenSize, device: device, dtype: dtype);
        _transformer = new ProjectionTransformer(config, device, dtype);
        _queries = new Parameter(empty(1, config.Queries, config.HiddenSize, dtype ?? ScalarType.Float32, device ?? CPU));
        _queries.DetachFromDisposeScope();
        _out = nn.Linear(config.HiddenSize, config.OutputSize, device: device, dtype: dtype);
        RegisterComponents();
        if (device?.type != DeviceType.META)
        {
            ProjectionWeights.Fill(this, seed, _ => 1);
        }
    }

    /// <summary>The numbers it was built with.</summary>
    public OutputProjectionConfig Config { get; }

    /// <summary>Reads a projection.</summary>
    /// <param name="source">Tensors with the names of v0 or of v2, bare or behind the name of the projection; stays open.</param>
    /// <param name="heads">Attention heads, which no shape tells.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static OutputProjection Load(ITensorSource source, int heads = 4, Device? device = null, ScalarType? dtype = null)
    {
        var network = new OutputProjection(OutputProjectionConfig.Of(source, heads), device, dtype);
        try
        {
            CheckpointLoader.Fill(network, source, CurrentName);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The name this network gives a tensor of either generation.</summary>
    public static string CurrentName(string stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var name = ProjectionWeights.OwnName(stored);
        return name.StartsWith("fc.", StringComparison.Ordinal) ? $"in_{name}"
            : name.StartsWith("model.", StringComparison.Ordinal) ? $"out_fc.{name["model.".Length..]}"
            : name;
    }

    /// <summary>Projects.</summary>
    /// <param name="signal">
    /// [batch, positions, hidden]: the last hidden state at every position of a signal plus the embedding of the token there.
    /// </param>
    /// <returns>[batch, queries, out], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor signal)
    {
        using var scope = NewDisposeScope();
        var inner = _in.call(signal);   // [batch, positions, inner]
        var answers = _transformer.call(inner, _queries.expand(signal.shape[0], -1, -1));   // [batch, queries, inner]
        return _out.call(answers).MoveToOuterDisposeScope();
    }
}

/// <summary>Encoder and decoder.</summary>
internal sealed class ProjectionTransformer : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "encoder")]
    private readonly ProjectionEncoder _encoder;

    [ComponentName(Name = "decoder")]
    private readonly ProjectionDecoder _decoder;

    internal ProjectionTransformer(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionTransformer))
    {
        _encoder = new ProjectionEncoder(config, device, dtype);
        _decoder = new ProjectionDecoder(config, device, dtype);
        RegisterComponents();
    }

    /// <param name="signal">[batch, positions, inner]</param>
    /// <param name="queries">[batch, queries, inner]</param>
    /// <returns>[batch, queries, inner]</returns>
    public override Tensor forward(Tensor signal, Tensor queries)
    {
        using var scope = NewDisposeScope();
        return _decoder.call(queries, _encoder.call(signal)).MoveToOuterDisposeScope();
    }
}

/// <summary>Layers over the signal, and a last norm.</summary>
internal sealed class ProjectionEncoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly ModuleList<ProjectionEncoderLayer> _layers;

    [ComponentName(Name = "norm")]
    private readonly LayerNorm _norm;

    internal ProjectionEncoder(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionEncoder))
    {
        _layers = new ModuleList<ProjectionEncoderLayer>(
            [.. Enumerable.Range(0, config.EncoderLayers).Select(_ => new ProjectionEncoderLayer(config, device, dtype))]);
        _norm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[batch, positions, inner]</returns>
    public override Tensor forward(Tensor signal)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers)
        {
            signal = layer.call(signal);
        }

        return _norm.call(signal).MoveToOuterDisposeScope();
    }
}

/// <summary>Layers over the queries, and a last norm.</summary>
internal sealed class ProjectionDecoder : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly ModuleList<ProjectionDecoderLayer> _layers;

    [ComponentName(Name = "norm")]
    private readonly LayerNorm _norm;

    internal ProjectionDecoder(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionDecoder))
    {
        _layers = new ModuleList<ProjectionDecoderLayer>(
            [.. Enumerable.Range(0, config.DecoderLayers).Select(_ => new ProjectionDecoderLayer(config, device, dtype))]);
        _norm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[batch, queries, inner]</returns>
    public override Tensor forward(Tensor queries, Tensor signal)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers)
        {
            queries = layer.call(queries, signal);
        }

        return _norm.call(queries).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention and feed-forward, each normed first.</summary>
internal sealed class ProjectionEncoderLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _attentionNorm;

    [ComponentName(Name = "self_attn")]
    private readonly ProjectionAttention _attention;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "linear1")]
    private readonly Linear _up;

    [ComponentName(Name = "linear2")]
    private readonly Linear _down;

    internal ProjectionEncoderLayer(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionEncoderLayer))
    {
        _attentionNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _attention = new ProjectionAttention(config, device, dtype);
        _feedForwardNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _up = nn.Linear(config.HiddenSize, config.IntermediateSize, device: device, dtype: dtype);
        _down = nn.Linear(config.IntermediateSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[batch, positions, inner]</returns>
    public override Tensor forward(Tensor signal)
    {
        using var scope = NewDisposeScope();
        var normed = _attentionNorm.call(signal);
        signal = signal + _attention.call(normed, normed);
        signal = signal + _down.call(nn.functional.relu(_up.call(_feedForwardNorm.call(signal))));
        return signal.MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention among the queries, attention to the signal, feed-forward; each normed first.</summary>
internal sealed class ProjectionDecoderLayer : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _selfNorm;

    [ComponentName(Name = "self_attn")]
    private readonly ProjectionAttention _self;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _signalNorm;

    [ComponentName(Name = "multihead_attn")]
    private readonly ProjectionAttention _signal;

    [ComponentName(Name = "norm3")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "linear1")]
    private readonly Linear _up;

    [ComponentName(Name = "linear2")]
    private readonly Linear _down;

    internal ProjectionDecoderLayer(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionDecoderLayer))
    {
        _selfNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _self = new ProjectionAttention(config, device, dtype);
        _signalNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _signal = new ProjectionAttention(config, device, dtype);
        _feedForwardNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _up = nn.Linear(config.HiddenSize, config.IntermediateSize, device: device, dtype: dtype);
        _down = nn.Linear(config.IntermediateSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="queries">[batch, queries, inner]</param>
    /// <param name="signal">[batch, positions, inner], encoded.</param>
    /// <returns>[batch, queries, inner]</returns>
    public override Tensor forward(Tensor queries, Tensor signal)
    {
        using var scope = NewDisposeScope();
        var normed = _selfNorm.call(queries);
        queries = queries + _self.call(normed, normed);
        queries = queries + _signal.call(_signalNorm.call(queries), signal);
        queries = queries + _down.call(nn.functional.relu(_up.call(_feedForwardNorm.call(queries))));
        return queries.MoveToOuterDisposeScope();
    }
}

/// <summary>Attention of several heads with one packed weight for query, key and value.</summary>
internal sealed class ProjectionAttention : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "in_proj_weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "in_proj_bias")]
    private readonly Parameter _bias;

    [ComponentName(Name = "out_proj")]
    private readonly Linear _out;

    private readonly int _heads;
    private readonly int _size;

    internal ProjectionAttention(OutputProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ProjectionAttention))
    {
        (_heads, _size) = (config.Heads, config.HiddenSize);
        var type = dtype ?? ScalarType.Float32;
        _weight = new Parameter(empty(3 * _size, _size, type, device ?? CPU));
        _bias = new Parameter(empty(3 * _size, type, device ?? CPU));
        _weight.DetachFromDisposeScope();
        _bias.DetachFromDisposeScope();
        _out = nn.Linear(_size, _size, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="asking">[batch, queries, inner]</param>
    /// <param name="asked">[batch, positions, inner]</param>
    /// <returns>[batch, queries, inner]</returns>
    public override Tensor forward(Tensor asking, Tensor asked)
    {
        using var scope = NewDisposeScope();
        var query = Part(asking, 0);
        var mixed = nn.functional.scaled_dot_product_attention(query, Part(asked, 1), Part(asked, 2));
        return _out.call(mixed.transpose(1, 2).reshape(asking.shape[0], asking.shape[1], _size)).MoveToOuterDisposeScope();
    }

    /// <returns>[batch, heads, positions, headSize]</returns>
    private Tensor Part(Tensor input, int part) => nn.functional
        .linear(input, _weight.narrow(0, part * _size, _size), _bias.narrow(0, part * _size, _size))
        .view(input.shape[0], input.shape[1], _heads, _size / _heads)
        .transpose(1, 2);
}
