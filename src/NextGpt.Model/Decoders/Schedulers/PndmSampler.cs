using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>Linear multistep sampling; its second time step is visited twice (Liu et al. 2022, equations 9, 12, 13).</summary>
internal sealed class PndmSampler : Sampler
{
    private readonly List<Tensor> _predictions = [];   // the last four at most, newest last; owned
    private Tensor? _first;                            // the sample before the first step; owned

    internal PndmSampler(SchedulerConfig config, int steps)
        : base(config, steps)
    {
        var spaced = Rounded(Spaced(config, steps));
        Timesteps = steps == 1 ? spaced : [spaced[0], spaced[1], spaced[1], .. spaced[2..]];
    }

    public override Tensor Step(Tensor prediction, Tensor sample, int index, Tensor? noise = null)
    {
        using var scope = NewDisposeScope();
        var stride = Config.TrainSteps / StepCount;
        var time = (int)Timesteps[index];
        var next = time - stride;
        if (index == 1)
        {
            (time, next) = (time + stride, time);   // the first interval once more, with the mean of both ends
        }
        else
        {
            Remember(prediction);
        }

        Tensor mixed;
        if (index == 0)
        {
            mixed = prediction;
            _first = sample.alias().DetachFromDisposeScope();
        }
        else if (index == 1)
        {
            mixed = (prediction + _predictions[^1]) / 2;
            sample = _first!;   // set by the first step, which always comes before
        }
        else
        {
            mixed = _predictions.Count switch
            {
                2 => (3 * _predictions[^1] - _predictions[^2]) / 2,
                3 => (23 * _predictions[^1] - 16 * _predictions[^2] + 5 * _predictions[^3]) / 12,
                _ => (55 * _predictions[^1] - 59 * _predictions[^2] + 37 * _predictions[^3] - 9 * _predictions[^4]) / 24,
            };
        }

        return Transfer(sample, time, next, mixed).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _predictions.ForEach(prediction => prediction.Dispose());
            _predictions.Clear();
            _first?.Dispose();
            _first = null;
        }

        base.Dispose(disposing);
    }

    private void Remember(Tensor prediction)
    {
        if (_predictions.Count == 4)
        {
            _predictions[0].Dispose();
            _predictions.RemoveAt(0);
        }

        _predictions.Add(prediction.alias().DetachFromDisposeScope());
    }

    private Tensor Transfer(Tensor sample, int time, int next, Tensor prediction)
    {
        var (now, then) = (SignalAt(time), SignalAt(next));
        if (Config.Prediction == PredictionKind.Velocity)
        {
            prediction = Math.Sqrt(now) * prediction + Math.Sqrt(1 - now) * sample;
        }

        var denominator = (now * Math.Sqrt(1 - then)) + Math.Sqrt(now * (1 - now) * then);
        return Math.Sqrt(then / now) * sample - ((then - now) / denominator) * prediction;
    }
}
