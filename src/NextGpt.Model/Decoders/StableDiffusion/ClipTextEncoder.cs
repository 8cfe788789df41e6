using System.Text.Json.Nodes;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>The numbers of a <see cref="ClipTextEncoder"/>, as in its <c>config.json</c>.</summary>
public sealed record ClipTextEncoderConfig
{
    /// <summary>Rows of the token embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream and of the result.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Longest text, in tokens, start and end included.</summary>
    public int MaxTokens { get; init; } = 77;

    /// <summary>Sigmoid approximation of the Gaussian error unit (Stable Diffusion 1) instead of the exact one (2).</summary>
    public bool QuickGelu { get; init; }

    /// <summary>Epsilon of the layer norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>
    /// Id of the end token for pooling; null pools where the highest id stands, the rule of the first checkpoints.
    /// </summary>
    public int? EndToken { get; init; }

    /// <summary>Writes a <c>config.json</c> in transformers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["architectures"] = DiffusersConfig.List(["CLIPTextModel"]),
        ["model_type"] = "clip_text_model",
        ["vocab_size"] = VocabularySize,
        ["hidden_size"] = HiddenSize,
        ["intermediate_size"] = IntermediateSize,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["max_position_embeddings"] = MaxTokens,
        ["hidden_act"] = QuickGelu ? "quick_gelu" : "gelu",
        ["layer_norm_eps"] = NormEpsilon,
        ["eos_token_id"] = EndToken ?? 2,
    });

    /// <summary>Reads the <c>config.json</c> of a transformers CLIP text model.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static ClipTextEncoderConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("hidden_act", "quick_gelu", "gelu");
        var endToken = config.Integer("eos_token_id", 2);
        return new ClipTextEncoderConfig
        {
            VocabularySize = config.Integer("vocab_size"),
            HiddenSize = config.Integer("hidden_size"),
            IntermediateSize = config.Integer("intermediate_size"),
            Layers = config.Integer("num_hidden_layers"),
            Heads = config.Integer("num_attention_heads"),
            MaxTokens = config.Integer("max_position_embeddings", 77),
            QuickGelu = config.Text("hidden_act") is null or "quick_gelu",
            NormEpsilon = config.Number("layer_norm_eps", 1e-5),
            EndToken = endToken == 2 ? null : endToken,   // 2 is a historical mistake that selects the old rule
        };
    }
}

/// <summary>Causal transformer that turns a caption into the conditioning of Stable Diffusion.</summary>
/// <remarks>
/// Radford et al. 2021, section 2.4; weight names of <c>CLIPTextModel</c> with the <c>text_model.</c> prefix of the
/// published checkpoints. The result of Stable Diffusion 2's 24-layer encoder without its last layer is that of a
/// 23-layer encoder, which is how it is published.
/// </remarks>
public sealed class ClipTextEncoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "text_model")]
    private readonly ClipTextModel _model;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public ClipTextEncoder(ClipTextEncoderConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(ClipTextEncoder))
    {
        Config = config;
        _model = new ClipTextModel(config, device, dtype);
        RegisterComponents();
    }

    /// <summary>The numbers it was built with.</summary>
    public ClipTextEncoderConfig Config { get; }

    /// <summary>Reads a transformers folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static ClipTextEncoder Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new ClipTextEncoder(ClipTextEncoderConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, CurrentName);
        return network;
    }

    /// <summary>Writes a transformers folder that <see cref="Load"/> reads.</summary>
    /// <param name="folder">Made where it is missing; files of the same names are replaced.</param>
    /// <param name="type">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        DiffusersWeights.Save(this, Path.Combine(folder, "model.safetensors"), type);
        Config.Save(Path.Combine(folder, "config.json"));
    }

    /// <summary>Encodes texts.</summary>
    /// <param name="tokens">[batch, seq] int64, padded to one length.</param>
    /// <returns>[batch, seq, hidden] after the final norm, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor tokens) => _model.call(tokens);

    /// <summary>The vector that stands for the whole text: the state at its end token.</summary>
    /// <param name="tokens">[batch, seq] int64</param>
    /// <param name="encoded">[batch, seq, hidden], the result of <see cref="forward"/>.</param>
    /// <returns>[batch, hidden], owned by the caller's dispose scope.</returns>
    public Tensor Pool(Tensor tokens, Tensor encoded)
    {
        using var scope = NewDisposeScope();
        var end = Config.EndToken is { } id
            ? tokens.eq(id).to(ScalarType.Int32).argmax(-1)   // the first end token
            : tokens.argmax(-1);
        var rows = arange(tokens.shape[0], device: tokens.device);
        return encoded[rows, end].MoveToOuterDisposeScope();
    }

    /// <summary>The name this network gives a weight that other versions of the library call otherwise.</summary>
    /// <param name="name">A name from a checkpoint.</param>
    /// <returns>The name here, or null where the checkpoint holds something that is no weight.</returns>
    public static string? CurrentName(string name) =>
        name.EndsWith("position_ids", StringComparison.Ordinal) ? null
        : name.StartsWith("text_model.", StringComparison.Ordinal) ? name
        : $"text_model.{name}";
}

/// <summary>Embedding, layers and final norm.</summary>
internal sealed class ClipTextModel : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "embeddings")]
    private readonly ClipTextEmbeddings _embeddings;

    [ComponentName(Name = "encoder")]
    private readonly ClipTextLayers _layers;

    [ComponentName(Name = "final_layer_norm")]
    private readonly LayerNorm _finalNorm;

    internal ClipTextModel(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextModel))
    {
        _embeddings = new ClipTextEmbeddings(config, device, dtype);
        _layers = new ClipTextLayers(config, device, dtype);
        _finalNorm = nn.LayerNorm(config.HiddenSize, config.NormEpsilon, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, seq] int64</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _finalNorm.call(_layers.call(_embeddings.call(tokens))).MoveToOuterDisposeScope();
    }
}

/// <summary>Token plus position.</summary>
internal sealed class ClipTextEmbeddings : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "token_embedding")]
    private readonly Embedding _tokens;

    [ComponentName(Name = "position_embedding")]
    private readonly Embedding _positions;

    internal ClipTextEmbeddings(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextEmbeddings))
    {
        _tokens = nn.Embedding(config.VocabularySize, config.HiddenSize, device: device, dtype: dtype);
        _positions = nn.Embedding(config.MaxTokens, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, seq] int64</param>
    /// <returns>[batch, seq, hidden]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var seq = tokens.shape[1];
        var places = _positions.weight!.narrow(0, 0, seq);   // [seq, hidden]
        return (_tokens.call(tokens) + places).MoveToOuterDisposeScope();
    }
}

/// <summary>The stack of layers.</summary>
internal sealed class ClipTextLayers : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly ModuleList<ClipTextLayer> _layers;

    internal ClipTextLayers(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextLayers))
    {
        _layers = new ModuleList<ClipTextLayer>(
            [.. Enumerable.Range(0, config.Layers).Select(_ => new ClipTextLayer(config, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers)
        {
            hidden = layer.call(hidden);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}

/// <summary>Causal self-attention and a feed-forward layer, each normalised first.</summary>
internal sealed class ClipTextLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "self_attn")]
    private readonly ClipTextAttention _attention;

    [ComponentName(Name = "layer_norm1")]
    private readonly LayerNorm _attentionNorm;

    [ComponentName(Name = "mlp")]
    private readonly ClipTextFeedForward _feedForward;

    [ComponentName(Name = "layer_norm2")]
    private readonly LayerNorm _feedForwardNorm;

    internal ClipTextLayer(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextLayer))
    {
        _attention = new ClipTextAttention(config, device, dtype);
        _attentionNorm = nn.LayerNorm(config.HiddenSize, config.NormEpsilon, device: device, dtype: dtype);
        _feedForward = new ClipTextFeedForward(config, device, dtype);
        _feedForwardNorm = nn.LayerNorm(config.HiddenSize, config.NormEpsilon, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        hidden = hidden + _attention.call(_attentionNorm.call(hidden));
        return (hidden + _feedForward.call(_feedForwardNorm.call(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention to what came before.</summary>
internal sealed class ClipTextAttention : nn.Module<Tensor, Tensor>
{
    private readonly int _heads;

    [ComponentName(Name = "q_proj")]
    private readonly Linear _query;

    [ComponentName(Name = "k_proj")]
    private readonly Linear _key;

    [ComponentName(Name = "v_proj")]
    private readonly Linear _value;

    [ComponentName(Name = "out_proj")]
    private readonly Linear _output;

    internal ClipTextAttention(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextAttention))
    {
        _heads = config.Heads;
        _query = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _key = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _value = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _output = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var query = SplitHeads(_query.call(hidden));   // [batch, heads, seq, headSize]
        var key = SplitHeads(_key.call(hidden));       // [batch, heads, seq, headSize]
        var value = SplitHeads(_value.call(hidden));   // [batch, heads, seq, headSize]
        var mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_casual: true);
        return _output.call(mixed.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor states) => states.unflatten(2, _heads, -1).transpose(1, 2);
}

/// <summary>Two linear layers around a Gaussian error unit.</summary>
internal sealed class ClipTextFeedForward : nn.Module<Tensor, Tensor>
{
    private readonly bool _quickGelu;

    [ComponentName(Name = "fc1")]
    private readonly Linear _first;

    [ComponentName(Name = "fc2")]
    private readonly Linear _second;

    internal ClipTextFeedForward(ClipTextEncoderConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextFeedForward))
    {
        _quickGelu = config.QuickGelu;
        _first = nn.Linear(config.HiddenSize, config.IntermediateSize, device: device, dtype: dtype);
        _second = nn.Linear(config.IntermediateSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, seq, hidden]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var wide = _first.call(hidden);
        wide = _quickGelu ? wide * sigmoid(wide * 1.702) : nn.functional.gelu(wide);
        return _second.call(wide).MoveToOuterDisposeScope();
    }
}
