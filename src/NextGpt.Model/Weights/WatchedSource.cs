using NextGpt.Model.Language;

namespace NextGpt.Model.Weights;

/// <summary>Counts what is read, and stops where nobody waits any more.</summary>
internal sealed class WatchedSource(ITensorSource source, IProgress<double> progress, CancellationToken stop) : ITensorSource
{
    private readonly double _total = source.Tensors.Values.Sum(tensor => (double)tensor.Count);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private double _read;

    public string Name => source.Name;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => source.Tensors;

    public void Read(string name, Span<float> destination)
    {
        stop.ThrowIfCancellationRequested();
        source.Read(name, destination);
        if (!AllNumbers(destination))
        {
            throw new InvalidDataException(
                $"{Name}: tensor '{name}' holds values that are no numbers; the weights are damaged, download them again.");
        }

        _names.Add(name);
        _read += destination.Length;
        progress.Report(_read / _total);
    }

    private static bool AllNumbers(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var value in values)
        {
            sum += value * 0;   // not a number as soon as one is not, or is infinite
        }

        return sum == 0;
    }

    /// <summary>Tensors nobody asked for mean that the network is another one than its config says.</summary>
    /// <exception cref="InvalidDataException">There are some; names them.</exception>
    public void RefuseUnread(LlamaConfig config)
    {
        var unread = Tensors.Keys.Where(name => !_names.Contains(name)
            && !name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
            && !(config.TiedHead && name == "lm_head.weight")).Order(StringComparer.Ordinal).ToList();
        if (unread.Count > 0)
        {
            throw new InvalidDataException(
                $"{Name} holds {unread.Count} tensors that a network of this config does not have ("
                + $"{string.Join(", ", unread.Take(8))}{(unread.Count > 8 ? ", ..." : "")}); config.json and the weights "
                + "belong to different models.");
        }
    }

    public void Dispose()
    {
        // The source belongs to whoever opened it.
    }
}
