using System.Numerics;
using System.Runtime.InteropServices;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Lora;

/// <summary>Weights with an adapter's corrections added while they are read (Hu et al. 2021, section 4.1), without libtorch.</summary>
internal sealed class MergedSource : ITensorSource
{
    private readonly ITensorSource _source;
    private readonly SafetensorsFile _adapter;
    private readonly double _scale;
    private readonly Dictionary<string, (string Down, string Up)> _corrections = new(StringComparer.Ordinal);

    /// <param name="source">The weights; stay open and belong to the caller.</param>
    /// <param name="folder">Holds the adapter in the layout of peft.</param>
    /// <exception cref="InvalidDataException">The adapter is for another model; names the layer.</exception>
    public MergedSource(ITensorSource source, string folder)
    {
        _source = source;
        _adapter = SafetensorsFile.Open(Path.Combine(folder, LoraAdapter.WeightsName));
        try
        {
            var sorted = LoraAdapter.Sorted(_adapter);
            var settings = LoraConfigFile.Read(
                Path.Combine(folder, LoraConfigFile.Name),
                [.. sorted.Keys.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal)]);
            _scale = settings.Scale;
            foreach (var (path, (down, up)) in sorted)
            {
                _corrections.Add($"{path}.weight", Checked(path, down, up, settings.Rank));
            }
        }
        catch
        {
            _adapter.Dispose();
            throw;
        }
    }

    public string Name => _source.Name;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _source.Tensors;

    public void Read(string name, Span<float> destination)
    {
        _source.Read(name, destination);
        if (!_corrections.TryGetValue(name, out var correction))
        {
            return;
        }

        var (down, up) = (Values(correction.Down), Values(correction.Up));
        var rank = (int)_adapter.Tensors[correction.Down].Shape[0];
        var width = destination.Length / (up.Length / rank);
        for (var row = 0; row < destination.Length / width; row++)
        {
            var weights = destination.Slice(row * width, width);
            for (var at = 0; at < rank; at++)
            {
                AddScaled(weights, down.AsSpan(at * width, width), (float)(_scale * up[(row * rank) + at]));
            }
        }
    }

    public void Dispose() => _adapter.Dispose();

    private (string Down, string Up) Checked(string path, string? down, string? up, int rank)
    {
        if (down is null || up is null)
        {
            throw new InvalidDataException($"{_adapter.Name}: the correction of '{path}' lacks {(down is null ? "lora_A" : "lora_B")}.");
        }

        if (!_source.Tensors.TryGetValue($"{path}.weight", out var weight))
        {
            throw new InvalidDataException($"{_adapter.Name}: there is a correction for '{path}', which the network does not have.");
        }

        long[] downShape = [rank, weight.Shape[1]], upShape = [weight.Shape[0], rank];
        return _adapter.Tensors[down].Shape.SequenceEqual(downShape) && _adapter.Tensors[up].Shape.SequenceEqual(upShape)
            ? (down, up)
            : throw new InvalidDataException(
                $"{_adapter.Name}: the correction of '{path}' has other shapes than [{string.Join(", ", downShape)}] and "
                + $"[{string.Join(", ", upShape)}]; is the adapter for another model?");
    }

    private float[] Values(string name)
    {
        var values = new float[_adapter.Tensors[name].Count];
        _adapter.Read(name, values);
        return values;
    }

    private static void AddScaled(Span<float> target, ReadOnlySpan<float> values, float factor)
    {
        var wideTarget = MemoryMarshal.Cast<float, Vector<float>>(target);
        var wideValues = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (var i = 0; i < wideTarget.Length; i++)
        {
            wideTarget[i] += wideValues[i] * factor;
        }

        for (var i = wideTarget.Length * Vector<float>.Count; i < target.Length; i++)
        {
            target[i] += values[i] * factor;
        }
    }
}
