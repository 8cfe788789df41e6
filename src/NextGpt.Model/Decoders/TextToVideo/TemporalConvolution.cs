using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.TextToVideo;

/// <summary>Four convolutions over neighbouring frames, with a shortcut.</summary>
/// <remarks>Wang et al. 2023 (ModelScope), section 3.2; weight names as <c>TemporalConvLayer</c> of diffusers.</remarks>
internal sealed class TemporalConvolution : nn.Module<Tensor, long, Tensor>
{
    [ComponentName(Name = "conv1")]
    private readonly TemporalConvolutionStep _first;

    [ComponentName(Name = "conv2")]
    private readonly TemporalConvolutionStep _second;

    [ComponentName(Name = "conv3")]
    private readonly TemporalConvolutionStep _third;

    [ComponentName(Name = "conv4")]
    private readonly TemporalConvolutionStep _fourth;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="groups">Groups of the norms.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal TemporalConvolution(int channels, int groups, Device? device, ScalarType? dtype)
        : base(nameof(TemporalConvolution))
    {
        _first = new TemporalConvolutionStep(channels, groups, dropout: false, device, dtype);
        _second = new TemporalConvolutionStep(channels, groups, dropout: true, device, dtype);
        _third = new TemporalConvolutionStep(channels, groups, dropout: true, device, dtype);
        _fourth = new TemporalConvolutionStep(channels, groups, dropout: true, device, dtype);
        RegisterComponents();

        // Begins as if it were not there, so that a network for pictures can learn to move.
        nn.init.zeros_(_fourth.Convolution.weight);
        nn.init.zeros_(_fourth.Convolution.bias!);
    }

    /// <param name="input">[batch * frames, channels, height, width]</param>
    /// <param name="frames">Frames per clip.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, long frames)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        var clip = input.view(-1, frames, shape[1], shape[2] * shape[3]).transpose(1, 2).contiguous();   // [batch, channels, frames, places]
        clip = _fourth.call(_third.call(_second.call(_first.call(clip))));
        return (input + clip.transpose(1, 2).reshape(shape)).MoveToOuterDisposeScope();
    }
}

/// <summary>Norm, SiLU, convolution over three frames.</summary>
internal sealed class TemporalConvolutionStep : nn.Module<Tensor, Tensor>
{
    // Numbered as in the checkpoint: norm, activation, (dropout,) convolution.
    [ComponentName(Name = "0")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "2")]
    private readonly Conv3d? _plainConvolution;

    [ComponentName(Name = "3")]
    private readonly Conv3d? _dropoutConvolution;

    internal TemporalConvolutionStep(int channels, int groups, bool dropout, Device? device, ScalarType? dtype)
        : base(nameof(TemporalConvolutionStep))
    {
        _norm = GroupNorms.Create(groups, channels, 1e-5, device, dtype);
        var convolution = nn.Conv3d(channels, channels, (3, 1, 1), padding: (1, 0, 0), device: device, dtype: dtype);
        _plainConvolution = dropout ? null : convolution;
        _dropoutConvolution = dropout ? convolution : null;
        RegisterComponents();
    }

    internal Conv3d Convolution => _plainConvolution ?? _dropoutConvolution!;   // the constructor makes one of the two

    /// <param name="clip">[batch, channels, frames, places]</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor clip)
    {
        using var scope = NewDisposeScope();

        // A kernel of one place by one place need not know rows from columns: two dimensions are enough, and faster.
        var convolution = Convolution;
        return nn.functional.conv2d(
            nn.functional.silu(_norm.call(clip)), convolution.weight.squeeze(-1), convolution.bias, padding: [1, 0])
            .MoveToOuterDisposeScope();
    }
}
