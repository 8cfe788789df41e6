using NextGpt.Model.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Optimisation;

/// <summary>How <see cref="FlatAdamW"/> steps.</summary>
public sealed record FlatAdamWOptions
{
    /// <summary>Share of the old first moment that is kept.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Share of the old second moment that is kept.</summary>
    public double SecondMomentum { get; init; } = 0.99;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay of matrices and convolutions.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Largest length of the whole gradient; longer ones are shortened to it.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Share of the old running average of the weights that is kept; 0 keeps no average.</summary>
    public double AverageDecay { get; init; } = 0.999;
}

/// <summary>AdamW with clipping and a running average of the weights, over one long vector.</summary>
/// <remarks>
/// Loshchilov and Hutter 2019, algorithm 2. All weights live once more as one float32 vector, so that a step is a dozen
/// operators whatever the number of layers, and so that the network itself may be bfloat16. A gradient with not-a-number
/// changes nothing and is counted. Nothing is read back from the device; ask <see cref="ReadHealth"/> now and then. Not
/// thread-safe.
/// </remarks>
public sealed class FlatAdamW : IDisposable
{
    private readonly (string Name, Parameter Parameter)[] _parameters;
    private readonly FlatAdamWOptions _options;
    private readonly Tensor _master, _first, _second, _rates, _decays;
    private readonly Tensor? _average;
    private readonly Tensor[] _masterViews;
    private readonly Tensor[]? _averageViews;
    private readonly Tensor _norms, _skipped;

    /// <summary>Takes the weights as they are.</summary>
    /// <param name="parameters">What shall change; on their final device.</param>
    /// <param name="options">How.</param>
    /// <param name="rateScale">Multiplies the learning rate of a weight, by its name; null is one for all.</param>
    public FlatAdamW(
        IEnumerable<(string Name, Parameter Parameter)> parameters, FlatAdamWOptions options, Func<string, double>? rateScale = null)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _parameters = [.. parameters];
        _options = options;
        var device = _parameters[0].Parameter.device;
        _master = Keep(cat([.. _parameters.Select(entry => entry.Parameter.to(ScalarType.Float32).reshape(-1))]));
        _first = Keep(zeros_like(_master));
        _second = Keep(zeros_like(_master));
        _average = options.AverageDecay > 0 ? Keep(_master.clone()) : null;
        _rates = Keep(PerWeight(entry => rateScale?.Invoke(entry.Name) ?? 1, device));
        _decays = Keep(PerWeight(
            entry => entry.Parameter.dim() >= 2 && !entry.Name.Contains("embedding.weight", StringComparison.Ordinal) ? 1 : 0, device));
        _masterViews = Views(_master);
        _averageViews = _average is null ? null : Views(_average);
        _norms = Keep(zeros(1, device: device));
        _skipped = Keep(zeros(1, device: device));
    }

    /// <summary>Steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Takes a step with the gradients that lie in the weights, and clears them.</summary>
    /// <param name="learningRate">Step size.</param>
    public void Step(double learningRate)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Steps++;
        var gradient = cat([.. _parameters.Select(entry =>
            (entry.Parameter.grad ?? zeros_like(entry.Parameter)).reshape(-1))]).to(ScalarType.Float32);
        var norm = gradient.norm();
        var sound = norm.isfinite();
        var factor = (_options.MaxGradientNorm / (norm + 1e-6)).clamp(max: 1);
        gradient = where(sound, gradient * factor, zeros(1, device: gradient.device));
        _norms.add_(where(sound, norm, zeros_like(norm)));
        _skipped.add_(sound.logical_not().to(ScalarType.Float32));

        _first.mul_(_options.Momentum).add_(gradient, 1 - _options.Momentum);
        _second.mul_(_options.SecondMomentum).addcmul_(gradient, gradient, 1 - _options.SecondMomentum);
        var size = (_second / (1 - Math.Pow(_options.SecondMomentum, Steps))).sqrt_().add_(_options.Epsilon);
        var step = (_first / size).mul_(learningRate / (1 - Math.Pow(_options.Momentum, Steps)));
        step.addcmul_(_master, _decays, learningRate * _options.WeightDecay);
        _master.addcmul_(step, _rates, -1);

        if (_average is not null)
        {
            var decay = Math.Min(_options.AverageDecay, (1.0 + Steps) / (10.0 + Steps));   // young averages forget quickly
            _average.mul_(decay).add_(_master, 1 - decay);
        }

        CopyIntoNetwork(_masterViews);
        foreach (var (_, parameter) in _parameters)
        {
            parameter.grad = null;
        }
    }

    /// <summary>Puts the running average into the network until the result is disposed.</summary>
    public IDisposable UseAverage()
    {
        CopyIntoNetwork(_averageViews ?? _masterViews);
        return new Restoration(this);
    }

    /// <summary>Mean gradient length since the last call, and how many steps were skipped for not-a-number.</summary>
    /// <param name="steps">Steps since the last call.</param>
    public (double Norm, int Skipped) ReadHealth(int steps)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var health = ((double)_norms.item<float>() / Math.Max(1, steps), (int)_skipped.item<float>());
        _norms.zero_();
        _skipped.zero_();
        return health;
    }

    /// <summary>Adds everything a resumed run needs.</summary>
    /// <param name="writer">Takes the tensors; they must stay alive until it is saved.</param>
    public void Save(SafetensorsWriter writer)
    {
        writer.Add("optimiser.master", _master);
        writer.Add("optimiser.first", _first);
        writer.Add("optimiser.second", _second);
        if (_average is not null)
        {
            writer.Add("optimiser.average", _average);
        }

        writer.Metadata["optimiser.steps"] = Steps.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Goes back to what <see cref="Save"/> wrote, exactly.</summary>
    /// <param name="file">The checkpoint.</param>
    /// <exception cref="InvalidDataException">The checkpoint is of another network.</exception>
    public void Load(SafetensorsFile file)
    {
        using var noGradient = no_grad();
        Read(file, "optimiser.master", _master);
        Read(file, "optimiser.first", _first);
        Read(file, "optimiser.second", _second);
        if (_average is not null)
        {
            Read(file, "optimiser.average", _average);
        }

        Steps = int.Parse(file.Metadata["optimiser.steps"], System.Globalization.CultureInfo.InvariantCulture);
        CopyIntoNetwork(_masterViews);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tensor?[] all = [.. _masterViews, .. _averageViews ?? [], _master, _first, _second, _average, _rates, _decays, _norms, _skipped];
        foreach (var tensor in all)
        {
            tensor?.Dispose();
        }
    }

    private static Tensor Keep(Tensor tensor) => tensor.DetachFromDisposeScope();

    private static void Read(SafetensorsFile file, string name, Tensor target)
    {
        if (!file.Tensors.TryGetValue(name, out var info) || info.Count != target.numel())
        {
            throw new InvalidDataException(
                $"{file.Name} does not belong to this network: {name} has {info?.Count ?? 0} numbers, {target.numel()} were expected.");
        }

        var values = new float[info.Count];
        file.Read(name, values);
        using var scope = NewDisposeScope();
        target.copy_(tensor(values));
    }

    private Tensor PerWeight(Func<(string Name, Parameter Parameter), double> value, Device device) =>
        cat([.. _parameters.Select(entry => full(entry.Parameter.numel(), (float)value(entry), device: device))]);

    private Tensor[] Views(Tensor flat)
    {
        var views = new Tensor[_parameters.Length];
        var at = 0L;
        for (var index = 0; index < views.Length; index++)
        {
            var parameter = _parameters[index].Parameter;
            using var part = flat.narrow(0, at, parameter.numel());
            views[index] = Keep(part.view(parameter.shape));
            at += parameter.numel();
        }

        return views;
    }

    private void CopyIntoNetwork(Tensor[] views)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        for (var index = 0; index < views.Length; index++)
        {
            _parameters[index].Parameter.copy_(views[index]);
        }
    }

    private sealed class Restoration(FlatAdamW owner) : IDisposable
    {
        public void Dispose() => owner.CopyIntoNetwork(owner._masterViews);
    }
}
