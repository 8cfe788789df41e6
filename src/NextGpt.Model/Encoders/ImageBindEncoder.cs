using NextGpt.Media;
using NextGpt.Model.Packages;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>ImageBind with its preparation, as the assembled model sees it.</summary>
/// <param name="network">The network, filled and in eval mode; owned by this.</param>
/// <param name="features">What of its output is given.</param>
internal sealed class ImageBindEncoder(ImageBind network, MediaFeatures features) : IMediaEncoder
{
    private readonly MediaPreparation _preparation = new(network.Config);
    private readonly Device _device = network.parameters().First().device;
    private readonly ScalarType _type = network.parameters().First().dtype;

    public int FeatureSize => network.Config.OutputSize;

    public Tensor Encode(Medium medium)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var views = _preparation.Prepare(medium, _device).to(_type);
        var given = features == MediaFeatures.Pooled
            ? network.Pool(medium.Kind, views).unsqueeze(1)   // [1, 1, features]
            : network.Patches(medium.Kind, views);            // [1, patches, features]
        return given.MoveToOuterDisposeScope();
    }

    public Tensor Embed(Medium medium)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return network.Embed(medium.Kind, _preparation.Prepare(medium, _device).to(_type)).MoveToOuterDisposeScope();
    }

    public void Dispose() => network.Dispose();
}
