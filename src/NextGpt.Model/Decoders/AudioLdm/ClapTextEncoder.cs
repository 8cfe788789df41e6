using System.Text.Json.Nodes;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>The numbers of a <see cref="ClapTextEncoder"/>, as in its <c>config.json</c>.</summary>
public sealed record ClapTextEncoderConfig
{
    /// <summary>Rows of the token embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads; must divide the width.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the caption's vector.</summary>
    public int ProjectionSize { get; init; } = 512;

    /// <summary>Rows of the position embedding: the longest text plus <see cref="PadToken"/> + 1.</summary>
    public int Positions { get; init; } = 514;

    /// <summary>Kinds of segments; RoBERTa uses the first alone.</summary>
    public int SegmentKinds { get; init; } = 1;

    /// <summary>Id that pads; positions of text are counted from the next number on.</summary>
    public int PadToken { get; init; } = 1;

    /// <summary>Epsilon of the layer norms.</summary>
    public double NormEpsilon { get; init; } = 1e-12;

    /// <summary>Longest text, in tokens, start and end included.</summary>
    public int MaxTokens => Positions - PadToken - 1;

    /// <summary>Writes a <c>config.json</c> in transformers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["architectures"] = DiffusersConfig.List(["ClapTextModelWithProjection"]),
        ["model_type"] = "clap_text_model",
        ["vocab_size"] = VocabularySize,
        ["hidden_size"] = HiddenSize,
        ["intermediate_size"] = IntermediateSize,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["projection_dim"] = ProjectionSize,
        ["max_position_embeddings"] = Positions,
        ["type_vocab_size"] = SegmentKinds,
        ["pad_token_id"] = PadToken,
        ["layer_norm_eps"] = NormEpsilon,
        ["hidden_act"] = "gelu",
        ["projection_hidden_act"] = "relu",
    });

    /// <summary>Reads the <c>config.json</c> of a transformers CLAP text model.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static ClapTextEncoderConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("model_type", "clap_text_model");
        config.Expect("hidden_act", "gelu");
        config.Expect("projection_hidden_act", "relu");
        config.Expect("position_embedding_type", "absolute");
        return new ClapTextEncoderConfig
        {
            VocabularySize = config.Integer("vocab_size", 50_265),
            HiddenSize = config.Integer("hidden_size", 768),
            IntermediateSize = config.Integer("intermediate_size", 3_072),
            Layers = config.Integer("num_hidden_layers", 12),
            Heads = config.Integer("num_attention_heads", 12),
            ProjectionSize = config.Integer("projection_dim", 512),
            Positions = config.Integer("max_position_embeddings", 514),
            SegmentKinds = config.Integer("type_vocab_size", 1),
            PadToken = config.Integer("pad_token_id", 1),
            NormEpsilon = config.Number("layer_norm_eps", 1e-12),
        };
    }
}

/// <summary>Transformer that turns a caption into the one vector that conditions AudioLDM.</summary>
/// <remarks>
/// The text half of CLAP (Wu et al. 2023, section 3.2; Elizalde et al. 2023): a RoBERTa encoder (Liu et al. 2019), the
/// state of its first token, and a two-layer projection. Weight names of <c>ClapTextModelWithProjection</c>.
/// </remarks>
public sealed class ClapTextEncoder : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "text_model")]
    private readonly ClapTextModel _model;

    [ComponentName(Name = "text_projection")]
    private readonly ClapProjection _projection;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="ArgumentException">The heads do not divide the width.</exception>
    public ClapTextEncoder(ClapTextEncoderConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(ClapTextEncoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.HiddenSize % config.Heads != 0)
        {
            throw new ArgumentException(
                $"{config.HiddenSize} wide states cannot be split into {config.Heads} heads; choose a number of heads that "
                + "divides the width.",
                nameof(config));
        }

        Config = config;
        _model = new ClapTextModel(config, device, dtype);
        _projection = new ClapProjection(config, device, dtype);
        RegisterComponents();
        Initialise();
    }

    /// <summary>The numbers it was built with.</summary>
    public ClapTextEncoderConfig Config { get; }

    /// <summary>Reads a transformers folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static ClapTextEncoder Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new ClapTextEncoder(ClapTextEncoderConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, CurrentName);
        network.eval();
        return network;
    }

    /// <summary>Writes a folder that <see cref="Load"/> reads: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <param name="type">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        DiffusersWeights.Save(this, Path.Combine(folder, "model.safetensors"), type);
        Config.Save(Path.Combine(folder, "config.json"));
    }

    /// <summary>Encodes captions.</summary>
    /// <param name="tokens">[batch, seq] int64, padded with the config's pad token; seq at most the config's longest text.</param>
    /// <param name="mask">[batch, seq] int64, 1 for text and 0 for padding; null where nothing is padded.</param>
    /// <returns>
    /// [batch, projection], not normalised (AudioLDM divides it by its length), owned by the caller's dispose scope.
    /// </returns>
    /// <exception cref="ArgumentException">The texts are longer than the network has positions.</exception>
    public override Tensor forward(Tensor tokens, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var hidden = _model.call(tokens, mask);   // [batch, seq, hidden]
        return _projection.call(_model.Pool(hidden)).MoveToOuterDisposeScope();
    }

    /// <summary>The states behind the pooled vector.</summary>
    /// <param name="tokens">[batch, seq] int64</param>
    /// <param name="mask">[batch, seq] int64, 1 for text and 0 for padding; null where nothing is padded.</param>
    /// <returns>[batch, seq, hidden], owned by the caller's dispose scope.</returns>
    public Tensor States(Tensor tokens, Tensor? mask) => _model.call(tokens, mask);

    /// <summary>The name this network gives a weight of a checkpoint.</summary>
    /// <param name="name">A name from a checkpoint of the text half or of the whole of CLAP.</param>
    /// <returns>The name here, or null where the checkpoint holds something that is no weight of the text half.</returns>
    public static string? CurrentName(string name) =>
        name.StartsWith("audio_", StringComparison.Ordinal) || name.StartsWith("logit_scale", StringComparison.Ordinal)
        || name.EndsWith("position_ids", StringComparison.Ordinal) || name.EndsWith("token_type_ids", StringComparison.Ordinal)
            ? null
            : name;

    /// <summary>
    /// Gives every parameter a fresh value: normal of deviation 0.02, the projection by its width; biases zero, norms one.
    /// Does nothing to weights on the meta device.
    /// </summary>
    /// <param name="generator">Where the numbers come from; null is torch's own.</param>
    public void Initialise(Generator? generator = null)
    {
        using var noGradient = no_grad();
        foreach (var (name, weight) in named_parameters())
        {
            if (weight.device_type == TorchSharp.DeviceType.META)
            {
                continue;
            }

            if (weight.dim() == 1)
            {
                nn.init.constant_(weight, name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            }
            else
            {
                var projects = name.StartsWith("text_projection.", StringComparison.Ordinal);
                weight.normal_(0, projects ? 1 / Math.Sqrt(Config.HiddenSize) : 0.02, generator);
            }
        }
    }
}

/// <summary>Embedding, layers and the pooling of the first token.</summary>
internal sealed class ClapTextModel : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly int _maxTokens;

    [ComponentName(Name = "embeddings")]
    private readonly ClapEmbeddings _embeddings;

    [ComponentName(Name = "encoder")]
    private readonly ClapLayers _layers;

    [ComponentName(Name = "pooler")]
    private readonly ClapPooler _pooler;

    internal ClapTextModel(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapTextModel))
    {
        _maxTokens = config.MaxTokens;
        _embeddings = new ClapEmbeddings(config, device, dtype);
        _layers = new ClapLayers(config, device, dtype);
        _pooler = new ClapPooler(config, device, dtype);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, seq] int64</param>
    /// <param name="mask">[batch, seq] int64, or null</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor tokens, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var seq = tokens.shape[1];
        if (seq > _maxTokens)
        {
            throw new ArgumentException(
                $"A text of {seq} tokens came; the network has positions for {_maxTokens}. Cut the text.", nameof(tokens));
        }

        var visible = mask?.to(ScalarType.Bool).unsqueeze(1).unsqueeze(2);   // [batch, 1, 1, seq]
        return _layers.call(_embeddings.call(tokens), visible).MoveToOuterDisposeScope();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>[batch, hidden]</returns>
    internal Tensor Pool(Tensor hidden) => _pooler.call(hidden);
}

/// <summary>Token plus position plus segment, normalised.</summary>
internal sealed class ClapEmbeddings : nn.Module<Tensor, Tensor>
{
    private readonly int _padToken;

    [ComponentName(Name = "word_embeddings")]
    private readonly Embedding _tokens;

    [ComponentName(Name = "position_embeddings")]
    private readonly Embedding _positions;

    [ComponentName(Name = "token_type_embeddings")]
    private readonly Embedding _segments;

    [ComponentName(Name = "LayerNorm")]
    private readonly LayerNorm _norm;

    internal ClapEmbeddings(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapEmbeddings))
    {
        _padToken = config.PadToken;
        _tokens = nn.Embedding(config.VocabularySize, config.HiddenSize, device: device, dtype: dtype);
        _positions = nn.Embedding(config.Positions, config.HiddenSize, device: device, dtype: dtype);
        _segments = nn.Embedding(config.SegmentKinds, config.HiddenSize, device: device, dtype: dtype);
        _norm = nn.LayerNorm(config.HiddenSize, config.NormEpsilon, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, seq] int64</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var text = tokens.ne(_padToken).to(ScalarType.Int64);
        var places = (text.cumsum(1) * text) + _padToken;   // padding stays at the pad token's own row
        var hidden = _tokens.call(tokens) + _segments.weight!.narrow(0, 0, 1) + _positions.call(places);
        return _norm.call(hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>The stack of layers.</summary>
internal sealed class ClapLayers : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "layer")]
    private readonly ModuleList<ClapLayer> _layers;

    internal ClapLayers(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapLayers))
    {
        _layers = new ModuleList<ClapLayer>(
            [.. Enumerable.Range(0, config.Layers).Select(_ => new ClapLayer(config, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <param name="visible">[batch, 1, 1, seq] bool, or null</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, Tensor? visible)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers)
        {
            hidden = layer.call(hidden, visible);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention and a feed-forward layer, each normalised afterwards.</summary>
internal sealed class ClapLayer : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "attention")]
    private readonly ClapAttention _attention;

    [ComponentName(Name = "intermediate")]
    private readonly ClapDense _widen;

    [ComponentName(Name = "output")]
    private readonly ClapResidual _narrow;

    internal ClapLayer(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapLayer))
    {
        _attention = new ClapAttention(config, device, dtype);
        _widen = new ClapDense(config.HiddenSize, config.IntermediateSize, device, dtype);
        _narrow = new ClapResidual(config, config.IntermediateSize, device, dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <param name="visible">[batch, 1, 1, seq] bool, or null</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, Tensor? visible)
    {
        using var scope = NewDisposeScope();
        hidden = _attention.call(hidden, visible);
        var wide = nn.functional.gelu(_widen.call(hidden));   // [batch, seq, intermediate]
        return _narrow.call(wide, hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention with its residual.</summary>
internal sealed class ClapAttention : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "self")]
    private readonly ClapMixing _mixing;

    [ComponentName(Name = "output")]
    private readonly ClapResidual _output;

    internal ClapAttention(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapAttention))
    {
        _mixing = new ClapMixing(config, device, dtype);
        _output = new ClapResidual(config, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <param name="visible">[batch, 1, 1, seq] bool, or null</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, Tensor? visible)
    {
        using var scope = NewDisposeScope();
        return _output.call(_mixing.call(hidden, visible), hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>Queries, keys, values and their mixture.</summary>
internal sealed class ClapMixing : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly int _heads;

    [ComponentName(Name = "query")]
    private readonly Linear _query;

    [ComponentName(Name = "key")]
    private readonly Linear _key;

    [ComponentName(Name = "value")]
    private readonly Linear _value;

    internal ClapMixing(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapMixing))
    {
        _heads = config.Heads;
        _query = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _key = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _value = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <param name="visible">[batch, 1, 1, seq] bool, or null</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor hidden, Tensor? visible)
    {
        using var scope = NewDisposeScope();
        var query = SplitHeads(_query.call(hidden));   // [batch, heads, seq, headSize]
        var key = SplitHeads(_key.call(hidden));       // [batch, heads, seq, headSize]
        var value = SplitHeads(_value.call(hidden));   // [batch, heads, seq, headSize]
        var mixed = nn.functional.scaled_dot_product_attention(query, key, value, visible);
        return mixed.transpose(1, 2).flatten(2).MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor states) => states.unflatten(2, _heads, -1).transpose(1, 2);
}

/// <summary>A linear layer under the name <c>dense</c>.</summary>
internal sealed class ClapDense : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "dense")]
    private readonly Linear _dense;

    internal ClapDense(int inputs, int outputs, Device? device, ScalarType? dtype)
        : base(nameof(ClapDense))
    {
        _dense = nn.Linear(inputs, outputs, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="states">[..., inputs]</param>
    /// <returns>[..., outputs]</returns>
    public override Tensor forward(Tensor states) => _dense.call(states);
}

/// <summary>A linear layer whose result is added to the residual and normalised.</summary>
internal sealed class ClapResidual : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "dense")]
    private readonly Linear _dense;

    [ComponentName(Name = "LayerNorm")]
    private readonly LayerNorm _norm;

    internal ClapResidual(ClapTextEncoderConfig config, int inputs, Device? device, ScalarType? dtype)
        : base(nameof(ClapResidual))
    {
        _dense = nn.Linear(inputs, config.HiddenSize, device: device, dtype: dtype);
        _norm = nn.LayerNorm(config.HiddenSize, config.NormEpsilon, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="states">[batch, seq, inputs]</param>
    /// <param name="residual">[batch, seq, hidden]</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor states, Tensor residual)
    {
        using var scope = NewDisposeScope();
        return _norm.call(_dense.call(states) + residual).MoveToOuterDisposeScope();
    }
}

/// <summary>The first token's state through a layer and a hyperbolic tangent.</summary>
internal sealed class ClapPooler : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "dense")]
    private readonly Linear _dense;

    internal ClapPooler(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapPooler))
    {
        _dense = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>[batch, hidden]</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return tanh(_dense.call(hidden.select(1, 0))).MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers around a rectifier, into the space shared with sounds.</summary>
internal sealed class ClapProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear1")]
    private readonly Linear _first;

    [ComponentName(Name = "linear2")]
    private readonly Linear _second;

    internal ClapProjection(ClapTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClapProjection))
    {
        _first = nn.Linear(config.HiddenSize, config.ProjectionSize, device: device, dtype: dtype);
        _second = nn.Linear(config.ProjectionSize, config.ProjectionSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="pooled">[batch, hidden]</param>
    /// <returns>[batch, projection]</returns>
    public override Tensor forward(Tensor pooled)
    {
        using var scope = NewDisposeScope();
        return _second.call(nn.functional.relu(_first.call(pooled))).MoveToOuterDisposeScope();
    }
}
