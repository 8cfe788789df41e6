using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Conversion;

/// <summary>Compares names and shapes of a checkpoint with a network that has no memory (meta device).</summary>
internal static class ShapeComparison
{
    private const int ShownNames = 6;

    /// <summary>A sentence for everything that does not fit; reads no values.</summary>
    /// <param name="part">The part's path, which begins each sentence.</param>
    /// <param name="network">On the meta device.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="rename">The network's name for a stored one; null leaves it out knowingly.</param>
    public static IEnumerable<string> Problems(string part, nn.Module network, ITensorSource source, Func<string, string?> rename)
    {
        var wanted = network.state_dict();
        var found = new HashSet<string>(StringComparer.Ordinal);
        var unexpected = new List<string>();
        var misshapen = new List<string>();
        foreach (var (stored, info) in source.Tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (rename(stored) is not { } name)
            {
                continue;
            }

            if (!wanted.TryGetValue(name, out var target))
            {
                unexpected.Add(stored);
                continue;
            }

            found.Add(name);
            if (!Fits(target.shape, info.Shape))
            {
                misshapen.Add($"{stored} [{string.Join(", ", info.Shape)}] instead of [{string.Join(", ", target.shape)}]");
            }
        }

        List<string> missing = [.. wanted.Keys.Where(name => !found.Contains(name)).Order(StringComparer.Ordinal)];
        if (missing.Count > 0)
        {
            yield return $"{part} lacks {Counted(missing)}.";
        }

        if (unexpected.Count > 0)
        {
            yield return $"{part} has {Counted(unexpected)} that its network does not have.";
        }

        if (misshapen.Count > 0)
        {
            yield return $"{part} has other shapes than its network: {Listed(misshapen)}.";
        }
    }

    // Older diffusers checkpoints store linear layers as 1x1 convolutions, which the loader accepts.
    private static bool Fits(long[] wanted, IReadOnlyList<long> stored) =>
        wanted.SequenceEqual(stored)
        || (wanted.Length == 2 && stored.Count == 4 && stored[2] == 1 && stored[3] == 1 && wanted.SequenceEqual(stored.Take(2)));

    private static string Counted(List<string> names) => $"{names.Count} tensor{(names.Count == 1 ? "" : "s")} ({Listed(names)})";

    private static string Listed(List<string> names) =>
        string.Join(", ", names.Take(ShownNames)) + (names.Count > ShownNames ? $" and {names.Count - ShownNames} more" : "");
}
