using NextGpt.Model.Weights;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>A checkpoint whose weight-normalised layers are read as plain ones.</summary>
/// <remarks>
/// Salimans and Kingma 2016, equation 2: weight = length · direction / |direction|, per entry of the first dimension.
/// PyTorch stores length and direction as <c>weight_g</c> and <c>weight_v</c>, since 2.0 also as
/// <c>parametrizations.weight.original0</c> and <c>original1</c>. Tensors without such a pair pass through.
/// </remarks>
internal sealed class WeightNormSource : ITensorSource
{
    private static readonly (string Length, string Direction)[] Generations =
        [("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")];

    private readonly ITensorSource _stored;
    private readonly Dictionary<string, (string Length, string Direction)> _pairs = new(StringComparer.Ordinal);

    /// <summary>Wraps a checkpoint and owns it.</summary>
    /// <exception cref="InvalidDataException">A layer has a length without a direction, or the other way round, or both do not fit.</exception>
    internal WeightNormSource(ITensorSource stored)
    {
        _stored = stored;
        var tensors = new Dictionary<string, TensorInfo>(StringComparer.Ordinal);
        foreach (var (name, info) in stored.Tensors)
        {
            if (Pair(name) is not { } pair)
            {
                tensors.Add(name, info);
                continue;
            }

            if (!stored.Tensors.TryGetValue(pair.Length, out var length)
                || !stored.Tensors.TryGetValue(pair.Direction, out var direction) || direction.Shape.Count == 0
                || length.Count != direction.Shape[0])
            {
                throw new InvalidDataException(
                    $"{stored.Name}: {name} belongs to a weight-normalised layer; it needs both {pair.Length} and "
                    + $"{pair.Direction}, the first with one number per row of the second.");
            }

            _pairs[pair.Weight] = (pair.Length, pair.Direction);
            tensors[pair.Weight] = direction;
        }

        Tensors = tensors;
    }

    /// <inheritdoc/>
    public string Name => _stored.Name;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        if (!_pairs.TryGetValue(name, out var pair))
        {
            _stored.Read(name, destination);
            return;
        }

        var lengths = new float[_stored.Tensors[pair.Length].Count];
        _stored.Read(pair.Length, lengths);
        _stored.Read(pair.Direction, destination);
        var size = destination.Length / lengths.Length;
        for (var row = 0; row < lengths.Length; row++)
        {
            var direction = destination.Slice(row * size, size);
            var square = 0.0;
            foreach (var value in direction)
            {
                square += (double)value * value;
            }

            var factor = square > 0 ? (float)(lengths[row] / Math.Sqrt(square)) : 0;
            foreach (ref var value in direction)
            {
                value *= factor;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();

    private static (string Weight, string Length, string Direction)? Pair(string name)
    {
        foreach (var (length, direction) in Generations)
        {
            var end = name.EndsWith('.' + length, StringComparison.Ordinal) ? length
                : name.EndsWith('.' + direction, StringComparison.Ordinal) ? direction
                : null;
            if (end is not null)
            {
                var layer = name[..^end.Length];
                return (layer + "weight", layer + length, layer + direction);
            }
        }

        return null;
    }
}
