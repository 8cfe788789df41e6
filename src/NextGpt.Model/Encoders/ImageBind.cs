using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Weights;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>Encoder of pictures, clips, sounds and texts into one space.</summary>
/// <remarks>
/// Girdhar et al. 2023, section 3 and appendix B; towers after Dosovitskiy et al. 2021. Must match
/// <c>imagebind_huge.pth</c>, whose towers for depth, heat and motion are left out. Media come as
/// <see cref="MediaPreparation"/> gives them. NExT-GPT takes <see cref="Pool"/> (first generation) or
/// <see cref="Patches"/> (second); what ImageBind itself publishes is <see cref="Embed"/>. Keep it in <c>eval</c> mode
/// unless it is itself trained.
/// </remarks>
public sealed class ImageBind : nn.Module
{
    private readonly ImageBindTower? _vision;
    private readonly ImageBindTower? _audio;
    private readonly ImageBindTower? _text;

    /// <summary>Builds the network with fresh weights, see <see cref="Initialise"/>.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="ArgumentException">Numbers of which no network can be built; the message says which.</exception>
    public ImageBind(ImageBindConfig config, Device? device = null, ScalarType? dtype = null)
        : this(config, device, dtype, fresh: true)
    {
    }

    private ImageBind(ImageBindConfig config, Device? device, ScalarType? dtype, bool fresh)
        : base(nameof(ImageBind))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Check();
        Config = config;
        if (config.Vision is { } vision)
        {
            _vision = new ImageBindTower(
                new ImageBindVisionStem(vision, device, dtype),
                new ImageBindTrunk(vision.Width, vision.Layers, vision.Heads, device, dtype, normalisesFirst: true),
                Head(vision.Width, "2", device, dtype),
                null);
        }

        if (config.Audio is { } audio)
        {
            _audio = new ImageBindTower(
                new ImageBindAudioStem(audio, device, dtype),
                new ImageBindTrunk(audio.Width, audio.Layers, audio.Heads, device, dtype, hasBiasPair: true, dropPath: audio.DropPath),
                Head(audio.Width, "2", device, dtype),
                new ImageBindScale(20, learned: false, device, dtype));
        }

        if (config.Text is { } text)
        {
            _text = new ImageBindTower(
                new ImageBindTextStem(text, device, dtype),
                new ImageBindTrunk(text.Width, text.Layers, text.Heads, device, dtype, causal: true),
                Head(text.Width, "1", device, dtype),
                new ImageBindScale(1 / 0.07, learned: true, device, dtype));
        }

        // The published layout sorts by stage first and by kind second.
        register_module("modality_preprocessors", new ImageBindGroup(
            ("vision", _vision?.Stem), ("audio", _audio?.Stem), ("text", _text?.Stem)));
        register_module("modality_trunks", new ImageBindGroup(
            ("vision", _vision?.Trunk), ("audio", _audio?.Trunk), ("text", _text?.Trunk)));
        register_module("modality_heads", new ImageBindGroup(
            ("vision", _vision?.Head), ("audio", _audio?.Head),
            ("text", _text is null ? null : new ImageBindGroup(("proj", _text.Head)))));
        register_module("modality_postprocessors", new ImageBindGroup(
            ("audio", _audio is null ? null : new ImageBindGroup(("1", _audio.Scale))),
            ("text", _text is null ? null : new ImageBindGroup(("1", _text.Scale)))));
        if (fresh)
        {
            Initialise();
        }
    }

    /// <summary>The numbers it was built with.</summary>
    public ImageBindConfig Config { get; }

    /// <summary>Reads a folder: <c>config.json</c> and safetensors weights under the published names.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <returns>The network in <c>eval</c> mode.</returns>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static ImageBind Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var config = ImageBindConfig.Load(Path.Combine(folder, "config.json"));
        var network = new ImageBind(config, device, dtype, fresh: false);
        DiffusersWeights.Load(network, weights, network.CurrentName);
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

    /// <summary>The name this network gives a weight of a published checkpoint.</summary>
    /// <param name="name">A name from the checkpoint.</param>
    /// <returns>The same name, or null where it belongs to a tower that this network does not have.</returns>
    public string? CurrentName(string name)
    {
        var absent = name.StartsWith("modality_", StringComparison.Ordinal)
            && name.Split('.') is [_, var tower, ..]
            && tower switch
            {
                "vision" => _vision is null,
                "audio" => _audio is null,
                "text" => _text is null,
                "depth" or "thermal" or "imu" => true,
                _ => false,
            };
        return absent ? null : name;
    }

    /// <summary>One vector per medium: the mean of its views' normalised vectors, not normalised again.</summary>
    /// <remarks>First generation of NExT-GPT: ImageBind's own scale for sounds is not applied.</remarks>
    /// <param name="kind">Which tower.</param>
    /// <param name="views">
    /// Picture: [batch, 3, height, width]. Clip: [batch, views, 3, frames, height, width]. Sound: [batch, views, 1, mels, frames].
    /// </param>
    /// <param name="places">
    /// [batch * views, kept] int64: the patches that are looked at, from 0; null is all. Leaving some out makes training cheaper
    /// and the network less dependent on any one of them (Li et al. 2023, "Scaling Language-Image Pre-training via Masking").
    /// </param>
    /// <returns>[batch, output], owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The shape is not the config's, or there is no such tower.</exception>
    public Tensor Pool(MediaKind kind, Tensor views, Tensor? places = null)
    {
        using var scope = NewDisposeScope();
        var (tower, single, count) = Unfold(kind, views);
        var vectors = Direction(tower.Head.call(tower.Encode(single, places).select(1, 0)));   // [batch * views, output]
        return MeanOfViews(vectors, count).MoveToOuterDisposeScope();
    }

    /// <summary>One vector per patch: for each place the mean over the views, each normalised before.</summary>
    /// <remarks>Second generation of NExT-GPT. The class token is left out.</remarks>
    /// <param name="kind">Which tower.</param>
    /// <param name="views">As for <see cref="Pool"/>.</param>
    /// <returns>[batch, patches, output], owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The shape is not the config's, or there is no such tower.</exception>
    public Tensor Patches(MediaKind kind, Tensor views)
    {
        using var scope = NewDisposeScope();
        var (tower, single, count) = Unfold(kind, views);
        var hidden = tower.Encode(single);   // [batch * views, 1 + patches, width]
        var vectors = Direction(tower.Head.call(hidden.narrow(1, 1, hidden.shape[1] - 1)));
        return MeanOfViews(vectors, count).MoveToOuterDisposeScope();
    }

    /// <summary>The embedding as ImageBind publishes it: as <see cref="Pool"/>, for sounds times their scale (20).</summary>
    /// <param name="kind">Which tower.</param>
    /// <param name="views">As for <see cref="Pool"/>.</param>
    /// <returns>[batch, output], owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The shape is not the config's, or there is no such tower.</exception>
    public Tensor Embed(MediaKind kind, Tensor views)
    {
        using var scope = NewDisposeScope();
        var pooled = Pool(kind, views);
        return (kind == MediaKind.Audio ? _audio!.Scale!.call(pooled) : pooled).MoveToOuterDisposeScope();   // Pool found the tower
    }

    /// <summary>One normalised vector per text, without ImageBind's scale.</summary>
    /// <param name="tokens">[batch, tokens] int64 as <see cref="ImageBindTokenizer"/> gives them; the highest id ends a text.</param>
    /// <returns>[batch, output] of length 1, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">There is no tower for texts, or a text is too long.</exception>
    public Tensor PoolText(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var tower = Present(_text, "texts");
        var hidden = tower.Encode(tokens);   // [batch, tokens, width]
        var ends = hidden[arange(tokens.shape[0], device: tokens.device), tokens.argmax(-1)];   // [batch, width]
        return Direction(tower.Head.call(ends)).MoveToOuterDisposeScope();
    }

    /// <summary>The embedding of texts as ImageBind publishes it: as <see cref="PoolText"/>, times its learned scale.</summary>
    /// <param name="tokens">As for <see cref="PoolText"/>.</param>
    /// <returns>[batch, output], owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">There is no tower for texts, or a text is too long.</exception>
    public Tensor EmbedText(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Present(_text, "texts").Scale!.call(PoolText(tokens)).MoveToOuterDisposeScope();   // made with the tower
    }

    /// <summary>
    /// Gives every parameter a fresh value: truncated normal of deviation 0.02 for products, tokens and positions, by fan-in
    /// for the stems; biases zero, norms one. Does nothing to weights on the meta device.
    /// </summary>
    /// <param name="generator">Where the numbers come from; null is torch's own.</param>
    public void Initialise(Generator? generator = null)
    {
        using var noGradient = no_grad();
        foreach (var (name, weight) in named_parameters())
        {
            if (weight.device_type == DeviceType.META || name.EndsWith("log_logit_scale", StringComparison.Ordinal))
            {
                continue;
            }

            var dimensions = weight.dim();
            if (dimensions == 1)
            {
                nn.init.constant_(weight, name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            }
            else
            {
                var fanIn = weight.numel() / weight.shape[0];
                TruncatedNormal(weight, dimensions >= 4 ? 1 / Math.Sqrt(fanIn) : 0.02, generator);
            }
        }
    }

    // Inverse cumulative distribution between -2 and 2 deviations; TorchSharp's own truncated normal is a constant.
    private static void TruncatedNormal(Tensor weight, double deviation, Generator? generator)
    {
        const double Within = 0.954499736103642;   // share of a normal distribution within 2 deviations
        using var scope = NewDisposeScope();
        var uniform = rand(weight.shape, ScalarType.Float32, weight.device, generator: generator);
        weight.copy_(((uniform * (2 * Within)) - Within).erfinv_() * (deviation * Math.Sqrt(2)));
    }

    private Sequential Head(int width, string projection, Device? device, ScalarType? dtype) => nn.Sequential(
        ("0", nn.LayerNorm(width, ImageBindTrunk.Epsilon, device: device, dtype: dtype)),
        (projection, nn.Linear(width, Config.OutputSize, hasBias: false, device: device, dtype: dtype)));

    private static Tensor Direction(Tensor vectors) => nn.functional.normalize(vectors, 2, -1);

    private static Tensor MeanOfViews(Tensor vectors, long count) =>
        count == 1 ? vectors : vectors.unflatten(0, -1, count).mean([1]);

    private static ImageBindTower Present(ImageBindTower? tower, string what) => tower
        ?? throw new ArgumentException($"This encoder has no tower for {what}; use a checkpoint that has one.");

    /// <returns>The tower, one view per row, and how many rows belong to one medium.</returns>
    private (ImageBindTower Tower, Tensor Single, long Count) Unfold(MediaKind kind, Tensor views)
    {
        ArgumentNullException.ThrowIfNull(views);
        var shape = views.shape;
        switch (kind)
        {
            case MediaKind.Image:
                var pictures = Present(_vision, "pictures");
                var picture = Config.Vision!;   // as present as its tower
                Expect(shape is [_, 3, var high, var wide] && high == picture.ImageSize && wide == picture.ImageSize,
                    kind, shape, $"[batch, 3, {picture.ImageSize}, {picture.ImageSize}]");
                return (pictures, views.unsqueeze(2), 1);
            case MediaKind.Video:
                var clips = Present(_vision, "clips");
                var clip = Config.Vision!;
                Expect(shape is [_, _, 3, var frames, var height, var width] && height == clip.ImageSize && width == clip.ImageSize
                    && frames <= clip.FramesPerClip && frames % clip.TimePatch == 0,
                    kind, shape, $"[batch, views, 3, {clip.FramesPerClip}, {clip.ImageSize}, {clip.ImageSize}]");
                return (clips, views.flatten(0, 1), shape[1]);
            case MediaKind.Audio:
                var sounds = Present(_audio, "sounds");
                var sound = Config.Audio!;
                Expect(shape is [_, _, 1, var mels, var times] && mels == sound.MelBins && times == sound.TargetFrames,
                    kind, shape, $"[batch, views, 1, {sound.MelBins}, {sound.TargetFrames}]");
                return (sounds, views.flatten(0, 1), shape[1]);
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "Pictures, sounds and clips are encoded.");
        }
    }

    private static void Expect(bool fits, MediaKind kind, long[] shape, string expected)
    {
        if (!fits)
        {
            throw new ArgumentException(
                $"{kind}: a tensor of shape [{string.Join(", ", shape)}] came, {expected} was expected; prepare the medium with "
                + $"{nameof(MediaPreparation)} and this encoder's configuration.");
        }
    }
}

/// <summary>What belongs to one kind of media; the modules are registered by <see cref="ImageBind"/>.</summary>
/// <param name="Stem">Media to tokens: [batch, tokens, width].</param>
/// <param name="Trunk">The transformer.</param>
/// <param name="Head">[..., width] to [..., output]: norm and projection.</param>
/// <param name="Scale">ImageBind's factor on the normalised vector, or null.</param>
internal sealed record ImageBindTower(
    nn.Module<Tensor, Tensor> Stem, ImageBindTrunk Trunk, Sequential Head, ImageBindScale? Scale)
{
    /// <param name="input">What the stem takes.</param>
    /// <param name="places">[batch, kept] int64, the patches that go on besides the class token; null is all.</param>
    internal Tensor Encode(Tensor input, Tensor? places = null)
    {
        var tokens = Stem.call(input);
        if (places is not null)
        {
            var chosen = tokens.gather(1, (places + 1).unsqueeze(2).expand(-1, -1, tokens.shape[2]));
            tokens = cat([tokens.narrow(1, 0, 1), chosen], 1);
        }

        return Trunk.call(tokens);
    }
}

/// <summary>Modules under names of their own; those that are null are left out.</summary>
internal sealed class ImageBindGroup : nn.Module
{
    internal ImageBindGroup(params ReadOnlySpan<(string Name, nn.Module? Module)> members)
        : base(nameof(ImageBindGroup))
    {
        foreach (var (name, module) in members)
        {
            if (module is not null)
            {
                register_module(name, module);
            }
        }
    }
}

/// <summary>The transformer of one kind of media.</summary>
internal sealed class ImageBindTrunk : nn.Module<Tensor, Tensor>
{
    /// <summary>Epsilon of every norm but the one of the audio stem.</summary>
    internal const double Epsilon = 1e-6;

    [ComponentName(Name = "pre_transformer_layer")]
    private readonly Sequential? _first;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<ImageBindBlock> _blocks;

    /// <param name="width">Width of the residual stream.</param>
    /// <param name="layers">Number of blocks.</param>
    /// <param name="heads">Attention heads; must divide the width.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="normalisesFirst">Whether a norm stands before the first block.</param>
    /// <param name="hasBiasPair">Whether attention sees one learned key and value more.</param>
    /// <param name="causal">Whether a token sees only those before it.</param>
    /// <param name="dropPath">Chance that the last block leaves a residual out in training.</param>
    internal ImageBindTrunk(
        int width, int layers, int heads, Device? device, ScalarType? dtype, bool normalisesFirst = false,
        bool hasBiasPair = false, bool causal = false, double dropPath = 0)
        : base(nameof(ImageBindTrunk))
    {
        _first = normalisesFirst ? nn.Sequential(("0", nn.LayerNorm(width, Epsilon, device: device, dtype: dtype))) : null;
        _blocks = new ModuleList<ImageBindBlock>(
            [.. Enumerable.Range(0, layers).Select(layer => new ImageBindBlock(
                width, heads, hasBiasPair, causal, layers > 1 ? dropPath * layer / (layers - 1) : 0, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, tokens, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var current = _first is null ? hidden.alias() : _first.call(hidden);
        foreach (var block in _blocks)
        {
            var next = block.call(current);
            current.Dispose();   // of a deep tower's states only one is kept
            current = next;
        }

        return current.MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention and a feed-forward layer, each normalised first.</summary>
internal sealed class ImageBindBlock : nn.Module<Tensor, Tensor>
{
    private readonly double _dropPath;

    [ComponentName(Name = "norm_1")]
    private readonly LayerNorm _attentionNorm;

    [ComponentName(Name = "attn")]
    private readonly ImageBindAttention _attention;

    [ComponentName(Name = "norm_2")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "mlp")]
    private readonly ImageBindFeedForward _feedForward;

    internal ImageBindBlock(
        int width, int heads, bool hasBiasPair, bool causal, double dropPath, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindBlock))
    {
        _dropPath = dropPath;
        _attentionNorm = nn.LayerNorm(width, ImageBindTrunk.Epsilon, device: device, dtype: dtype);
        _attention = new ImageBindAttention(width, heads, hasBiasPair, causal, device, dtype);
        _feedForwardNorm = nn.LayerNorm(width, ImageBindTrunk.Epsilon, device: device, dtype: dtype);
        _feedForward = new ImageBindFeedForward(width, device, dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, tokens, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        hidden = hidden + Drop(_attention.call(_attentionNorm.call(hidden)));
        return (hidden + Drop(_feedForward.call(_feedForwardNorm.call(hidden)))).MoveToOuterDisposeScope();
    }

    // Stochastic depth (Huang et al. 2016), per row of the batch.
    private Tensor Drop(Tensor branch) => !training || _dropPath == 0
        ? branch
        : branch * nn.functional.dropout(ones([branch.shape[0], 1, 1], branch.dtype, branch.device), _dropPath, training: true);
}

/// <summary>Multi-head self-attention with one product for queries, keys and values.</summary>
internal sealed class ImageBindAttention : nn.Module<Tensor, Tensor>
{
    private readonly int _heads;
    private readonly bool _causal;

    [ComponentName(Name = "in_proj_weight")]
    private readonly Parameter _inWeight;

    [ComponentName(Name = "in_proj_bias")]
    private readonly Parameter _inBias;

    [ComponentName(Name = "bias_k")]
    private readonly Parameter? _extraKey;

    [ComponentName(Name = "bias_v")]
    private readonly Parameter? _extraValue;

    [ComponentName(Name = "out_proj")]
    private readonly Linear _output;

    internal ImageBindAttention(int width, int heads, bool hasBiasPair, bool causal, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindAttention))
    {
        (_heads, _causal) = (heads, causal);
        _inWeight = new Parameter(zeros([3 * width, width], dtype, device));
        _inBias = new Parameter(zeros([3 * width], dtype, device));
        _extraKey = hasBiasPair ? new Parameter(zeros([1, 1, width], dtype, device)) : null;
        _extraValue = hasBiasPair ? new Parameter(zeros([1, 1, width], dtype, device)) : null;
        _output = nn.Linear(width, width, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, tokens, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var parts = nn.functional.linear(hidden, _inWeight, _inBias).unflatten(2, 3, _heads, -1)
            .permute(2, 0, 3, 1, 4);   // [3, batch, heads, tokens, headSize]
        var (query, key, value) = (parts[0], parts[1], parts[2]);
        if (_extraKey is not null && _extraValue is not null)
        {
            key = WithExtra(key, _extraKey);
            value = WithExtra(value, _extraValue);
        }

        var mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_casual: _causal);
        return _output.call(mixed.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }

    // [batch, heads, tokens, headSize] and one token more
    private Tensor WithExtra(Tensor states, Parameter extra) =>
        cat([states, extra.view(1, _heads, 1, -1).expand(states.shape[0], -1, -1, -1)], 2);
}

/// <summary>Two linear layers around a Gaussian error unit, four times as wide inside.</summary>
internal sealed class ImageBindFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly Linear _first;

    [ComponentName(Name = "fc2")]
    private readonly Linear _second;

    internal ImageBindFeedForward(int width, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindFeedForward))
    {
        _first = nn.Linear(width, 4 * width, device: device, dtype: dtype);
        _second = nn.Linear(4 * width, width, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, tokens, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return _second.call(nn.functional.gelu(_first.call(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>A factor, kept as its logarithm and never above 100.</summary>
internal sealed class ImageBindScale : nn.Module<Tensor, Tensor>
{
    private const double Most = 100;

    internal ImageBindScale(double factor, bool learned, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindScale))
    {
        var logarithm = full([], Math.Log(factor), dtype ?? ScalarType.Float32, device);
        if (learned)
        {
            register_parameter("log_logit_scale", new Parameter(logarithm));
        }
        else
        {
            register_buffer("log_logit_scale", logarithm);
        }
    }

    /// <param name="vectors">[batch, output]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var logarithm = (Tensor?)get_parameter("log_logit_scale") ?? get_buffer("log_logit_scale")!;   // the constructor made one of them
        return (logarithm.exp().clamp_max(Most) * vectors).MoveToOuterDisposeScope();
    }
}
