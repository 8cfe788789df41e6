using System.Text.Json.Nodes;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>The numbers of a <see cref="UNet2DCondition"/>, as in its <c>config.json</c>.</summary>
public sealed record UNet2DConditionConfig
{
    /// <summary>Channels of the latent that comes in.</summary>
    public int InputChannels { get; init; } = 4;

    /// <summary>Channels of the prediction that goes out.</summary>
    public int OutputChannels { get; init; } = 4;

    /// <summary>Height and width of the latent it was trained with.</summary>
    public int SampleSize { get; init; } = 64;

    /// <summary>Channels per level, outermost first; every level but the last halves height and width.</summary>
    public required IReadOnlyList<int> LevelChannels { get; init; }

    /// <summary>Per level, on the way down: whether its blocks attend to the conditioning.</summary>
    public required IReadOnlyList<bool> DownAttention { get; init; }

    /// <summary>Per level, on the way up (innermost first): whether its blocks attend to the conditioning.</summary>
    public required IReadOnlyList<bool> UpAttention { get; init; }

    /// <summary>Blocks per level on the way down; the way up has one more.</summary>
    public int BlocksPerLevel { get; init; } = 2;

    /// <summary>Attention heads per level, outermost first.</summary>
    public required IReadOnlyList<int> Heads { get; init; }

    /// <summary>Width of the conditioning per level, outermost first.</summary>
    public required IReadOnlyList<int> ContextSizes { get; init; }

    /// <summary>Transformer blocks per attention.</summary>
    public int TransformerLayers { get; init; } = 1;

    /// <summary>Linear instead of 1x1 convolution around the transformers (Stable Diffusion 2).</summary>
    public bool LinearProjection { get; init; }

    /// <summary>Groups of the norms.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Epsilon of the norms in residual blocks and at the end.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the cosines of the time embedding come before the sines.</summary>
    public bool CosineFirst { get; init; } = true;

    /// <summary>Shift of the time embedding's frequencies.</summary>
    public int FrequencyShift { get; init; }

    /// <summary>Width of a class embedding that is projected and appended to the time's (AudioLDM); null is none.</summary>
    public int? ClassSize { get; init; }

    /// <summary>
    /// Whether the class embedding is the mean of the conditioning's tokens, which must then be <see cref="ClassSize"/> wide;
    /// no published network has it, ours learn their words in fewer samples so.
    /// </summary>
    public bool ClassFromContext { get; init; }

    /// <summary>Writes a <c>config.json</c> in diffusers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["_class_name"] = "UNet2DConditionModel",
        ["act_fn"] = "silu",
        ["in_channels"] = InputChannels,
        ["out_channels"] = OutputChannels,
        ["sample_size"] = SampleSize,
        ["block_out_channels"] = DiffusersConfig.List(LevelChannels),
        ["down_block_types"] = DiffusersConfig.List(DownAttention.Select(with => with ? "CrossAttnDownBlock2D" : "DownBlock2D")),
        ["mid_block_type"] = "UNetMidBlock2DCrossAttn",
        ["up_block_types"] = DiffusersConfig.List(UpAttention.Select(with => with ? "CrossAttnUpBlock2D" : "UpBlock2D")),
        ["layers_per_block"] = BlocksPerLevel,
        ["attention_head_dim"] = DiffusersConfig.List(Heads),
        ["cross_attention_dim"] = DiffusersConfig.List(ContextSizes),
        ["transformer_layers_per_block"] = TransformerLayers,
        ["use_linear_projection"] = LinearProjection,
        ["norm_num_groups"] = NormGroups,
        ["norm_eps"] = NormEpsilon,
        ["flip_sin_to_cos"] = CosineFirst,
        ["freq_shift"] = FrequencyShift,
        ["downsample_padding"] = 1,
        ["class_embed_type"] = ClassSize is null ? null : "simple_projection",
        ["class_embeddings_concat"] = ClassSize is not null,
        ["projection_class_embeddings_input_dim"] = ClassSize,
        ["class_embeddings_from_context"] = ClassFromContext,
    });

    /// <summary>Reads the <c>config.json</c> of a diffusers U-Net.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static UNet2DConditionConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("act_fn", "silu");
        config.Expect("addition_embed_type");
        config.Expect("attention_type", "default");
        config.Expect("center_input_sample", "false");
        config.Expect("conv_in_kernel", "3");
        config.Expect("conv_out_kernel", "3");
        config.Expect("downsample_padding", "1");
        config.Expect("dual_cross_attention", "false");
        config.Expect("encoder_hid_dim_type");
        config.Expect("mid_block_scale_factor", "1", "1.0");
        config.Expect("mid_block_type", "UNetMidBlock2DCrossAttn");
        config.Expect("num_class_embeds");
        config.Expect("only_cross_attention", "false");
        config.Expect("resnet_time_scale_shift", "default");
        config.Expect("time_cond_proj_dim");
        config.Expect("time_embedding_type", "positional");
        config.Expect("class_embed_type", "simple_projection");
        config.Expect("transformer_layers_per_block", "1", "2", "3", "4");

        var levels = config.Integers("block_out_channels");
        var hasClass = config.Has("class_embed_type");
        if (hasClass && !config.Flag("class_embeddings_concat", false))
        {
            throw new InvalidDataException(
                $"{file}: class_embeddings_concat is false, which is not supported with a class embedding.");
        }

        return new UNet2DConditionConfig
        {
            InputChannels = config.Integer("in_channels", 4),
            OutputChannels = config.Integer("out_channels", 4),
            SampleSize = config.Has("sample_size") ? config.Integer("sample_size") : 64,
            LevelChannels = levels,
            DownAttention = config.Either("down_block_types", "CrossAttnDownBlock2D", "DownBlock2D"),
            UpAttention = config.Either("up_block_types", "CrossAttnUpBlock2D", "UpBlock2D"),
            BlocksPerLevel = config.Integer("layers_per_block", 2),
            Heads = config.IntegerPerLevel("attention_head_dim", levels.Count),
            ContextSizes = config.IntegerPerLevel("cross_attention_dim", levels.Count),
            TransformerLayers = config.Integer("transformer_layers_per_block", 1),
            LinearProjection = config.Flag("use_linear_projection", false),
            NormGroups = config.Integer("norm_num_groups", 32),
            NormEpsilon = config.Number("norm_eps", 1e-5),
            CosineFirst = config.Flag("flip_sin_to_cos", true),
            FrequencyShift = config.Integer("freq_shift", 0),
            ClassSize = hasClass ? config.Integer("projection_class_embeddings_input_dim") : null,
            ClassFromContext = hasClass && config.Flag("class_embeddings_from_context", false),
        };
    }
}

/// <summary>Predicts the noise (or velocity) in a latent, given the time step and a conditioning.</summary>
/// <remarks>
/// Rombach et al. 2022, section 3.3; weight names of <c>UNet2DConditionModel</c> in diffusers, so that Stable
/// Diffusion 1 and 2 and AudioLDM load. In a 2D U-Net <c>attention_head_dim</c> is the number of heads, a naming mistake
/// that the reference keeps. Differs in one thing: the activated time embedding is computed once and not in every block.
/// </remarks>
public sealed class UNet2DCondition : nn.Module<Tensor, Tensor, Tensor?, Tensor?, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _input;

    [ComponentName(Name = "time_embedding")]
    private readonly UNetTimeEmbedding _timeEmbedding;

    [ComponentName(Name = "class_embedding")]
    private readonly Linear? _classEmbedding;

    [ComponentName(Name = "down_blocks")]
    private readonly ModuleList<UNetDownBlock> _down;

    [ComponentName(Name = "mid_block")]
    private readonly UNetMiddle _middle;

    [ComponentName(Name = "up_blocks")]
    private readonly ModuleList<UNetUpBlock> _up;

    [ComponentName(Name = "conv_norm_out")]
    private readonly GroupNorm _outputNorm;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _output;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public UNet2DCondition(UNet2DConditionConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(UNet2DCondition))
    {
        Config = config;
        var levels = config.LevelChannels;
        var timeSize = 4 * levels[0];

        _input = nn.Conv2d(config.InputChannels, levels[0], 3, padding: 1, device: device, dtype: dtype);
        _timeEmbedding = new UNetTimeEmbedding(levels[0], timeSize, device, dtype);
        if (config.ClassSize is { } classSize)
        {
            _classEmbedding = nn.Linear(classSize, timeSize, device: device, dtype: dtype);
            timeSize *= 2;   // the class embedding is appended to the time's
        }

        _down = new ModuleList<UNetDownBlock>(
            [.. Enumerable.Range(0, levels.Count).Select(level => new UNetDownBlock(config, level, timeSize, device, dtype))]);
        _middle = new UNetMiddle(config, timeSize, device, dtype);
        _up = new ModuleList<UNetUpBlock>(
            [.. Enumerable.Range(0, levels.Count).Select(step => new UNetUpBlock(config, step, timeSize, device, dtype))]);
        _outputNorm = GroupNorms.Create(config.NormGroups, levels[0], config.NormEpsilon, device, dtype);
        _output = nn.Conv2d(levels[0], config.OutputChannels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <summary>The numbers it was built with.</summary>
    public UNet2DConditionConfig Config { get; }

    /// <summary>Reads a diffusers folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static UNet2DCondition Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new UNet2DCondition(UNet2DConditionConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, name => name);
        return network;
    }

    /// <summary>Writes a diffusers folder that <see cref="Load"/> reads.</summary>
    /// <param name="folder">Made where it is missing; files of the same names are replaced.</param>
    /// <param name="type">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        DiffusersWeights.Save(this, Path.Combine(folder, "diffusion_pytorch_model.safetensors"), type);
        Config.Save(Path.Combine(folder, "config.json"));
    }

    /// <summary>Predicts what the training target was: noise or velocity.</summary>
    /// <param name="sample">[batch, channels, height, width], the noisy latent after the scheduler's input scaling.</param>
    /// <param name="timesteps">[batch] or [1], int64 or float32, 0..999</param>
    /// <param name="context">[batch, tokens, contextSize]; null where the cross-attention attends to the latent itself.</param>
    /// <param name="classes">
    /// [batch, classSize]; required with, and only with, a class embedding that is not made of the conditioning.
    /// </param>
    /// <returns>[batch, channels, height, width], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor sample, Tensor timesteps, Tensor? context, Tensor? classes)
    {
        using var scope = NewDisposeScope();
        if (Config.ClassFromContext && classes is null)
        {
            classes = context?.mean([1]);   // [batch, classSize]
        }

        if (_classEmbedding is null != classes is null)
        {
            throw new ArgumentException(
                _classEmbedding is null
                    ? "This U-Net has no class embedding; leave the classes out."
                    : "This U-Net needs a class embedding for every sample.",
                nameof(classes));
        }

        // 1. time (and class)
        var time = _timeEmbedding.call(
            TimeProjection(timesteps, Config.LevelChannels[0], Config.CosineFirst, Config.FrequencyShift).to(sample.dtype));
        if (_classEmbedding is not null && classes is not null)
        {
            time = cat([time.expand(classes.shape[0], -1), _classEmbedding.call(classes)], 1);
        }

        var conditions = new UNetConditions(nn.functional.silu(time), context);   // time: [batch or 1, timeSize]

        // 2. down, keeping what the way up will need
        var hidden = _input.call(sample);
        var kept = new Stack<Tensor>([hidden]);
        foreach (var block in _down)
        {
            hidden = block.call(hidden, conditions, kept);
        }

        // 3. middle
        hidden = _middle.call(hidden, conditions);

        // 4. up; the size to reach is that of what was kept, which differs from twice the size where it was odd
        foreach (var block in _up)
        {
            hidden = block.call(hidden, conditions, kept);
        }

        // 5. out
        return _output.call(nn.functional.silu(_outputNorm.call(hidden))).MoveToOuterDisposeScope();
    }

    /// <summary>Sines and cosines of the time step at geometric frequencies (Vaswani et al. 2017, section 3.5).</summary>
    /// <param name="timesteps">[batch]</param>
    /// <param name="size">Width of the result; even.</param>
    /// <param name="cosineFirst">Cosines before sines.</param>
    /// <param name="frequencyShift">Subtracted from the number of frequencies in the exponent.</param>
    /// <returns>[batch, size] float32</returns>
    internal static Tensor TimeProjection(Tensor timesteps, int size, bool cosineFirst, int frequencyShift)
    {
        using var scope = NewDisposeScope();
        var half = size / 2;
        var exponent = arange(half, dtype: ScalarType.Float32, device: timesteps.device)
            * (-Math.Log(10_000) / (half - frequencyShift));
        var angles = timesteps.to(ScalarType.Float32).unsqueeze(1) * exponent.exp().unsqueeze(0);   // [batch, half]
        return cat(cosineFirst ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()], 1)
            .MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers over the time projection.</summary>
internal sealed class UNetTimeEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear_1")]
    private readonly Linear _first;

    [ComponentName(Name = "linear_2")]
    private readonly Linear _second;

    internal UNetTimeEmbedding(int inputSize, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNetTimeEmbedding))
    {
        _first = nn.Linear(inputSize, timeSize, device: device, dtype: dtype);
        _second = nn.Linear(timeSize, timeSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="projection">[batch, inputSize]</param>
    /// <returns>[batch, timeSize]</returns>
    public override Tensor forward(Tensor projection)
    {
        using var scope = NewDisposeScope();
        return _second.call(nn.functional.silu(_first.call(projection))).MoveToOuterDisposeScope();
    }
}

/// <summary>What every block of the U-Net is told.</summary>
/// <param name="ActivatedTime">[batch or 1, timeSize], through SiLU.</param>
/// <param name="Context">[batch, tokens, contextSize], or null.</param>
internal sealed record UNetConditions(Tensor ActivatedTime, Tensor? Context);

/// <summary>One level on the way down.</summary>
internal sealed class UNetDownBlock : nn.Module<Tensor, UNetConditions, Stack<Tensor>, Tensor>
{
    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer>? _attentions;

    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "downsamplers")]
    private readonly ModuleList<Downsampling>? _downsampling;

    internal UNetDownBlock(UNet2DConditionConfig config, int level, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNetDownBlock))
    {
        var channels = config.LevelChannels[level];
        var inputChannels = config.LevelChannels[Math.Max(0, level - 1)];
        if (config.DownAttention[level])
        {
            _attentions = new ModuleList<SpatialTransformer>(
                [.. Enumerable.Range(0, config.BlocksPerLevel).Select(_ => new SpatialTransformer(
                    channels, config.Heads[level], config.ContextSizes[level], config.TransformerLayers,
                    config.LinearProjection, config.NormGroups, device, dtype))]);
        }

        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, config.BlocksPerLevel).Select(block => new ResidualBlock(
                block == 0 ? inputChannels : channels, channels, timeSize, config.NormGroups, config.NormEpsilon,
                device, dtype))]);
        if (level < config.LevelChannels.Count - 1)
        {
            _downsampling = new ModuleList<Downsampling>(new Downsampling(channels, false, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch, inputChannels, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <param name="kept">Takes every block's result; the tensors belong to the caller's dispose scope.</param>
    /// <returns>[batch, channels, height / 2, width / 2], or the full size on the last level.</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions, Stack<Tensor> kept)
    {
        for (var block = 0; block < _residuals.Count; block++)
        {
            hidden = _residuals[block].call(hidden, conditions.ActivatedTime);
            if (_attentions is not null)
            {
                hidden = _attentions[block].call(hidden, conditions.Context);
            }

            kept.Push(hidden);
        }

        if (_downsampling is not null)
        {
            hidden = _downsampling[0].call(hidden);
            kept.Push(hidden);
        }

        return hidden;
    }
}

/// <summary>The innermost level: residual block, transformer, residual block.</summary>
internal sealed class UNetMiddle : nn.Module<Tensor, UNetConditions, Tensor>
{
    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer> _attentions;

    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    internal UNetMiddle(UNet2DConditionConfig config, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNetMiddle))
    {
        var channels = config.LevelChannels[^1];
        _attentions = new ModuleList<SpatialTransformer>(new SpatialTransformer(
            channels, config.Heads[^1], config.ContextSizes[^1], config.TransformerLayers, config.LinearProjection,
            config.NormGroups, device, dtype));
        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, 2).Select(_ => new ResidualBlock(
                channels, channels, timeSize, config.NormGroups, config.NormEpsilon, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, channels, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <returns>[batch, channels, height, width]</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions)
    {
        using var scope = NewDisposeScope();
        hidden = _residuals[0].call(hidden, conditions.ActivatedTime);
        hidden = _attentions[0].call(hidden, conditions.Context);
        return _residuals[1].call(hidden, conditions.ActivatedTime).MoveToOuterDisposeScope();
    }
}

/// <summary>One level on the way up.</summary>
internal sealed class UNetUpBlock : nn.Module<Tensor, UNetConditions, Stack<Tensor>, Tensor>
{
    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer>? _attentions;

    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "upsamplers")]
    private readonly ModuleList<Upsampling>? _upsampling;

    /// <param name="config">The network's numbers.</param>
    /// <param name="step">0 is the innermost level.</param>
    /// <param name="timeSize">Width of the time embedding.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal UNetUpBlock(UNet2DConditionConfig config, int step, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNetUpBlock))
    {
        var last = config.LevelChannels.Count - 1;
        var level = last - step;
        var channels = config.LevelChannels[level];
        var below = config.LevelChannels[Math.Min(last, level + 1)];   // what comes up from the level below
        var above = config.LevelChannels[Math.Max(0, level - 1)];      // what the level's input was on the way down
        if (config.UpAttention[step])
        {
            _attentions = new ModuleList<SpatialTransformer>(
                [.. Enumerable.Range(0, config.BlocksPerLevel + 1).Select(_ => new SpatialTransformer(
                    channels, config.Heads[level], config.ContextSizes[level], config.TransformerLayers,
                    config.LinearProjection, config.NormGroups, device, dtype))]);
        }

        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, config.BlocksPerLevel + 1).Select(block => new ResidualBlock(
                (block == 0 ? below : channels) + (block == config.BlocksPerLevel ? above : channels),
                channels, timeSize, config.NormGroups, config.NormEpsilon, device, dtype))]);
        if (level > 0)
        {
            _upsampling = new ModuleList<Upsampling>(new Upsampling(channels, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch, below, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <param name="kept">What the way down kept; this level takes its share from the top.</param>
    /// <returns>[batch, channels, 2 * height, 2 * width], or the same size on the outermost level.</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions, Stack<Tensor> kept)
    {
        using var scope = NewDisposeScope();
        for (var block = 0; block < _residuals.Count; block++)
        {
            hidden = _residuals[block].call(cat([hidden, kept.Pop()], 1), conditions.ActivatedTime);
            if (_attentions is not null)
            {
                hidden = _attentions[block].call(hidden, conditions.Context);
            }
        }

        if (_upsampling is not null)
        {
            var goal = kept.Peek().shape;
            hidden = _upsampling[0].call(hidden, goal[2], goal[3]);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
