using System.Text.Json.Nodes;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>The numbers of an <see cref="AutoencoderKL"/>, as in its <c>config.json</c>.</summary>
public sealed record AutoencoderKLConfig
{
    /// <summary>Channels of the picture (3) or of the mel spectrogram (1).</summary>
    public int PictureChannels { get; init; } = 3;

    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Channels per level, outermost first; every level but the last halves height and width.</summary>
    public required IReadOnlyList<int> LevelChannels { get; init; }

    /// <summary>Residual blocks per level on the way down; the way up has one more.</summary>
    public int BlocksPerLevel { get; init; } = 1;

    /// <summary>Groups of the norms.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Whether the innermost level has self-attention.</summary>
    public bool MiddleAttention { get; init; } = true;

    /// <summary>Whether a 1x1 convolution follows the encoder.</summary>
    public bool QuantConvolution { get; init; } = true;

    /// <summary>Whether a 1x1 convolution precedes the decoder.</summary>
    public bool PostQuantConvolution { get; init; } = true;

    /// <summary>What a latent is multiplied with before diffusion, so that its spread is about one.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Height and width in pixels it was trained with.</summary>
    public int SampleSize { get; init; } = 32;

    /// <summary>How many pixels a latent place covers in height and in width.</summary>
    public int Downscale => 1 << (LevelChannels.Count - 1);

    /// <summary>Writes a <c>config.json</c> in diffusers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["_class_name"] = nameof(AutoencoderKL),
        ["act_fn"] = "silu",
        ["in_channels"] = PictureChannels,
        ["out_channels"] = PictureChannels,
        ["latent_channels"] = LatentChannels,
        ["block_out_channels"] = DiffusersConfig.List(LevelChannels),
        ["down_block_types"] = DiffusersConfig.List(LevelChannels.Select(_ => "DownEncoderBlock2D")),
        ["up_block_types"] = DiffusersConfig.List(LevelChannels.Select(_ => "UpDecoderBlock2D")),
        ["layers_per_block"] = BlocksPerLevel,
        ["norm_num_groups"] = NormGroups,
        ["mid_block_add_attention"] = MiddleAttention,
        ["use_quant_conv"] = QuantConvolution,
        ["use_post_quant_conv"] = PostQuantConvolution,
        ["scaling_factor"] = ScalingFactor,
        ["sample_size"] = SampleSize,
    });

    /// <summary>Reads the <c>config.json</c> of a diffusers autoencoder.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static AutoencoderKLConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("act_fn", "silu");
        config.Expect("latents_mean");
        config.Expect("latents_std");
        config.Expect("shift_factor", "0", "0.0");
        foreach (var type in config.Texts("down_block_types").Where(type => type != "DownEncoderBlock2D"))
        {
            throw new InvalidDataException($"{file}: down_block_types has {type}; only DownEncoderBlock2D is supported.");
        }

        return new AutoencoderKLConfig
        {
            PictureChannels = config.Integer("in_channels", 3),
            LatentChannels = config.Integer("latent_channels", 4),
            LevelChannels = config.Integers("block_out_channels"),
            BlocksPerLevel = config.Integer("layers_per_block", 1),
            NormGroups = config.Integer("norm_num_groups", 32),
            MiddleAttention = config.Flag("mid_block_add_attention", true),
            QuantConvolution = config.Flag("use_quant_conv", true),
            PostQuantConvolution = config.Flag("use_post_quant_conv", true),
            ScalingFactor = config.Number("scaling_factor", 0.18215),
            SampleSize = config.Integer("sample_size", 32),
        };
    }
}

/// <summary>Turns pictures (or mel spectrograms) into small latents and back.</summary>
/// <remarks>
/// Rombach et al. 2022, section 3.1; weight names of <c>AutoencoderKL</c> in diffusers, so that the autoencoders of
/// Stable Diffusion 1 and 2 and of AudioLDM load. Encoder and decoder know no scaling factor: the pipeline applies it.
/// </remarks>
public sealed class AutoencoderKL : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "encoder")]
    private readonly AutoencoderKLEncoder _encoder;

    [ComponentName(Name = "quant_conv")]
    private readonly Conv2d? _quantConvolution;

    [ComponentName(Name = "post_quant_conv")]
    private readonly Conv2d? _postQuantConvolution;

    [ComponentName(Name = "decoder")]
    private readonly AutoencoderKLDecoder _decoder;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public AutoencoderKL(AutoencoderKLConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(AutoencoderKL))
    {
        Config = config;
        var latent = config.LatentChannels;
        _encoder = new AutoencoderKLEncoder(config, device, dtype);
        _quantConvolution = config.QuantConvolution
            ? nn.Conv2d(2 * latent, 2 * latent, 1, device: device, dtype: dtype)
            : null;
        _postQuantConvolution = config.PostQuantConvolution
            ? nn.Conv2d(latent, latent, 1, device: device, dtype: dtype)
            : null;
        _decoder = new AutoencoderKLDecoder(config, device, dtype);
        RegisterComponents();
    }

    /// <summary>The numbers it was built with.</summary>
    public AutoencoderKLConfig Config { get; }

    /// <summary>Reads a diffusers folder: <c>config.json</c> and safetensors weights, with new or old attention names.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static AutoencoderKL Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new AutoencoderKL(AutoencoderKLConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, CurrentName);
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

    /// <summary>Encodes and decodes the mean, as a check of what the latent keeps.</summary>
    /// <param name="picture">[batch, channels, height, width] float, −1..1</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var (mean, _) = Encode(picture);
        return Decode(mean).MoveToOuterDisposeScope();
    }

    /// <summary>The Gaussian a picture stands for.</summary>
    /// <param name="picture">[batch, channels, height, width] float, −1..1</param>
    /// <returns>
    /// Mean and logarithm of the variance (clamped to −30..20), each [batch, latent, height / downscale,
    /// width / downscale], owned by the caller's dispose scope. Not multiplied with the scaling factor.
    /// </returns>
    public (Tensor Mean, Tensor LogVariance) Encode(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var moments = _encoder.call(picture);   // [batch, 2 * latent, height / downscale, width / downscale]
        if (_quantConvolution is not null)
        {
            moments = _quantConvolution.call(moments);
        }

        var halves = moments.chunk(2, 1);
        var logVariance = halves[1].clamp(-30.0, 20.0);
        return (halves[0].MoveToOuterDisposeScope(), logVariance.MoveToOuterDisposeScope());
    }

    /// <summary>Turns a latent into a picture.</summary>
    /// <param name="latent">[batch, latent, height, width], already divided by the scaling factor.</param>
    /// <returns>[batch, channels, height * downscale, width * downscale] float, about −1..1, not clamped.</returns>
    public Tensor Decode(Tensor latent)
    {
        using var scope = NewDisposeScope();
        var hidden = _postQuantConvolution is null ? latent : _postQuantConvolution.call(latent);
        return _decoder.call(hidden).MoveToOuterDisposeScope();
    }

    /// <summary>The name this network gives a weight that older checkpoints call otherwise.</summary>
    /// <param name="name">A name from a checkpoint.</param>
    /// <returns>The name here; the same where it did not change.</returns>
    /// <remarks>The attention layers of published autoencoders are still called query, key, value and proj_attn.</remarks>
    public static string CurrentName(string name)
    {
        if (!name.Contains(".attentions.", StringComparison.Ordinal))
        {
            return name;
        }

        return name
            .Replace(".query.", ".to_q.", StringComparison.Ordinal)
            .Replace(".key.", ".to_k.", StringComparison.Ordinal)
            .Replace(".value.", ".to_v.", StringComparison.Ordinal)
            .Replace(".proj_attn.", ".to_out.0.", StringComparison.Ordinal);
    }
}

/// <summary>Convolutions down to the latent's size.</summary>
internal sealed class AutoencoderKLEncoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _input;

    [ComponentName(Name = "down_blocks")]
    private readonly ModuleList<AutoencoderKLDownBlock> _down;

    [ComponentName(Name = "mid_block")]
    private readonly AutoencoderKLMiddle _middle;

    [ComponentName(Name = "conv_norm_out")]
    private readonly GroupNorm _outputNorm;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _output;

    internal AutoencoderKLEncoder(AutoencoderKLConfig config, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLEncoder))
    {
        var levels = config.LevelChannels;
        _input = nn.Conv2d(config.PictureChannels, levels[0], 3, padding: 1, device: device, dtype: dtype);
        _down = new ModuleList<AutoencoderKLDownBlock>(
            [.. levels.Select((channels, level) => new AutoencoderKLDownBlock(
                config, levels[Math.Max(0, level - 1)], channels, level < levels.Count - 1, device, dtype))]);
        _middle = new AutoencoderKLMiddle(config, device, dtype);
        _outputNorm = GroupNorms.Create(config.NormGroups, levels[^1], 1e-6, device, dtype);
        _output = nn.Conv2d(levels[^1], 2 * config.LatentChannels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="picture">[batch, channels, height, width]</param>
    /// <returns>[batch, 2 * latent, height / downscale, width / downscale]</returns>
    public override Tensor forward(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var hidden = _input.call(picture);
        foreach (var block in _down)
        {
            hidden = block.call(hidden);
        }

        hidden = _middle.call(hidden);
        return _output.call(nn.functional.silu(_outputNorm.call(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual blocks of one level, then half the size.</summary>
internal sealed class AutoencoderKLDownBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "downsamplers")]
    private readonly ModuleList<Downsampling>? _downsampling;

    internal AutoencoderKLDownBlock(
        AutoencoderKLConfig config, int inputChannels, int channels, bool halves, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLDownBlock))
    {
        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, config.BlocksPerLevel).Select(block => new ResidualBlock(
                block == 0 ? inputChannels : channels, channels, null, config.NormGroups, 1e-6, device, dtype))]);
        if (halves)
        {
            _downsampling = new ModuleList<Downsampling>(new Downsampling(channels, true, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch, inputChannels, height, width]</param>
    /// <returns>[batch, channels, height / 2, width / 2], or the full size on the last level.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        foreach (var block in _residuals)
        {
            hidden = block.call(hidden, null);
        }

        return (_downsampling is null ? hidden : _downsampling[0].call(hidden)).MoveToOuterDisposeScope();
    }
}

/// <summary>The innermost level: residual block, attention, residual block.</summary>
internal sealed class AutoencoderKLMiddle : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "attentions")]
    private readonly ModuleList<AutoencoderKLAttention>? _attention;

    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    internal AutoencoderKLMiddle(AutoencoderKLConfig config, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLMiddle))
    {
        var channels = config.LevelChannels[^1];
        if (config.MiddleAttention)
        {
            _attention = new ModuleList<AutoencoderKLAttention>(
                new AutoencoderKLAttention(channels, config.NormGroups, device, dtype));
        }

        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, 2).Select(_ => new ResidualBlock(
                channels, channels, null, config.NormGroups, 1e-6, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="hidden">[batch, channels, height, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        hidden = _residuals[0].call(hidden, null);
        if (_attention is not null)
        {
            hidden = _attention[0].call(hidden);
        }

        return _residuals[1].call(hidden, null).MoveToOuterDisposeScope();
    }
}

/// <summary>Single-head self-attention over all places, with a shortcut.</summary>
internal sealed class AutoencoderKLAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "group_norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "to_q")]
    private readonly Linear _query;

    [ComponentName(Name = "to_k")]
    private readonly Linear _key;

    [ComponentName(Name = "to_v")]
    private readonly Linear _value;

    [ComponentName(Name = "to_out")]
    private readonly ModuleList<Linear> _output;

    internal AutoencoderKLAttention(int channels, int groups, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLAttention))
    {
        _norm = GroupNorms.Create(groups, channels, 1e-6, device, dtype);
        _query = nn.Linear(channels, channels, device: device, dtype: dtype);
        _key = nn.Linear(channels, channels, device: device, dtype: dtype);
        _value = nn.Linear(channels, channels, device: device, dtype: dtype);
        _output = new ModuleList<Linear>(nn.Linear(channels, channels, device: device, dtype: dtype));
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, height, width]</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        var tokens = _norm.call(input).flatten(2).transpose(1, 2);   // [batch, height * width, channels]
        var query = _query.call(tokens).unsqueeze(1);                // [batch, 1, height * width, channels]
        var key = _key.call(tokens).unsqueeze(1);
        var value = _value.call(tokens).unsqueeze(1);
        var mixed = nn.functional.scaled_dot_product_attention(query, key, value).squeeze(1);
        mixed = _output[0].call(mixed).transpose(1, 2).reshape(shape);
        return (mixed + input).MoveToOuterDisposeScope();
    }
}

/// <summary>Convolutions up from the latent's size.</summary>
internal sealed class AutoencoderKLDecoder : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _input;

    [ComponentName(Name = "mid_block")]
    private readonly AutoencoderKLMiddle _middle;

    [ComponentName(Name = "up_blocks")]
    private readonly ModuleList<AutoencoderKLUpBlock> _up;

    [ComponentName(Name = "conv_norm_out")]
    private readonly GroupNorm _outputNorm;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _output;

    internal AutoencoderKLDecoder(AutoencoderKLConfig config, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLDecoder))
    {
        int[] levels = [.. config.LevelChannels.Reverse()];   // innermost first
        _input = nn.Conv2d(config.LatentChannels, levels[0], 3, padding: 1, device: device, dtype: dtype);
        _middle = new AutoencoderKLMiddle(config, device, dtype);
        _up = new ModuleList<AutoencoderKLUpBlock>(
            [.. levels.Select((channels, level) => new AutoencoderKLUpBlock(
                config, levels[Math.Max(0, level - 1)], channels, level < levels.Length - 1, device, dtype))]);
        _outputNorm = GroupNorms.Create(config.NormGroups, levels[^1], 1e-6, device, dtype);
        _output = nn.Conv2d(levels[^1], config.PictureChannels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="latent">[batch, latent, height, width]</param>
    /// <returns>[batch, channels, height * downscale, width * downscale]</returns>
    public override Tensor forward(Tensor latent)
    {
        using var scope = NewDisposeScope();
        var hidden = _middle.call(_input.call(latent));
        foreach (var block in _up)
        {
            hidden = block.call(hidden);
        }

        return _output.call(nn.functional.silu(_outputNorm.call(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual blocks of one level, then twice the size.</summary>
internal sealed class AutoencoderKLUpBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "upsamplers")]
    private readonly ModuleList<Upsampling>? _upsampling;

    internal AutoencoderKLUpBlock(
        AutoencoderKLConfig config, int inputChannels, int channels, bool doubles, Device? device, ScalarType? dtype)
        : base(nameof(AutoencoderKLUpBlock))
    {
        _residuals = new ModuleList<ResidualBlock>(
            [.. Enumerable.Range(0, config.BlocksPerLevel + 1).Select(block => new ResidualBlock(
                block == 0 ? inputChannels : channels, channels, null, config.NormGroups, 1e-6, device, dtype))]);
        if (doubles)
        {
            _upsampling = new ModuleList<Upsampling>(new Upsampling(channels, device, dtype));
        }

        RegisterComponents();
    }

    /// <param name="hidden">[batch, inputChannels, height, width]</param>
    /// <returns>[batch, channels, 2 * height, 2 * width], or the same size on the last level.</returns>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        foreach (var block in _residuals)
        {
            hidden = block.call(hidden, null);
        }

        if (_upsampling is not null)
        {
            var shape = hidden.shape;
            hidden = _upsampling[0].call(hidden, 2 * shape[2], 2 * shape[3]);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
