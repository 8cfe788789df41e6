using System.Text.Json.Nodes;
using NextGpt.Media;
using NextGpt.Model.Weights;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Enlarging;

/// <summary>The numbers of a <see cref="PictureEnlarger"/>, as in its <c>config.json</c>.</summary>
public sealed record PictureEnlargerConfig
{
    /// <summary>Channels inside.</summary>
    public int Channels { get; init; } = 64;

    /// <summary>Residual blocks, two convolutions each.</summary>
    public int Blocks { get; init; } = 6;

    /// <summary>How many times larger the sides become.</summary>
    public int Factor { get; init; } = 4;

    /// <summary>Pixels a side that are folded into channels first: work and blocks' view are those of a picture smaller by it.</summary>
    public int Fold { get; init; } = 2;

    /// <summary>Writes a <c>config.json</c>.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["_class_name"] = nameof(PictureEnlarger),
        ["channels"] = Channels,
        ["blocks"] = Blocks,
        ["factor"] = Factor,
        ["fold"] = Fold,
    });

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing, out of its range, or means another network.</exception>
    public static PictureEnlargerConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("_class_name", nameof(PictureEnlarger));
        return new PictureEnlargerConfig
        {
            Channels = Within("channels", 1, 1_024),
            Blocks = Within("blocks", 0, 64),
            Factor = Within("factor", 2, 8),
            Fold = Within("fold", 1, 8),
        };

        int Within(string key, int least, int most) => config.Integer(key) is var value && value >= least && value <= most
            ? value
            : throw new InvalidDataException($"{file}: {key} is {value}; {least} to {most} was expected.");
    }
}

/// <summary>Enlarges a small drawing and sharpens what the autoencoder left soft.</summary>
/// <remarks>
/// Residual blocks without norms on the small picture (Lim et al. 2017, section 3.1) and one pixel shuffle at the end (Shi et al.
/// 2016, section 3.2); the network adds to the bicubic enlargement, so that a fresh one is nearly that. Trained here; no published
/// checkpoint has this shape.
/// </remarks>
public sealed class PictureEnlarger : nn.Module<Tensor, Tensor>
{
    /// <summary>The weight file of a folder.</summary>
    public const string WeightsName = "diffusion_pytorch_model.safetensors";

    private const double FreshDetail = 0.1;   // not nothing: where all is flat, adding nothing is hard to leave

    [ComponentName(Name = "head")]
    private readonly Conv2d _head;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<PictureEnlargerBlock> _blocks;

    [ComponentName(Name = "body")]
    private readonly Conv2d _body;

    [ComponentName(Name = "tail")]
    private readonly Conv2d _tail;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public PictureEnlarger(PictureEnlargerConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(PictureEnlarger))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var (channels, unfold) = (config.Channels, config.Fold * config.Factor);
        _head = nn.Conv2d(3 * config.Fold * config.Fold, channels, 3, padding: 1, device: device, dtype: dtype);
        _blocks = new ModuleList<PictureEnlargerBlock>(
            [.. Enumerable.Range(0, config.Blocks).Select(_ => new PictureEnlargerBlock(channels, device, dtype))]);
        _body = nn.Conv2d(channels, channels, 3, padding: 1, device: device, dtype: dtype);
        _tail = nn.Conv2d(channels, 3 * unfold * unfold, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
        using var noGradient = no_grad();
        _tail.weight.mul_(FreshDetail);
        _tail.bias!.zero_();   // made with a bias
    }

    /// <summary>The numbers it was built with.</summary>
    public PictureEnlargerConfig Config { get; }

    /// <summary>Reads a folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static PictureEnlarger Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = SafetensorsFile.Open(DiffusersWeights.FileIn(folder));
        var network = new PictureEnlarger(PictureEnlargerConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, name => name);
        return network;
    }

    /// <summary>Writes a folder that <see cref="Load"/> reads.</summary>
    /// <param name="folder">Made where it is missing; files of the same names are replaced.</param>
    /// <param name="type">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        DiffusersWeights.Save(this, Path.Combine(folder, WeightsName), type);
        Config.Save(Path.Combine(folder, "config.json"));
    }

    /// <summary>Enlarges a picture.</summary>
    /// <param name="picture">Any size.</param>
    /// <returns>Each side <see cref="PictureEnlargerConfig.Factor"/> times as long.</returns>
    public Picture Enlarge(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var weight = _head.weight;
        var pixels = tensor(picture.Pixels, [1, picture.Height, picture.Width, 3], ScalarType.Byte)
            .permute(0, 3, 1, 2).to(weight.device).to(weight.dtype) / 255;   // [1, 3, height, width]
        return Pixels.ToPictures(call(pixels).to(ScalarType.Float32).clamp(0, 1))[0];
    }

    /// <summary>Enlarges.</summary>
    /// <param name="picture">[batch, 3, height, width] float, 0..1</param>
    /// <returns>[batch, 3, factor * height, factor * width], about 0..1, not clamped; owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor picture)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (picture.shape[2], picture.shape[3]);
        var (fold, factor) = (Config.Fold, Config.Factor);

        // 1. fold pixels into channels; what is missing for whole folds is repeated from the border
        var (below, right) = ((fold - (height % fold)) % fold, (fold - (width % fold)) % fold);
        var whole = below + right == 0 ? picture : nn.functional.pad(picture, [0, right, 0, below], PaddingModes.Replicate);
        var shallow = _head.call(nn.functional.pixel_unshuffle(whole - 0.5, fold));   // [batch, channels, height / fold, width / fold]

        // 2. what belongs there
        var deep = shallow;
        foreach (var block in _blocks)
        {
            deep = block.call(deep);
        }

        deep = _body.call(deep) + shallow;

        // 3. unfold to the large size, on top of the plain enlargement
        var detail = nn.functional.pixel_shuffle(_tail.call(deep), fold * factor);
        if (below + right > 0)
        {
            detail = detail.narrow(2, 0, height * factor).narrow(3, 0, width * factor);
        }

        var plain = nn.functional.interpolate(
            picture, size: [height * factor, width * factor], mode: InterpolationMode.Bicubic, align_corners: false);
        return (plain + detail).MoveToOuterDisposeScope();
    }
}

/// <summary>Two convolutions with a shortcut.</summary>
internal sealed class PictureEnlargerBlock : nn.Module<Tensor, Tensor>
{
    private const double Slope = 0.1;   // a block that is quite silent would never speak again

    [ComponentName(Name = "conv1")]
    private readonly Conv2d _first;

    [ComponentName(Name = "conv2")]
    private readonly Conv2d _second;

    internal PictureEnlargerBlock(int channels, Device? device, ScalarType? dtype)
        : base(nameof(PictureEnlargerBlock))
    {
        _first = nn.Conv2d(channels, channels, 3, padding: 1, device: device, dtype: dtype);
        _second = nn.Conv2d(channels, channels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, height, width]</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (input + _second.call(nn.functional.leaky_relu(_first.call(input), Slope))).MoveToOuterDisposeScope();
    }
}
