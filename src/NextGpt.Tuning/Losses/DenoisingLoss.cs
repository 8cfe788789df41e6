using NextGpt.Model.Decoders.Schedulers;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Losses;

/// <summary>How the errors of different noise levels are weighed against each other.</summary>
public enum SnrRule
{
    /// <summary>All alike (clips and sounds in NExT-GPT).</summary>
    None,

    /// <summary>Every sample by its own level, no level above gamma (Hang et al. 2023, section 3.4).</summary>
    MinSnr,

    /// <summary>
    /// The mean error times the mean weight: what NExT-GPT's repository computes, because it averages before it weighs. Only to
    /// compare with it; the weights of single samples are lost.
    /// </summary>
    Repository,
}

/// <summary>How badly a diffusion decoder, led by a projected signal, foretells the noise in the target medium.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), section 4.2. The target follows the decoder's prediction type (noise, or velocity after Salimans and
/// Ho 2022); the repository takes the noise always, also where its decoder foretells velocity.
/// </remarks>
public static class DenoisingLoss
{
    /// <summary>The ratio of signal to noise above which a level counts no more.</summary>
    public const double Gamma = 5;

    /// <summary>What the decoder should have foretold.</summary>
    /// <param name="latent">[batch, ...], scaled.</param>
    /// <param name="noise">The same shape, unit normal.</param>
    /// <param name="signalLeft">[batch], the entries of <see cref="NoiseSchedule.SignalTable"/> at the time steps.</param>
    /// <param name="prediction">What the decoder foretells.</param>
    /// <returns>The same shape as the latent, owned by the caller's dispose scope.</returns>
    public static Tensor Target(Tensor latent, Tensor noise, Tensor signalLeft, PredictionKind prediction)
    {
        ArgumentNullException.ThrowIfNull(latent);
        ArgumentNullException.ThrowIfNull(noise);
        return prediction switch
        {
            PredictionKind.Velocity => NoiseSchedule.Velocity(latent, noise, signalLeft),
            PredictionKind.Sample => latent.alias(),
            _ => noise.alias(),
        };
    }

    /// <summary>The mean squared error of each sample.</summary>
    /// <param name="predicted">[batch, ...]</param>
    /// <param name="target">The same shape.</param>
    /// <returns>[batch] float32, owned by the caller's dispose scope.</returns>
    public static Tensor PerSample(Tensor predicted, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(target);
        using var scope = NewDisposeScope();
        return (predicted.to(ScalarType.Float32) - target.to(ScalarType.Float32)).square()
            .flatten(1).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>The weight of each sample.</summary>
    /// <param name="signalLeft">[batch], the entries of <see cref="NoiseSchedule.SignalTable"/> at the time steps.</param>
    /// <param name="prediction">What the decoder foretells: velocity already weighs by the ratio plus one.</param>
    /// <param name="gamma">The ratio above which a level counts no more.</param>
    /// <returns>[batch] float32, owned by the caller's dispose scope.</returns>
    public static Tensor Weights(Tensor signalLeft, PredictionKind prediction, double gamma = Gamma)
    {
        ArgumentNullException.ThrowIfNull(signalLeft);
        using var scope = NewDisposeScope();
        var ratio = signalLeft / (1 - signalLeft);
        var capped = ratio.clamp_max(gamma);
        var weights = prediction switch
        {
            PredictionKind.Velocity => capped / (ratio + 1),
            PredictionKind.Sample => capped,
            _ => capped / ratio.clamp_min(1e-12),   // the last level may hold no signal at all
        };
        return weights.MoveToOuterDisposeScope();
    }

    /// <summary>The weighed mean over a batch.</summary>
    /// <param name="predicted">[batch, ...]</param>
    /// <param name="target">The same shape, from <see cref="Target"/>.</param>
    /// <param name="signalLeft">[batch], the entries of <see cref="NoiseSchedule.SignalTable"/> at the time steps.</param>
    /// <param name="prediction">What the decoder foretells.</param>
    /// <param name="rule">How noise levels are weighed.</param>
    /// <returns>A scalar, float32, owned by the caller's dispose scope.</returns>
    public static Tensor Mean(
        Tensor predicted, Tensor target, Tensor signalLeft, PredictionKind prediction = PredictionKind.Epsilon, SnrRule rule = SnrRule.MinSnr)
    {
        using var scope = NewDisposeScope();
        var errors = PerSample(predicted, target);
        var loss = rule switch
        {
            SnrRule.None => errors.mean(),
            SnrRule.Repository => errors.mean() * Weights(signalLeft, prediction).mean(),
            _ => (errors * Weights(signalLeft, prediction)).mean(),
        };
        return loss.MoveToOuterDisposeScope();
    }
}
