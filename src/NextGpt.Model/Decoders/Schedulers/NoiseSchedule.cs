using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>The forward process: how much of a sample is left after each training step, and how to get there at once.</summary>
/// <remarks>Ho et al. 2020, equation 4; velocity from Salimans and Ho 2022, section 4.</remarks>
public sealed class NoiseSchedule
{
    /// <summary>Computes the schedule.</summary>
    /// <param name="config">Its numbers.</param>
    public NoiseSchedule(SchedulerConfig config)
    {
        var betas = Betas(config);
        if (config.ZeroTerminalSignal)
        {
            RescaleToZeroTerminalSignal(betas);
        }

        var cumulative = new double[betas.Length];
        var product = 1.0;
        for (var step = 0; step < betas.Length; step++)
        {
            product *= 1 - betas[step];
            cumulative[step] = product;
        }

        if (config.ZeroTerminalSignal && config.Kind is SamplerKind.Euler or SamplerKind.DpmSolver)
        {
            cumulative[^1] = Math.Max(cumulative[^1], Math.Pow(2, -24));   // their noise scale must stay finite
        }

        Variances = betas;
        SignalLeft = cumulative;
    }

    /// <summary>Variance added per training step (beta).</summary>
    public IReadOnlyList<double> Variances { get; }

    /// <summary>Share of the sample's variance that is left after each step (the cumulative product of 1 − beta).</summary>
    public IReadOnlyList<double> SignalLeft { get; }

    /// <summary>Number of training steps.</summary>
    public int Steps => SignalLeft.Count;

    /// <summary>The noise scale sqrt((1 − a) / a) of a step.</summary>
    /// <param name="step">0..Steps − 1</param>
    public double Sigma(int step) => Math.Sqrt((1 - SignalLeft[step]) / SignalLeft[step]);

    /// <summary>A table of <see cref="SignalLeft"/> on a device, to be looked up with time steps there.</summary>
    /// <param name="device">Where it shall lie.</param>
    /// <returns>[steps] float32, owned by the caller's dispose scope.</returns>
    public Tensor SignalTable(Device device)
    {
        using var scope = NewDisposeScope();
        var table = tensor(SignalLeft.Select(value => (float)value).ToArray());
        return table.to(device).alias().MoveToOuterDisposeScope();
    }

    /// <summary>A sample after some steps: what is left of it plus noise.</summary>
    /// <param name="sample">[batch, ...]</param>
    /// <param name="noise">The same shape, unit normal.</param>
    /// <param name="signalLeft">[batch], the entries of <see cref="SignalTable"/> at the time steps.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public static Tensor AddNoise(Tensor sample, Tensor noise, Tensor signalLeft)
    {
        using var scope = NewDisposeScope();
        var (signal, spread) = Factors(sample, signalLeft);
        return (signal * sample + spread * noise).MoveToOuterDisposeScope();
    }

    /// <summary>The training target of velocity prediction.</summary>
    /// <param name="sample">[batch, ...]</param>
    /// <param name="noise">The same shape, unit normal.</param>
    /// <param name="signalLeft">[batch], the entries of <see cref="SignalTable"/> at the time steps.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public static Tensor Velocity(Tensor sample, Tensor noise, Tensor signalLeft)
    {
        using var scope = NewDisposeScope();
        var (signal, spread) = Factors(sample, signalLeft);
        return (signal * noise - spread * sample).MoveToOuterDisposeScope();
    }

    /// <summary>A sample plus noise that grows while the sample stays, the form Euler's sampler and its training use.</summary>
    /// <param name="sample">[batch, ...]</param>
    /// <param name="noise">The same shape, unit normal.</param>
    /// <param name="signalLeft">[batch], the entries of <see cref="SignalTable"/> at the time steps.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public static Tensor AddGrowingNoise(Tensor sample, Tensor noise, Tensor signalLeft)
    {
        using var scope = NewDisposeScope();
        var (signal, spread) = Factors(sample, signalLeft);
        return (sample + spread / signal * noise).MoveToOuterDisposeScope();
    }

    private static (Tensor Signal, Tensor Spread) Factors(Tensor sample, Tensor signalLeft)
    {
        var shape = Enumerable.Repeat(1L, (int)sample.dim()).ToArray();
        shape[0] = -1;
        var left = signalLeft.view(shape);
        return (left.sqrt(), (1 - left).sqrt());
    }

    private static double[] Betas(SchedulerConfig config)
    {
        var count = config.TrainSteps;
        return config.BetaSchedule switch
        {
            BetaSchedule.ScaledLinear =>
                [.. Spread(Math.Sqrt(config.BetaStart), Math.Sqrt(config.BetaEnd), count).Select(root => root * root)],
            BetaSchedule.SquaredCosine =>
                [.. Enumerable.Range(0, count).Select(step => Math.Min(
                    1 - Cosine((step + 1.0) / count) / Cosine((double)step / count), 0.999))],
            _ => [.. Spread(config.BetaStart, config.BetaEnd, count)],
        };
    }

    private static double Cosine(double time) => Math.Pow(Math.Cos((time + 0.008) / 1.008 * Math.PI / 2), 2);

    private static IEnumerable<double> Spread(double first, double last, int count) =>
        Enumerable.Range(0, count).Select(index => first + (last - first) * index / (count - 1));

    // Lin et al. 2024, algorithm 1: shifts and scales the square roots so that the last is zero and the first stays.
    private static void RescaleToZeroTerminalSignal(double[] betas)
    {
        var roots = new double[betas.Length];
        var product = 1.0;
        for (var step = 0; step < betas.Length; step++)
        {
            product *= 1 - betas[step];
            roots[step] = Math.Sqrt(product);
        }

        var (first, last) = (roots[0], roots[^1]);
        var before = 1.0;
        for (var step = 0; step < betas.Length; step++)
        {
            var root = (roots[step] - last) * first / (first - last);
            var left = root * root;
            betas[step] = 1 - left / before;
            before = left;
        }
    }
}
