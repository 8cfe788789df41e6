using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.TextToVideo;

/// <summary>Draws clips from a conditioning: denoises the latents of all frames together with guidance, then decodes them one by one.</summary>
/// <remarks>
/// <c>TextToVideoSDPipeline</c> of diffusers, from prompt embeddings on; so does NExT-GPT call it, with the output projection
/// in place of the text encoder. Owns nothing. Not thread-safe.
/// </remarks>
/// <param name="unet">Predicts noise or velocity.</param>
/// <param name="autoencoder">Decodes the latents, frame by frame.</param>
/// <param name="scheduler">Noise schedule and sampler.</param>
public sealed class TextToVideoPipeline(UNet3DCondition unet, AutoencoderKL autoencoder, SchedulerConfig scheduler)
{
    /// <summary>Denoises without decoding.</summary>
    /// <param name="prompt">[batch, tokens, contextSize], the conditioning.</param>
    /// <param name="negative">[batch or 1, tokens, contextSize], the conditioning of nothing; may be null without guidance.</param>
    /// <param name="noise">[batch, latent, frames, height, width] unit noise on the network's device.</param>
    /// <param name="request">Steps and guidance.</param>
    /// <param name="afterStep">Sees the latent after every step; it must not dispose it.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>The noise's shape, float32, still scaled, owned by the caller's dispose scope.</returns>
    public Tensor Denoise(
        Tensor prompt, Tensor? negative, Tensor noise, DiffusionRequest request, Action<int, Tensor>? afterStep = null,
        CancellationToken cancellationToken = default) =>
        Denoiser.Denoise(scheduler, unet.call, prompt, negative, noise, request, afterStep, cancellationToken);

    /// <summary>Turns scaled latents of frames into pictures.</summary>
    /// <param name="latents">[frames, latent, height, width]</param>
    /// <returns>[frames, channels, pixelHeight, pixelWidth] float32, 0..1, owned by the caller's dispose scope.</returns>
    public Tensor Decode(Tensor latents)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var type = autoencoder.parameters().First().dtype;
        var pictures = autoencoder.Decode((latents / autoencoder.Config.ScalingFactor).to(type)).to(ScalarType.Float32);
        return (pictures / 2 + 0.5).clamp(0, 1).MoveToOuterDisposeScope();
    }
}
