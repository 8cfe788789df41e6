using static TorchSharp.torch;

namespace NextGpt.Tuning.Optimisation;

/// <summary>Random numbers whose address is a seed and a step, so that a resumed run draws what the broken one would have.</summary>
/// <remarks>
/// On the CPU the numbers come from a generator of its own. The network library makes no generators for a GPU; there the
/// device's one generator is seeded anew for every step, which is why nothing else may draw on it while a run trains.
/// </remarks>
public sealed class StepRandom : IDisposable
{
    private readonly Device _device;
    private readonly ulong _seed;
    private readonly Generator? _own;

    /// <summary>Makes a source.</summary>
    /// <param name="device">Where the numbers shall lie.</param>
    /// <param name="seed">The run's seed.</param>
    public StepRandom(Device device, int seed)
    {
        _device = device;
        _seed = (ulong)seed;
        _own = device.type == TorchSharp.DeviceType.CPU ? new Generator() : null;
    }

    /// <summary>Goes to a step's numbers.</summary>
    /// <param name="step">Any whole number; the same step gives the same numbers.</param>
    public void Begin(long step)
    {
        // SplitMix64 (Steele et al. 2014): neighbouring steps get unrelated seeds.
        var mixed = (_seed * 0x9E3779B97F4A7C15) + (((ulong)step + 1) * 0xBF58476D1CE4E5B9);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        var address = (long)((mixed ^ (mixed >> 31)) & long.MaxValue);
        if (_own is not null)
        {
            _own.manual_seed(address);
        }
        else
        {
            manual_seed(address).Dispose();
        }
    }

    /// <summary>Unit normal numbers.</summary>
    /// <param name="shape">Any shape.</param>
    public Tensor Normal(params long[] shape) => randn(shape, device: _device, generator: _own);

    /// <summary>Numbers from 0 up to but not including 1.</summary>
    /// <param name="shape">Any shape.</param>
    public Tensor Uniform(params long[] shape) => rand(shape, device: _device, generator: _own);

    /// <summary>Whole numbers from 0 up to but not including a limit.</summary>
    /// <param name="limit">The limit.</param>
    /// <param name="count">How many.</param>
    /// <returns>[count] int64</returns>
    public Tensor Whole(long limit, long count) =>
        randint(limit, [count], ScalarType.Int64, _device, generator: _own);

    /// <summary>Places drawn in proportion to weights, with repetition.</summary>
    /// <param name="cumulative">[places] float64, the weights summed up.</param>
    /// <param name="count">How many.</param>
    /// <returns>[count] int64</returns>
    public Tensor Weighted(Tensor cumulative, long count)
    {
        using var scope = NewDisposeScope();
        var wanted = rand([count], ScalarType.Float64, _device, generator: _own) * cumulative[-1];
        return searchsorted(cumulative, wanted, right: true).clamp(max: cumulative.numel() - 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();
}
