using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Losses;

/// <summary>Draws time steps and noise for a step of training a decoder that foretells velocity.</summary>
/// <remarks>
/// Time steps are mostly logit-normal (Esser et al. 2024, section 3.1), the rest all alike, and spread evenly over every batch.
/// </remarks>
internal static class NoisyLatents
{
    // Where most time steps lie, as a share of all: with fewer high ones forms are not learnt, with more of them colours are not.
    private const double PictureMedian = 0.57;
    private const double AnyTimeShare = 0.1;

    /// <summary>Draws.</summary>
    /// <param name="latents">[batch, ...] float32, scaled.</param>
    /// <param name="signal">[steps], from <see cref="NoiseSchedule.SignalTable"/>.</param>
    /// <param name="random">The step's numbers.</param>
    /// <param name="median">Where most time steps lie, as a share of all.</param>
    /// <returns>The noisy latents, [batch] int64 time steps and the velocities, owned by the caller's dispose scope.</returns>
    internal static (Tensor Noisy, Tensor Times, Tensor Target) Draw(
        Tensor latents, Tensor signal, StepRandom random, double median = PictureMedian)
    {
        using var scope = NewDisposeScope();
        var (batch, steps) = (latents.shape[0], signal.numel());

        // Each sample gets its time from its own slice of the range, so that no batch leans to one side.
        var even = ((arange(batch, ScalarType.Float32, latents.device) + random.Uniform(batch)) / batch).clamp(1e-6, 1 - 1e-6);
        var bell = ((((2 * even) - 1).erfinv() * Math.Sqrt(2)) + Math.Log(median / (1 - median))).sigmoid();
        var share = where(random.Uniform(batch) < AnyTimeShare, even, bell);
        var times = (share * steps).floor().clamp(0, steps - 1).to(ScalarType.Int64);
        var left = signal.index_select(0, times);
        var noise = random.Normal(latents.shape);
        var noisy = NoiseSchedule.AddNoise(latents, noise, left);
        var target = NoiseSchedule.Velocity(latents, noise, left);
        return (noisy.MoveToOuterDisposeScope(), times.MoveToOuterDisposeScope(), target.MoveToOuterDisposeScope());
    }
}
