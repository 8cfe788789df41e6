using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.TextToVideo;

/// <summary>Lets every place of a frame look at the same place in all frames of its clip.</summary>
/// <remarks>
/// Wang et al. 2023 (ModelScope), section 3.2; weight names as <c>TransformerTemporalModel</c> of diffusers. Both attentions
/// of its blocks attend to the frames themselves.
/// </remarks>
internal sealed class TemporalTransformer : nn.Module<Tensor, long, Tensor>
{
    private readonly bool _positions;

    [ComponentName(Name = "norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "proj_in")]
    private readonly Linear _projectIn;

    [ComponentName(Name = "transformer_blocks")]
    private readonly ModuleList<SpatialTransformerBlock> _blocks;

    [ComponentName(Name = "proj_out")]
    private readonly Linear _projectOut;

    /// <param name="channels">Channels of the feature map.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="headSize">Width of a head; heads times this is the width of the transformer.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="positions">Whether frames are told apart by sines and cosines of their places.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal TemporalTransformer(
        int channels, int heads, int headSize, int groups, bool positions, Device? device, ScalarType? dtype)
        : base(nameof(TemporalTransformer))
    {
        var width = heads * headSize;
        _positions = positions;
        _norm = GroupNorms.Create(groups, channels, 1e-6, device, dtype);
        _projectIn = nn.Linear(channels, width, device: device, dtype: dtype);
        _blocks = new ModuleList<SpatialTransformerBlock>(new SpatialTransformerBlock(width, heads, width, device, dtype));
        _projectOut = nn.Linear(width, channels, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="input">[batch * frames, channels, height, width]</param>
    /// <param name="frames">Frames per clip.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input, long frames)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        var (channels, height, width) = (shape[1], shape[2], shape[3]);

        var clip = input.view(-1, frames, channels, height, width).transpose(1, 2);   // [batch, channels, frames, height, width]
        var hidden = _norm.call(clip).permute(0, 3, 4, 2, 1).reshape(-1, frames, channels);   // [batch * places, frames, channels]
        hidden = _projectIn.call(hidden);
        if (_positions)
        {
            hidden = hidden + UNet2DCondition.TimeProjection(
                arange(frames, device: hidden.device), (int)hidden.shape[2], cosineFirst: false, 0).to(hidden.dtype);
        }

        foreach (var block in _blocks)
        {
            hidden = block.call(hidden, null);
        }

        hidden = _projectOut.call(hidden)
            .view(-1, height, width, frames, channels).permute(0, 3, 4, 1, 2);   // [batch, frames, channels, height, width]
        return (hidden.reshape(shape) + input).MoveToOuterDisposeScope();
    }
}
