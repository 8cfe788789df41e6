using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>Makes sounds from a conditioning: denoises the latent of a mel spectrogram with guidance, decodes it, and lets the vocoder speak.</summary>
/// <remarks>
/// Liu et al. 2023 (AudioLDM); <c>AudioLDMPipeline</c> of diffusers, from prompt embeddings on; so does NExT-GPT call it, with
/// the output projection in place of the text encoder. Owns nothing. Not thread-safe.
/// </remarks>
/// <param name="unet">Predicts noise or velocity; with a class embedding.</param>
/// <param name="autoencoder">Decodes the latent to a mel spectrogram.</param>
/// <param name="vocoder">Turns the spectrogram into samples.</param>
/// <param name="scheduler">Noise schedule and sampler.</param>
public sealed class AudioLdmPipeline(
    UNet2DCondition unet, AutoencoderKL autoencoder, HifiGan vocoder, SchedulerConfig scheduler)
{
    /// <summary>Shape of the latent of a sound.</summary>
    /// <param name="seconds">Above 0.</param>
    /// <returns>[latent, frames / downscale, mels / downscale]; frames are rounded up to a multiple of the downscale.</returns>
    public long[] LatentShape(double seconds)
    {
        var downscale = autoencoder.Config.Downscale;
        var frames = Math.Max(1, (Samples(seconds) + vocoder.Config.HopSamples - 1) / vocoder.Config.HopSamples);
        return [unet.Config.InputChannels, (frames + downscale - 1) / downscale, vocoder.Config.Mels / downscale];
    }

    /// <summary>Samples of a sound of this length.</summary>
    /// <param name="seconds">Above 0.</param>
    public int Samples(double seconds) => (int)(seconds * vocoder.Config.SampleRateHz);

    /// <summary>Denoises without decoding.</summary>
    /// <param name="prompt">[batch, classSize], the conditioning.</param>
    /// <param name="negative">[batch or 1, classSize], the conditioning of nothing; may be null without guidance.</param>
    /// <param name="noise">[batch, .. <see cref="LatentShape"/>] unit noise on the network's device.</param>
    /// <param name="request">Steps and guidance.</param>
    /// <param name="afterStep">Sees the latent after every step; it must not dispose it.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>The noise's shape, float32, still scaled, owned by the caller's dispose scope.</returns>
    public Tensor Denoise(
        Tensor prompt, Tensor? negative, Tensor noise, DiffusionRequest request, Action<int, Tensor>? afterStep = null,
        CancellationToken cancellationToken = default) =>
        Denoiser.Denoise(
            scheduler, (sample, timestep, classes) => unet.call(sample, timestep, null, classes), prompt, negative, noise,
            request, afterStep, cancellationToken);

    /// <summary>Turns a scaled latent into a mel spectrogram.</summary>
    /// <param name="latent">[batch, latent, frames / downscale, mels / downscale]</param>
    /// <returns>[batch, 1, frames, mels] float32, owned by the caller's dispose scope.</returns>
    public Tensor DecodeSpectrogram(Tensor latent)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var type = autoencoder.parameters().First().dtype;
        return autoencoder.Decode((latent / autoencoder.Config.ScalingFactor).to(type)).to(ScalarType.Float32)
            .alias().MoveToOuterDisposeScope();
    }

    /// <summary>Turns a mel spectrogram into sound.</summary>
    /// <param name="spectrogram">[batch, 1, frames, mels]</param>
    /// <param name="seconds">Length to cut to.</param>
    /// <returns>[batch, samples] float32, −1..1, owned by the caller's dispose scope.</returns>
    public Tensor Speak(Tensor spectrogram, double seconds)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var type = vocoder.parameters().First().dtype;
        var bands = spectrogram.squeeze(1);   // [batch, frames, mels]
        var sound = vocoder.call(bands.to(type)).to(ScalarType.Float32);
        if (vocoder.Config.PolishRounds > 0)
        {
            using var mel = new MelSpectrogram(sound.device, vocoder.Config.Mels);
            sound = sound.narrow(1, 0, bands.shape[1] * vocoder.Config.HopSamples);
            sound = GriffinLim.Sound(mel, bands.to(ScalarType.Float32), vocoder.Config.PolishRounds, sound).clamp(-1, 1);
        }

        return sound.narrow(1, 0, Math.Min(Samples(seconds), sound.shape[1])).contiguous().alias().MoveToOuterDisposeScope();
    }
}
