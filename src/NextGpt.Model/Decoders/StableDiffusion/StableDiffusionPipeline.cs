using NextGpt.Model.Decoders.Schedulers;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>How a picture is to be drawn.</summary>
public sealed record DiffusionRequest
{
    /// <summary>Steps of the sampler.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Strength of classifier-free guidance; 1 or less switches it off and halves the work.</summary>
    public double Guidance { get; init; } = 7.5;

    /// <summary>Source of the noise of samplers that add some; lies on the network's device. Null draws from the global one.</summary>
    public Generator? Generator { get; init; }

    /// <summary>Draws the noise of samplers that add some, of a given shape, instead of <see cref="Generator"/>. Null is not asked.</summary>
    public Func<long[], Tensor>? FreshNoise { get; init; }

    /// <summary>Called after every step with the share that is done, 0..1. Null is not called.</summary>
    public Action<double>? Progress { get; init; }
}

/// <summary>Draws pictures from a conditioning: denoises a latent with guidance, then decodes it.</summary>
/// <remarks>
/// <c>StableDiffusionPipeline</c> of diffusers, from prompt embeddings on; so does NExT-GPT call it, with the output
/// projection in place of the text encoder. Owns nothing: the networks belong to whoever made them. Not thread-safe.
/// </remarks>
/// <param name="unet">Predicts noise or velocity.</param>
/// <param name="autoencoder">Decodes the latent.</param>
/// <param name="scheduler">Noise schedule and sampler.</param>
public sealed class StableDiffusionPipeline(UNet2DCondition unet, AutoencoderKL autoencoder, SchedulerConfig scheduler)
{
    /// <summary>Draws.</summary>
    /// <param name="prompt">[batch, tokens, contextSize], the conditioning.</param>
    /// <param name="negative">[batch or 1, tokens, contextSize], the conditioning of nothing; may be null without guidance.</param>
    /// <param name="noise">[batch, latent, height, width] unit noise on the network's device.</param>
    /// <param name="request">Steps and guidance.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>[batch, channels, pixelHeight, pixelWidth] float32, 0..1, owned by the caller's dispose scope.</returns>
    public Tensor Draw(
        Tensor prompt, Tensor? negative, Tensor noise, DiffusionRequest request, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        var latent = Denoise(prompt, negative, noise, request, null, cancellationToken);
        return Decode(latent).MoveToOuterDisposeScope();
    }

    /// <summary>Denoises without decoding.</summary>
    /// <param name="prompt">[batch, tokens, contextSize], the conditioning.</param>
    /// <param name="negative">[batch or 1, tokens, contextSize], the conditioning of nothing; may be null without guidance.</param>
    /// <param name="noise">[batch, latent, height, width] unit noise on the network's device.</param>
    /// <param name="request">Steps and guidance.</param>
    /// <param name="afterStep">Sees the latent after every step; it must not dispose it.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>[batch, latent, height, width] float32, still scaled, owned by the caller's dispose scope.</returns>
    public Tensor Denoise(
        Tensor prompt, Tensor? negative, Tensor noise, DiffusionRequest request, Action<int, Tensor>? afterStep = null,
        CancellationToken cancellationToken = default) =>
        Denoiser.Denoise(
            scheduler, (sample, timestep, context) => unet.call(sample, timestep, context, null), prompt, negative, noise,
            request, afterStep, cancellationToken);

    /// <summary>Turns a scaled latent into a picture.</summary>
    /// <param name="latent">[batch, latent, height, width]</param>
    /// <returns>[batch, channels, pixelHeight, pixelWidth] float32, 0..1, owned by the caller's dispose scope.</returns>
    public Tensor Decode(Tensor latent)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var type = autoencoder.parameters().First().dtype;
        var picture = autoencoder.Decode((latent / autoencoder.Config.ScalingFactor).to(type)).to(ScalarType.Float32);
        return (picture / 2 + 0.5).clamp(0, 1).MoveToOuterDisposeScope();
    }
}
