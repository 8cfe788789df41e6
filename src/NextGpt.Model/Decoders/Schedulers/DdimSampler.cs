using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>Implicit sampling, deterministic unless noise is asked for (Song et al. 2021, equation 12).</summary>
internal sealed class DdimSampler : Sampler
{
    internal DdimSampler(SchedulerConfig config, int steps)
        : base(config, steps)
    {
        Timesteps = Rounded(Spaced(config, steps));
    }

    public override Tensor Step(Tensor prediction, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var time = (int)Timesteps[index];
        var now = SignalAt(time);
        var next = SignalAt(time - (Config.TrainSteps / StepCount));
        var (signal, spread) = (Math.Sqrt(now), Math.Sqrt(1 - now));

        var (clean, direction) = Config.Prediction switch
        {
            PredictionKind.Epsilon => ((sample - spread * prediction) / signal, prediction),
            PredictionKind.Velocity => (signal * sample - spread * prediction, signal * prediction + spread * sample),
            _ => (prediction, (sample - signal * prediction) / spread),
        };
        if (Config.ClipRange is { } range)
        {
            clean = clean.clamp(-range, range);
        }

        var variance = (1 - next) / (1 - now) * (1 - (now / next));
        var deviation = Config.Eta * Math.Sqrt(Math.Max(variance, 0));
        var result = Math.Sqrt(next) * clean + Math.Sqrt(Math.Max(1 - next - (deviation * deviation), 0)) * direction;
        if (deviation > 0)
        {
            result = result + deviation * (noise ?? throw new ArgumentNullException(
                nameof(noise), "This sampler adds fresh noise in every step; pass unit noise of the sample's shape."));
        }

        return result.MoveToOuterDisposeScope();
    }
}
