using NextGpt.Media;
using NextGpt.Model.Packages;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>ImageBind with its preparation, as the assembled model sees it.</summary>
/// <param name="network">The network, filled and in eval mode; owned by this.</param>
/// <param name="features">What of its output is given.</param>
public sealed class ImageBindEncoder(ImageBind network, MediaFeatures features) : IMediaEncoder
{
    private readonly MediaPreparation _preparation = new(network.Config);
    private readonly Device _device = network.parameters().First().device;
    private readonly ScalarType _type = network.parameters().First().dtype;

    /// <inheritdoc/>
    public int FeatureSize => network.Config.OutputSize;

    /// <summary>Reads an encoder.</summary>
    /// <param name="folder">ImageBind with its <c>config.json</c>.</param>
    /// <param name="features">What of its output is given.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="type">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static ImageBindEncoder Load(string folder, MediaFeatures features, Device? device = null, ScalarType? type = null)
    {
        var network = ImageBind.Load(folder, device, type);
        network.eval();
        return new ImageBindEncoder(network, features);
    }

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public Tensor Embed(Medium medium)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return network.Embed(medium.Kind, _preparation.Prepare(medium, _device).to(_type)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();
}
