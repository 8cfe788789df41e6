using NextGpt.Media;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>The loaded networks of one kind of decoder: what differs between pictures, sounds and clips.</summary>
internal interface IDiffusionNetworks : IDisposable
{
    /// <summary>Type of the U-Net's weights; the conditioning is converted to it.</summary>
    ScalarType Type { get; }

    /// <summary>Shape of one row's noise, without the batch.</summary>
    /// <exception cref="ArgumentException">The plan asks for a size that is not possible.</exception>
    long[] LatentShape(RenderPlan plan);

    /// <summary>Calls the U-Net.</summary>
    /// <param name="sample">[batch, .. LatentShape] of <see cref="Type"/></param>
    /// <param name="timestep">[1] float32</param>
    /// <param name="condition">[batch, tokens, width] or [batch, width]</param>
    /// <returns>The sample's shape, owned by the caller's dispose scope.</returns>
    Tensor Predict(Tensor sample, Tensor timestep, Tensor condition);

    /// <summary>Turns latents into media.</summary>
    /// <param name="latent">[batch, .. LatentShape] float32, still scaled.</param>
    /// <param name="plan">Length and pace.</param>
    /// <param name="cancellationToken">Looked at between parts of a long medium.</param>
    /// <returns>One medium per row.</returns>
    IReadOnlyList<Medium> Decode(Tensor latent, RenderPlan plan, CancellationToken cancellationToken);

    /// <summary>Writes networks and configurations into the subfolders that they were read from.</summary>
    void Save(string folder, SafetensorsType type);
}

/// <summary>Turns words into a conditioning: a tokenizer and a text encoder.</summary>
internal interface ITextConditioner : IDisposable
{
    /// <summary>Encodes texts.</summary>
    /// <param name="prompts">One or more.</param>
    /// <returns>[batch, tokens, width] or [batch, width] on the encoder's device, owned by the caller's dispose scope.</returns>
    Tensor Encode(IReadOnlyList<string> prompts);

    /// <summary>Writes encoder, configuration and tokenizer into their subfolders.</summary>
    void Save(string folder, SafetensorsType type);
}
