using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>Euler steps along the noise scale (Karras et al. 2022, algorithm 2 without churn).</summary>
internal sealed class EulerSampler : Sampler
{
    private readonly double[] _sigmas;   // one more than time steps; the last is what remains at the end

    internal EulerSampler(SchedulerConfig config, int steps)
        : base(config, steps)
    {
        var timesteps = config.Spacing == TimestepSpacing.Linspace
            ? Spaced(config, steps)
            : Rounded(Spaced(config, steps));
        double[] sigmas = [.. timesteps.Select(SigmaAt)];
        if (config.KarrasSigmas)
        {
            sigmas = KarrasSigmas(sigmas[0], sigmas[^1], steps);
            timesteps = [.. sigmas.Select(TimestepOf)];
        }

        Timesteps = timesteps;
        _sigmas = [.. sigmas, config.SmallestSigmaAtEnd ? Schedule.Sigma(0) : 0];
    }

    public override double InitialNoiseScale => Config.Spacing == TimestepSpacing.Leading
        ? Math.Sqrt((_sigmas[0] * _sigmas[0]) + 1)
        : _sigmas[0];

    public override Tensor ScaleInput(Tensor sample, int index) =>
        sample / Math.Sqrt((_sigmas[index] * _sigmas[index]) + 1);

    public override Tensor Step(Tensor prediction, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var (sigma, next) = (_sigmas[index], _sigmas[index + 1]);
        var clean = Config.Prediction switch
        {
            PredictionKind.Epsilon => sample - sigma * prediction,
            PredictionKind.Velocity =>
                prediction * (-sigma / Math.Sqrt((sigma * sigma) + 1)) + sample / ((sigma * sigma) + 1),
            _ => prediction,
        };
        var slope = (sample - clean) / sigma;
        return (sample + slope * (next - sigma)).MoveToOuterDisposeScope();
    }
}
