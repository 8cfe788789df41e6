using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Two normalised convolutions with a shortcut, the building block of autoencoder and U-Net alike.</summary>
/// <remarks>Weight names as <c>ResnetBlock2D</c> of diffusers; the time step enters between the convolutions.</remarks>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly GroupNorm _inputNorm;

    [ComponentName(Name = "conv1")]
    private readonly Conv2d _inputConvolution;

    [ComponentName(Name = "time_emb_proj")]
    private readonly Linear? _timeProjection;

    [ComponentName(Name = "norm2")]
    private readonly GroupNorm _outputNorm;

    [ComponentName(Name = "conv2")]
    private readonly Conv2d _outputConvolution;

    [ComponentName(Name = "conv_shortcut")]
    private readonly Conv2d? _shortcut;

    /// <param name="inputChannels">Channels that come in.</param>
    /// <param name="outputChannels">Channels that go out; a 1x1 shortcut is made where they differ.</param>
    /// <param name="timeSize">Width of the time embedding, or null for a block without one.</param>
    /// <param name="groups">Groups of the norms.</param>
    /// <param name="epsilon">Epsilon of the norms.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal ResidualBlock(
        int inputChannels, int outputChannels, int? timeSize, int groups, double epsilon, Device? device, ScalarType? dtype)
        : base(nameof(ResidualBlock))
    {
        _inputNorm = GroupNorms.Create(groups, inputChannels, epsilon, device, dtype);
        _inputConvolution = nn.Conv2d(inputChannels, outputChannels, 3, padding: 1, device: device, dtype: dtype);
        if (timeSize is { } size)
        {
            _timeProjection = nn.Linear(size, outputChannels, device: device, dtype: dtype);
        }

        _outputNorm = GroupNorms.Create(groups, outputChannels, epsilon, device, dtype);
        _outputConvolution = nn.Conv2d(outputChannels, outputChannels, 3, padding: 1, device: device, dtype: dtype);
        if (inputChannels != outputChannels)
        {
            _shortcut = nn.Conv2d(inputChannels, outputChannels, 1, device: device, dtype: dtype);
        }

        RegisterComponents();
    }

    /// <param name="input">[batch, inputChannels, height, width]</param>
    /// <param name="activatedTime">[batch, timeSize], already through SiLU; null for a block without time.</param>
    /// <returns>[batch, outputChannels, height, width], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, Tensor? activatedTime)
    {
        using var scope = NewDisposeScope();
        var hidden = SmallMapConvolution.Call(_inputConvolution, nn.functional.silu(_inputNorm.call(input)));
        if (_timeProjection is not null && activatedTime is not null)
        {
            hidden = hidden + _timeProjection.call(activatedTime).unsqueeze(-1).unsqueeze(-1);
        }

        hidden = SmallMapConvolution.Call(_outputConvolution, nn.functional.silu(_outputNorm.call(hidden)));
        var straight = _shortcut is null ? input : _shortcut.call(input);
        return (straight + hidden).MoveToOuterDisposeScope();
    }
}
