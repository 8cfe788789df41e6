using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Halves height and width with a strided convolution (<c>Downsample2D</c> of diffusers).</summary>
internal sealed class Downsampling : nn.Module<Tensor, Tensor>
{
    private readonly bool _padRightAndBottom;

    [ComponentName(Name = "conv")]
    private readonly Conv2d _convolution;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="padRightAndBottom">The autoencoder pads one row and column after, the U-Net one on every side.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal Downsampling(int channels, bool padRightAndBottom, Device? device, ScalarType? dtype)
        : base(nameof(Downsampling))
    {
        _padRightAndBottom = padRightAndBottom;
        _convolution = nn.Conv2d(
            channels, channels, 3, stride: 2, padding: padRightAndBottom ? 0 : 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, height, width]</param>
    /// <returns>[batch, channels, height / 2, width / 2], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var padded = _padRightAndBottom ? nn.functional.pad(input, [0, 1, 0, 1]) : input;
        return _convolution.call(padded).MoveToOuterDisposeScope();
    }
}

/// <summary>Repeats pixels to a larger size and smooths with a convolution (<c>Upsample2D</c> of diffusers).</summary>
internal sealed class Upsampling : nn.Module<Tensor, long, long, Tensor>
{
    [ComponentName(Name = "conv")]
    private readonly Conv2d _convolution;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal Upsampling(int channels, Device? device, ScalarType? dtype)
        : base(nameof(Upsampling))
    {
        _convolution = nn.Conv2d(channels, channels, 3, padding: 1, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, height, width]</param>
    /// <param name="height">Height to reach: twice, or one less where the way down had an odd size.</param>
    /// <param name="width">Width to reach.</param>
    /// <returns>[batch, channels, height, width], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, long height, long width)
    {
        using var scope = NewDisposeScope();
        var larger = nn.functional.interpolate(input, size: [height, width], mode: InterpolationMode.Nearest);
        return SmallMapConvolution.Call(_convolution, larger).MoveToOuterDisposeScope();
    }
}
