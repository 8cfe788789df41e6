using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>Predicts noise or velocity: the U-Net of a pipeline.</summary>
/// <param name="sample">[batch, channels, ...] in the network's type, scaled as the sampler asks.</param>
/// <param name="timestep">[1] float32</param>
/// <param name="condition">[batch, ...] in the network's type.</param>
/// <returns>The sample's shape, owned by the caller's dispose scope.</returns>
internal delegate Tensor NoisePrediction(Tensor sample, Tensor timestep, Tensor condition);

/// <summary>The loop from noise to a latent that all three kinds of media share.</summary>
/// <remarks>Classifier-free guidance (Ho and Salimans 2022) as one batch of two: without the condition, then with it.</remarks>
internal static class Denoiser
{
    /// <summary>Denoises.</summary>
    /// <param name="scheduler">Noise schedule and sampler.</param>
    /// <param name="predict">The network.</param>
    /// <param name="condition">[batch, ...] in the network's type; what to make.</param>
    /// <param name="negative">[batch or 1, ...]; what guidance leads away from. May be null without guidance.</param>
    /// <param name="noise">[batch, channels, ...] unit noise on the network's device.</param>
    /// <param name="request">Steps and guidance.</param>
    /// <param name="afterStep">Sees the latent after every step; it must not dispose it. Null is not called.</param>
    /// <param name="cancellationToken">Looked at before every step.</param>
    /// <returns>The noise's shape, float32, owned by the caller's dispose scope.</returns>
    internal static Tensor Denoise(
        SchedulerConfig scheduler, NoisePrediction predict, Tensor condition, Tensor? negative, Tensor noise,
        DiffusionRequest request, Action<int, Tensor>? afterStep, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var sampler = Sampler.Create(scheduler, request.Steps);
        var guided = request.Guidance > 1;
        var both = guided ? cat([Negative(condition, negative), condition], 0) : condition;   // [batch or 2 * batch, ...]
        var type = condition.dtype;
        var latent = noise.to(ScalarType.Float32) * sampler.InitialNoiseScale;
        var times = tensor(sampler.Timesteps.Select(time => (float)time).ToArray()).to(noise.device);

        for (var index = 0; index < sampler.Timesteps.Count; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var input = sampler.ScaleInput(latent, index).to(type);
            input = guided ? cat([input, input], 0) : input;
            var prediction = predict(input, times.narrow(0, index, 1), both).to(ScalarType.Float32);
            if (guided)
            {
                var halves = prediction.chunk(2, 0);   // without and with the condition
                prediction = halves[0] + request.Guidance * (halves[1] - halves[0]);
            }

            var fresh = scheduler.Kind == SamplerKind.Ddpm || scheduler.Eta > 0 ? FreshNoise(latent, request) : null;
            var next = sampler.Step(prediction, latent, index, fresh).MoveToOuterDisposeScope();
            latent.Dispose();
            latent = next;
            afterStep?.Invoke(index, latent);
            request.Progress?.Invoke((index + 1.0) / sampler.Timesteps.Count);
        }

        return latent.MoveToOuterDisposeScope();
    }

    private static Tensor FreshNoise(Tensor latent, DiffusionRequest request) =>
        request.FreshNoise is { } draw
            ? draw(latent.shape).to(latent.device)
            : randn(latent.shape, device: latent.device, generator: request.Generator);

    private static Tensor Negative(Tensor condition, Tensor? negative)
    {
        if (negative is null)
        {
            throw new ArgumentException(
                "Guidance needs the conditioning of an empty text; pass it, or set the guidance to 1.", nameof(negative));
        }

        var shape = condition.shape;
        return negative.shape[0] == shape[0] ? negative : negative.expand(shape);
    }
}
