using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>Multistep DPM-Solver++ of order one to three; good pictures in ten to twenty steps (Lu et al. 2022).</summary>
internal sealed class DpmSolverSampler : Sampler
{
    private readonly double[] _sigmas;             // one more than time steps; the last is what remains at the end
    private readonly List<Tensor> _cleans = [];    // clean predictions of the last steps, newest last; owned

    internal DpmSolverSampler(SchedulerConfig config, int steps)
        : base(config, steps)
    {
        double[] timesteps, sigmas;
        if (config.KarrasSigmas)
        {
            sigmas = KarrasSigmas(Schedule.Sigma(Schedule.Steps - 1), Schedule.Sigma(0), steps);
            timesteps = [.. sigmas.Select(TimestepOf)];
            timesteps = config.BetaSchedule == BetaSchedule.SquaredCosine
                ? [.. timesteps.Select(Math.Truncate)]
                : Rounded(timesteps);
        }
        else
        {
            timesteps = Rounded(Spaced(config, steps, oneMore: config.Spacing != TimestepSpacing.Trailing));
            sigmas = [.. timesteps.Select(SigmaAt)];
        }

        Timesteps = timesteps;
        _sigmas = [.. sigmas, config.SmallestSigmaAtEnd ? Schedule.Sigma(0) : 0];
    }

    public override Tensor Step(Tensor prediction, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var (alpha, spread) = Parts(_sigmas[index]);
        var clean = Config.Prediction switch
        {
            PredictionKind.Epsilon => (sample - spread * prediction) / alpha,
            PredictionKind.Velocity => alpha * sample - spread * prediction,
            _ => prediction,
        };
        Remember(clean);
        return (Order(index) switch
        {
            1 => FirstOrder(sample, index),
            2 => SecondOrder(sample, index),
            _ => ThirdOrder(sample, index),
        }).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cleans.ForEach(clean => clean.Dispose());
            _cleans.Clear();
        }

        base.Dispose(disposing);
    }

    private void Remember(Tensor clean)
    {
        if (_cleans.Count == Config.SolverOrder)
        {
            _cleans[0].Dispose();
            _cleans.RemoveAt(0);
        }

        _cleans.Add(clean.alias().DetachFromDisposeScope());
    }

    private int Order(int index)
    {
        var count = Timesteps.Count;
        var few = Config.LowerOrderFinal && count < 15;
        if (index == count - 1 && (Config.EulerAtFinal || few || !Config.SmallestSigmaAtEnd))
        {
            return 1;
        }

        var limit = index == count - 2 && few ? 2 : Config.SolverOrder;
        return Math.Min(limit, _cleans.Count);
    }

    // Signal and noise part of a variance-preserving sample with this noise scale.
    private static (double Alpha, double Spread) Parts(double sigma)
    {
        var alpha = 1 / Math.Sqrt((sigma * sigma) + 1);
        return (alpha, sigma * alpha);
    }

    // Half the logarithm of the signal-to-noise ratio: log(alpha / spread) = -log(sigma).
    private double Lambda(int index) => -Math.Log(_sigmas[index]);

    private (double Ratio, double Alpha, double Decay, double Step) Terms(int index)
    {
        var (alpha, spread) = Parts(_sigmas[index + 1]);
        var step = Lambda(index + 1) - Lambda(index);
        return (spread / Parts(_sigmas[index]).Spread, alpha, Math.Exp(-step) - 1, step);
    }

    private Tensor FirstOrder(Tensor sample, int index)
    {
        var (ratio, alpha, decay, _) = Terms(index);
        return ratio * sample - (alpha * decay) * _cleans[^1];
    }

    private Tensor SecondOrder(Tensor sample, int index)
    {
        var (ratio, alpha, decay, step) = Terms(index);
        var slope = (_cleans[^1] - _cleans[^2]) * (step / (Lambda(index) - Lambda(index - 1)));
        var weight = Config.HeunSolver ? alpha * ((decay / step) + 1) : -0.5 * alpha * decay;
        return ratio * sample - (alpha * decay) * _cleans[^1] + weight * slope;
    }

    private Tensor ThirdOrder(Tensor sample, int index)
    {
        var (ratio, alpha, decay, step) = Terms(index);
        var near = (Lambda(index) - Lambda(index - 1)) / step;
        var far = (Lambda(index - 1) - Lambda(index - 2)) / step;
        var nearSlope = (_cleans[^1] - _cleans[^2]) / near;
        var farSlope = (_cleans[^2] - _cleans[^3]) / far;
        var slope = nearSlope + (near / (near + far)) * (nearSlope - farSlope);
        var bend = (nearSlope - farSlope) / (near + far);
        return ratio * sample
            - (alpha * decay) * _cleans[^1]
            + (alpha * ((decay / step) + 1)) * slope
            - (alpha * (((decay + step) / (step * step)) - 0.5)) * bend;
    }
}
