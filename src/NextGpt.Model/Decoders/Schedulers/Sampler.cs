using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>One run from noise to a sample; holds what a run must remember, so it serves one run only.</summary>
/// <remarks>
/// Numbers are computed on the host in double precision and enter the tensors as scalars, so a step causes no
/// synchronisation with a GPU. Follows the schedulers of diffusers step by step.
/// </remarks>
public abstract class Sampler : IDisposable
{
    private protected Sampler(SchedulerConfig config, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (steps > config.TrainSteps)
        {
            throw new ArgumentOutOfRangeException(
                nameof(steps), steps, $"A run has at most as many steps as the training had ({config.TrainSteps}).");
        }

        Config = config;
        Schedule = new NoiseSchedule(config);
        StepCount = steps;
    }

    /// <summary>The time step of every call of the network, noisiest first.</summary>
    public IReadOnlyList<double> Timesteps { get; private protected init; } = [];

    /// <summary>What unit noise is multiplied with before the first step.</summary>
    public virtual double InitialNoiseScale => 1;

    private protected SchedulerConfig Config { get; }

    private protected NoiseSchedule Schedule { get; }

    private protected int StepCount { get; }

    /// <summary>Makes the sampler a configuration asks for.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="steps">Steps of the run, 1 to the training's.</param>
    public static Sampler Create(SchedulerConfig config, int steps) => config.Kind switch
    {
        SamplerKind.Ddim => new DdimSampler(config, steps),
        SamplerKind.Ddpm => new DdimSampler(config with { Eta = 1 }, steps),   // the same posterior, written as DDIM
        SamplerKind.Pndm => new PndmSampler(config, steps),
        SamplerKind.Euler => new EulerSampler(config, steps),
        SamplerKind.DpmSolver => new DpmSolverSampler(config, steps),
        _ => throw new ArgumentException($"{config.Kind} is not a sampler.", nameof(config)),
    };

    /// <summary>Scales a sample to what the network expects.</summary>
    /// <param name="sample">Any shape.</param>
    /// <param name="index">Which call, 0..Timesteps.Count − 1.</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public virtual Tensor ScaleInput(Tensor sample, int index) => sample.alias();

    /// <summary>Takes one step.</summary>
    /// <param name="prediction">What the network said.</param>
    /// <param name="sample">The sample before the step (not scaled).</param>
    /// <param name="index">Which call, 0..Timesteps.Count − 1, in order.</param>
    /// <param name="noise">Unit noise of the same shape; only samplers that add noise need it.</param>
    /// <returns>The sample after the step, owned by the caller's dispose scope.</returns>
    public abstract Tensor Step(Tensor prediction, Tensor sample, int index, Tensor? noise = null);

    /// <summary>Releases what the run remembered.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases remembered tensors.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>The time steps of a run, noisiest first, before rounding is asked for.</summary>
    private protected static double[] Spaced(SchedulerConfig config, int steps, bool oneMore = false)
    {
        var train = config.TrainSteps;
        var count = oneMore ? steps + 1 : steps;   // DPM-Solver++ leaves out the cleanest of one more
        var all = config.Spacing switch
        {
            TimestepSpacing.Linspace =>
                Enumerable.Range(0, count).Select(index => count == 1 ? 0.0 : (double)(train - 1) * index / (count - 1)).Reverse(),
            TimestepSpacing.Leading =>
                Enumerable.Range(0, count).Select(index => (double)(index * (train / count)) + config.StepsOffset).Reverse(),
            _ => Enumerable.Range(0, steps).Select(index =>
                Math.Round(train - index * ((double)train / steps), MidpointRounding.ToEven) - 1),
        };
        return [.. all.Take(steps)];
    }

    private protected static double[] Rounded(double[] timesteps) =>
        [.. timesteps.Select(time => Math.Round(time, MidpointRounding.ToEven))];

    /// <summary>The share of signal left after a time step, with the end's rule below zero.</summary>
    private protected double SignalAt(int timestep) =>
        timestep >= 0 ? Schedule.SignalLeft[timestep]
        : Config.AlphaOneAtEnd ? 1.0
        : Schedule.SignalLeft[0];

    /// <summary>Linear interpolation of the trained noise scales.</summary>
    private protected double SigmaAt(double timestep)
    {
        var low = Math.Clamp((int)Math.Floor(timestep), 0, Schedule.Steps - 1);
        var high = Math.Min(low + 1, Schedule.Steps - 1);
        var share = timestep - low;
        return (1 - share) * Schedule.Sigma(low) + share * Schedule.Sigma(high);
    }

    /// <summary>Noise scales of Karras et al. 2022, equation 5, between two ends.</summary>
    private protected static double[] KarrasSigmas(double largest, double smallest, int count)
    {
        const double Rho = 7;
        var (from, to) = (Math.Pow(largest, 1 / Rho), Math.Pow(smallest, 1 / Rho));
        return [.. Enumerable.Range(0, count).Select(index =>
            Math.Pow(from + (count == 1 ? 0 : (double)index / (count - 1)) * (to - from), Rho))];
    }

    /// <summary>The (fractional) time step whose noise scale is the given one, interpolated in the logarithm.</summary>
    private protected double TimestepOf(double sigma)
    {
        var wanted = Math.Log(Math.Max(sigma, 1e-10));
        var low = 0;
        for (var step = 0; step < Schedule.Steps && Math.Log(Schedule.Sigma(step)) <= wanted; step++)
        {
            low = step;
        }

        low = Math.Min(low, Schedule.Steps - 2);
        var (lowLog, highLog) = (Math.Log(Schedule.Sigma(low)), Math.Log(Schedule.Sigma(low + 1)));
        var share = Math.Clamp((lowLog - wanted) / (lowLog - highLog), 0, 1);
        return (1 - share) * low + share * (low + 1);
    }
}
