using NextGpt.Media;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>What the assembled model and its training need of an encoder; ImageBind with its preparation, or a stand-in in tests.</summary>
/// <remarks>Belongs to one thread; keeps no gradients.</remarks>
public interface IMediaEncoder : IDisposable
{
    /// <summary>Width of a feature.</summary>
    int FeatureSize { get; }

    /// <summary>Looks at a picture or clip, or listens to a sound.</summary>
    /// <param name="medium">Of a kind that it has a tower for.</param>
    /// <returns>[1, positions, features] float on the encoder's device, owned by the caller's dispose scope.</returns>
    Tensor Encode(Medium medium);

    /// <summary>The medium's place in the encoder's joint space.</summary>
    /// <param name="medium">Of a kind that it has a tower for.</param>
    /// <returns>[1, features] float on the encoder's device, owned by the caller's dispose scope.</returns>
    Tensor Embed(Medium medium);
}
