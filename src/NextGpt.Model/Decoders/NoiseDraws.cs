using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>Unit noise for the rows of a batch, each from a seed of its own.</summary>
/// <param name="seeds">One per row.</param>
internal sealed class NoiseDraws(IReadOnlyList<long> seeds) : IDisposable
{
    private readonly Generator[] _generators = [.. seeds.Select(seed => new Generator((ulong)seed))];

    /// <summary>Draws the next noise of every row.</summary>
    /// <param name="shape">Of one row.</param>
    /// <returns>[rows, .. shape] float32 on the CPU, owned by the caller's dispose scope.</returns>
    internal Tensor Normal(long[] shape)
    {
        using var scope = NewDisposeScope();
        return stack(_generators.Select(generator => randn(shape, generator: generator)).ToArray()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var generator in _generators)
        {
            generator.Dispose();
        }
    }
}
