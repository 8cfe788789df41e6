using System.Text.Json.Nodes;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.TextToVideo;

/// <summary>The numbers of a <see cref="UNet3DCondition"/>, as in its <c>config.json</c>.</summary>
public sealed record UNet3DConditionConfig
{
    /// <summary>Channels of the latent that comes in.</summary>
    public int InputChannels { get; init; } = 4;

    /// <summary>Channels of the prediction that goes out.</summary>
    public int OutputChannels { get; init; } = 4;

    /// <summary>Height and width of the latent it was trained with.</summary>
    public int SampleSize { get; init; } = 32;

    /// <summary>Channels per level, outermost first; every level but the last halves height and width.</summary>
    public required IReadOnlyList<int> LevelChannels { get; init; }

    /// <summary>Per level, on the way down: whether its blocks attend to the conditioning and over time.</summary>
    public required IReadOnlyList<bool> DownAttention { get; init; }

    /// <summary>Per level, on the way up (innermost first): whether its blocks attend to the conditioning and over time.</summary>
    public required IReadOnlyList<bool> UpAttention { get; init; }

    /// <summary>Blocks per level on the way down; the way up has one more.</summary>
    public int BlocksPerLevel { get; init; } = 2;

    /// <summary>Width of an attention head on every level; must divide every channel count.</summary>
    public int HeadSize { get; init; } = 64;

    /// <summary>Width of the conditioning.</summary>
    public int ContextSize { get; init; } = 1_024;

    /// <summary>
    /// Width of a class embedding that is projected and appended to the time's, made of the mean of the conditioning's tokens, as in
    /// <see cref="UNet2DConditionConfig.ClassFromContext"/>; null is none. No published network for clips has it.
    /// </summary>
    public int? ClassSize { get; init; }

    /// <summary>
    /// Whether the attentions over frames know which frame is which, by sines and cosines added to their input (Guo et al. 2023,
    /// AnimateDiff, section 4.2); published networks only know it from the padding of their convolutions.
    /// </summary>
    public bool FramePositions { get; init; }

    /// <summary>Groups of the norms.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Epsilon of the norms in residual blocks and at the end.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Writes a <c>config.json</c> in diffusers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["_class_name"] = "UNet3DConditionModel",
        ["act_fn"] = "silu",
        ["in_channels"] = InputChannels,
        ["out_channels"] = OutputChannels,
        ["sample_size"] = SampleSize,
        ["block_out_channels"] = DiffusersConfig.List(LevelChannels),
        ["down_block_types"] = DiffusersConfig.List(DownAttention.Select(with => with ? "CrossAttnDownBlock3D" : "DownBlock3D")),
        ["up_block_types"] = DiffusersConfig.List(UpAttention.Select(with => with ? "CrossAttnUpBlock3D" : "UpBlock3D")),
        ["layers_per_block"] = BlocksPerLevel,
        ["attention_head_dim"] = HeadSize,
        ["cross_attention_dim"] = ContextSize,
        ["norm_num_groups"] = NormGroups,
        ["norm_eps"] = NormEpsilon,
        ["downsample_padding"] = 1,
        ["mid_block_scale_factor"] = 1,
        ["class_embed_type"] = ClassSize is null ? null : "simple_projection",
        ["projection_class_embeddings_input_dim"] = ClassSize,
        ["class_embeddings_from_context"] = ClassSize is not null,
        ["frame_positions"] = FramePositions,
    });

    /// <summary>Reads the <c>config.json</c> of a diffusers U-Net for clips.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static UNet3DConditionConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("_class_name", "UNet3DConditionModel");
        config.Expect("act_fn", "silu");
        config.Expect("downsample_padding", "1");
        config.Expect("mid_block_scale_factor", "1", "1.0");
        config.Expect("num_attention_heads");
        config.Expect("time_cond_proj_dim");
        config.Expect("class_embed_type", "simple_projection");
        if (config.Has("class_embed_type") && !config.Flag("class_embeddings_from_context", false))
        {
            throw new InvalidDataException(
                $"{file}: class_embed_type is set without class_embeddings_from_context; clips have no other class than their conditioning.");
        }

        return new UNet3DConditionConfig
        {
            InputChannels = config.Integer("in_channels", 4),
            OutputChannels = config.Integer("out_channels", 4),
            SampleSize = config.Integer("sample_size", 32),
            LevelChannels = config.Integers("block_out_channels"),
            DownAttention = config.Either("down_block_types", "CrossAttnDownBlock3D", "DownBlock3D"),
            UpAttention = config.Either("up_block_types", "CrossAttnUpBlock3D", "UpBlock3D"),
            BlocksPerLevel = config.Integer("layers_per_block", 2),
            HeadSize = config.Integer("attention_head_dim", 64),
            ContextSize = config.Integer("cross_attention_dim", 1_024),
            ClassSize = config.Has("class_embed_type") ? config.Integer("projection_class_embeddings_input_dim") : null,
            FramePositions = config.Flag("frame_positions", false),
            NormGroups = config.Integer("norm_num_groups", 32),
            NormEpsilon = config.Number("norm_eps", 1e-5),
        };
    }
}

/// <summary>Predicts the noise (or velocity) in the latent of a clip, given the time step and a conditioning.</summary>
/// <remarks>
/// Wang et al. 2023 (ModelScope text-to-video), section 3; weight names of <c>UNet3DConditionModel</c> in diffusers, so that
/// Zeroscope v2 loads. It is the U-Net of pictures with two additions: after every residual block convolutions over
/// neighbouring frames, after every attention one over all frames. Inside, frames are folded into the batch.
/// </remarks>
public sealed class UNet3DCondition : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    private const int InputHeads = 8;   // of the first attention over frames, whatever the head size

    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _input;

    [ComponentName(Name = "time_embedding")]
    private readonly UNetTimeEmbedding _timeEmbedding;

    [ComponentName(Name = "class_embedding")]
    private readonly Linear? _classEmbedding;

    [ComponentName(Name = "transformer_in")]
    private readonly TemporalTransformer _inputTransformer;

    [ComponentName(Name = "down_blocks")]
    private readonly ModuleList<UNet3DDownBlock> _down;

    [ComponentName(Name = "mid_block")]
    private readonly UNet3DMiddle _middle;

    [ComponentName(Name = "up_blocks")]
    private readonly ModuleList<UNet3DUpBlock> _up;

    [ComponentName(Name = "conv_norm_out")]
    private readonly GroupNorm _outputNorm;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _output;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public UNet3DCondition(UNet3DConditionConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(UNet3DCondition))
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

        _inputTransformer = new TemporalTransformer(
            levels[0], InputHeads, config.HeadSize, config.NormGroups, config.FramePositions, device, dtype);
        _down = new ModuleList<UNet3DDownBlock>(
            [.. Enumerable.Range(0, levels.Count).Select(level => new UNet3DDownBlock(config, level, timeSize, device, dtype))]);
        _middle = new UNet3DMiddle(config, timeSize, device, dtype);
        _up = new ModuleList<UNet3DUpBlock>(
            [.. Enumerable.Range(0, levels.Count).Select(step => new UNet3DUpBlock(config, step, timeSize, device, dtype))]);
        _outputNorm = GroupNorms.Create(config.NormGroups, levels[0], config.NormEpsilon, device, dtype);
        _output = nn.Conv2d(levels[0], config.OutputChannels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <summary>The numbers it was built with.</summary>
    public UNet3DConditionConfig Config { get; }

    /// <summary>Reads a diffusers folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static UNet3DCondition Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new UNet3DCondition(UNet3DConditionConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
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
    /// <param name="sample">[batch, channels, frames, height, width], the noisy latent after the scheduler's input scaling.</param>
    /// <param name="timesteps">[batch] or [1], int64 or float32, 0..999</param>
    /// <param name="context">[batch, tokens, contextSize]</param>
    /// <returns>[batch, channels, frames, height, width], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor sample, Tensor timesteps, Tensor context)
    {
        using var scope = NewDisposeScope();
        var shape = sample.shape;
        var (batch, frames, height, width) = (shape[0], shape[2], shape[3], shape[4]);

        // 1. time (and class); all frames of a clip share it
        var time = _timeEmbedding.call(
            UNet2DCondition.TimeProjection(timesteps, Config.LevelChannels[0], cosineFirst: true, 0).to(sample.dtype));
        if (_classEmbedding is not null)
        {
            time = cat([time.expand(batch, -1), _classEmbedding.call(context.mean([1]))], 1);
        }

        time = nn.functional.silu(time);                                        // [batch or 1, timeSize]
        var perFrame = time.shape[0] == 1 ? time : time.repeat_interleave(frames, 0);
        var conditions = new UNetConditions(perFrame, context);

        // 2. in
        var hidden = sample.transpose(1, 2).reshape(batch * frames, -1, height, width);   // [batch * frames, channels, height, width]
        hidden = _inputTransformer.call(_input.call(hidden), frames);

        // 3. down, keeping what the way up will need
        var kept = new UNet3DKept(frames, new Stack<Tensor>([hidden]));
        foreach (var block in _down)
        {
            hidden = block.call(hidden, conditions, kept);
        }

        // 4. middle
        hidden = _middle.call(hidden, conditions, frames);

        // 5. up; the size to reach is that of what was kept, which differs from twice the size where it was odd
        foreach (var block in _up)
        {
            hidden = block.call(hidden, conditions, kept);
        }

        // 6. out
        hidden = _output.call(nn.functional.silu(_outputNorm.call(hidden)));
        return hidden.view(batch, frames, -1, height, width).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }
}

/// <summary>What the way down hands to the way up.</summary>
/// <param name="Frames">Frames per clip.</param>
/// <param name="Results">Every block's result; belongs to the scope of the network's forward.</param>
internal sealed record UNet3DKept(long Frames, Stack<Tensor> Results);

/// <summary>Convolutions, and where the level has it attention, within and over frames: what every block is made of.</summary>
internal sealed class UNet3DLayers
{
    internal UNet3DLayers(
        UNet3DConditionConfig config, bool attention, int channels, IEnumerable<int> inputChannels, int timeSize,
        Device? device, ScalarType? dtype)
    {
        int[] inputs = [.. inputChannels];
        var heads = channels / config.HeadSize;
        Residuals = new ModuleList<ResidualBlock>(
            [.. inputs.Select(input => new ResidualBlock(
                input, channels, timeSize, config.NormGroups, config.NormEpsilon, device, dtype))]);
        Convolutions = new ModuleList<TemporalConvolution>(
            [.. inputs.Select(_ => new TemporalConvolution(channels, config.NormGroups, device, dtype))]);
        if (!attention)
        {
            return;
        }

        if (channels % config.HeadSize != 0)
        {
            throw new ArgumentException(
                $"{channels} channels cannot be split into heads of {config.HeadSize}; attention_head_dim must divide every "
                + "channel count of the network.", nameof(config));
        }

        Attentions = new ModuleList<SpatialTransformer>(
            [.. inputs.Select(_ => new SpatialTransformer(
                channels, heads, config.ContextSize, 1, linearProjection: true, config.NormGroups, device, dtype))]);
        FrameAttentions = new ModuleList<TemporalTransformer>(
            [.. inputs.Select(_ => new TemporalTransformer(
                channels, heads, config.HeadSize, config.NormGroups, config.FramePositions, device, dtype))]);
    }

    internal ModuleList<ResidualBlock> Residuals { get; }

    internal ModuleList<TemporalConvolution> Convolutions { get; }

    internal ModuleList<SpatialTransformer>? Attentions { get; }

    internal ModuleList<TemporalTransformer>? FrameAttentions { get; }
}

/// <summary>One level on the way down.</summary>
internal sealed class UNet3DDownBlock : nn.Module<Tensor, UNetConditions, UNet3DKept, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "temp_convs")]
    private readonly ModuleList<TemporalConvolution> _convolutions;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer>? _attentions;

    [ComponentName(Name = "temp_attentions")]
    private readonly ModuleList<TemporalTransformer>? _frameAttentions;

    [ComponentName(Name = "downsamplers")]
    private readonly ModuleList<Downsampling>? _downsampling;

    internal UNet3DDownBlock(UNet3DConditionConfig config, int level, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNet3DDownBlock))
    {
        var channels = config.LevelChannels[level];
        var above = config.LevelChannels[Math.Max(0, level - 1)];
        var layers = new UNet3DLayers(
            config, config.DownAttention[level], channels,
            Enumerable.Range(0, config.BlocksPerLevel).Select(block => block == 0 ? above : channels), timeSize, device, dtype);
        (_residuals, _convolutions) = (layers.Residuals, layers.Convolutions);
        (_attentions, _frameAttentions) = (layers.Attentions, layers.FrameAttentions);
        if (level < config.LevelChannels.Count - 1)
        {
            _downsampling = new ModuleList<Downsampling>(new Downsampling(channels, false, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch * frames, inputChannels, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <param name="kept">Takes every block's result; the tensors belong to the caller's dispose scope.</param>
    /// <returns>[batch * frames, channels, height / 2, width / 2], or the full size on the last level.</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions, UNet3DKept kept)
    {
        for (var block = 0; block < _residuals.Count; block++)
        {
            using var scope = NewDisposeScope();
            hidden = _residuals[block].call(hidden, conditions.ActivatedTime);
            hidden = _convolutions[block].call(hidden, kept.Frames);
            if (_attentions is not null && _frameAttentions is not null)
            {
                hidden = _attentions[block].call(hidden, conditions.Context);
                hidden = _frameAttentions[block].call(hidden, kept.Frames);
            }

            kept.Results.Push(hidden.MoveToOuterDisposeScope());
        }

        if (_downsampling is not null)
        {
            hidden = _downsampling[0].call(hidden);
            kept.Results.Push(hidden);
        }

        return hidden;
    }
}

/// <summary>The innermost level: residual block, attention, residual block, each with its part over frames.</summary>
internal sealed class UNet3DMiddle : nn.Module<Tensor, UNetConditions, long, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "temp_convs")]
    private readonly ModuleList<TemporalConvolution> _convolutions;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer> _attentions;

    [ComponentName(Name = "temp_attentions")]
    private readonly ModuleList<TemporalTransformer> _frameAttentions;

    internal UNet3DMiddle(UNet3DConditionConfig config, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNet3DMiddle))
    {
        var channels = config.LevelChannels[^1];
        var outer = new UNet3DLayers(config, false, channels, [channels, channels], timeSize, device, dtype);
        (_residuals, _convolutions) = (outer.Residuals, outer.Convolutions);
        var heads = channels / config.HeadSize;
        _attentions = new ModuleList<SpatialTransformer>(new SpatialTransformer(
            channels, heads, config.ContextSize, 1, linearProjection: true, config.NormGroups, device, dtype));
        _frameAttentions = new ModuleList<TemporalTransformer>(
            new TemporalTransformer(channels, heads, config.HeadSize, config.NormGroups, config.FramePositions, device, dtype));
        RegisterComponents();
    }

    /// <param name="hidden">[batch * frames, channels, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <param name="frames">Frames per clip.</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions, long frames)
    {
        using var scope = NewDisposeScope();
        hidden = _convolutions[0].call(_residuals[0].call(hidden, conditions.ActivatedTime), frames);
        hidden = _attentions[0].call(hidden, conditions.Context);
        hidden = _frameAttentions[0].call(hidden, frames);
        hidden = _convolutions[1].call(_residuals[1].call(hidden, conditions.ActivatedTime), frames);
        return hidden.MoveToOuterDisposeScope();
    }
}

/// <summary>One level on the way up.</summary>
internal sealed class UNet3DUpBlock : nn.Module<Tensor, UNetConditions, UNet3DKept, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "temp_convs")]
    private readonly ModuleList<TemporalConvolution> _convolutions;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer>? _attentions;

    [ComponentName(Name = "temp_attentions")]
    private readonly ModuleList<TemporalTransformer>? _frameAttentions;

    [ComponentName(Name = "upsamplers")]
    private readonly ModuleList<Upsampling>? _upsampling;

    /// <param name="config">The network's numbers.</param>
    /// <param name="step">0 is the innermost level.</param>
    /// <param name="timeSize">Width of the time embedding.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal UNet3DUpBlock(UNet3DConditionConfig config, int step, int timeSize, Device? device, ScalarType? dtype)
        : base(nameof(UNet3DUpBlock))
    {
        var last = config.LevelChannels.Count - 1;
        var level = last - step;
        var channels = config.LevelChannels[level];
        var below = config.LevelChannels[Math.Min(last, level + 1)];   // what comes up from the level below
        var above = config.LevelChannels[Math.Max(0, level - 1)];      // what the level's input was on the way down
        var layers = new UNet3DLayers(
            config, config.UpAttention[step], channels,
            Enumerable.Range(0, config.BlocksPerLevel + 1).Select(block =>
                (block == 0 ? below : channels) + (block == config.BlocksPerLevel ? above : channels)),
            timeSize, device, dtype);
        (_residuals, _convolutions) = (layers.Residuals, layers.Convolutions);
        (_attentions, _frameAttentions) = (layers.Attentions, layers.FrameAttentions);
        if (level > 0)
        {
            _upsampling = new ModuleList<Upsampling>(new Upsampling(channels, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch * frames, below, height, width]</param>
    /// <param name="conditions">Time and context.</param>
    /// <param name="kept">What the way down kept; this level takes its share from the top.</param>
    /// <returns>[batch * frames, channels, 2 * height, 2 * width], or the same size on the outermost level.</returns>
    public override Tensor forward(Tensor hidden, UNetConditions conditions, UNet3DKept kept)
    {
        using var scope = NewDisposeScope();
        for (var block = 0; block < _residuals.Count; block++)
        {
            hidden = _residuals[block].call(cat([hidden, kept.Results.Pop()], 1), conditions.ActivatedTime);
            hidden = _convolutions[block].call(hidden, kept.Frames);
            if (_attentions is not null && _frameAttentions is not null)
            {
                hidden = _attentions[block].call(hidden, conditions.Context);
                hidden = _frameAttentions[block].call(hidden, kept.Frames);
            }
        }

        if (_upsampling is not null)
        {
            var goal = kept.Results.Peek().shape;
            hidden = _upsampling[0].call(hidden, goal[2], goal[3]);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
