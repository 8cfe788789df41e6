using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Weights;

/// <summary>Fills a network from a checkpoint: everything the network has, nothing it has not.</summary>
public static class CheckpointLoader
{
    private const int ShownNames = 12;

    /// <summary>Reads every parameter and buffer of a network. They leave the open dispose scope: they are the network's.</summary>
    /// <param name="network">On its final device and in its final element type; values are converted on the way.</param>
    /// <param name="source">The checkpoint; stays open.</param>
    /// <param name="rename">
    /// The network's name for a name of the checkpoint; null leaves that tensor out knowingly. Without it names are equal.
    /// </param>
    /// <returns>Names of the checkpoint that were left out knowingly.</returns>
    /// <exception cref="InvalidDataException">
    /// Tensors are missing, unexpected or of another shape; the message lists them, and nothing was changed.
    /// </exception>
    public static IReadOnlyList<string> Fill(nn.Module network, ITensorSource source, Func<string, string?>? rename = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(source);
        var wanted = network.state_dict();
        var (plan, leftOut) = Match(wanted, source, rename ?? (name => name));
        foreach (var weight in wanted.Values)
        {
            weight.DetachFromDisposeScope();   // an embedding's would otherwise go with the scope in which the network was made
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, stored) in plan)
        {
            using var step = NewDisposeScope();
            Read(source, stored, wanted[name]);
        }

        return leftOut;
    }

    private static (Dictionary<string, string> Plan, List<string> LeftOut) Match(
        Dictionary<string, Tensor> wanted, ITensorSource source, Func<string, string?> rename)
    {
        var plan = new Dictionary<string, string>(StringComparer.Ordinal);
        var leftOut = new List<string>();
        var problems = new List<string>();
        var unexpected = new List<string>();
        foreach (var (stored, info) in source.Tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var name = rename(stored);
            if (name is null)
            {
                leftOut.Add(stored);
            }
            else if (!wanted.TryGetValue(name, out var target))
            {
                unexpected.Add(stored);
            }
            else if (!plan.TryAdd(name, stored))
            {
                problems.Add($"'{plan[name]}' and '{stored}' are both meant for '{name}'");
            }
            else if (!target.shape.AsSpan().SequenceEqual([.. info.Shape]))
            {
                problems.Add(
                    $"'{stored}' has the shape [{string.Join(", ", info.Shape)}], the network has [{string.Join(", ", target.shape)}]");
            }
        }

        List<string> missing = [.. wanted.Keys.Where(name => !plan.ContainsKey(name)).Order(StringComparer.Ordinal)];
        if (missing.Count > 0)
        {
            problems.Add($"{missing.Count} missing: {Listed(missing)}");
        }

        if (unexpected.Count > 0)
        {
            problems.Add($"{unexpected.Count} unexpected: {Listed(unexpected)}");
        }

        return problems.Count == 0
            ? (plan, leftOut)
            : throw new InvalidDataException(
                $"{source.Name} does not fit the network: {Listed(problems, "; ")}. Is it the checkpoint of another model?");
    }

    private static string Listed(List<string> items, string separator = ", ") =>
        string.Join(separator, items.Take(ShownNames))
        + (items.Count > ShownNames ? $"{separator}and {items.Count - ShownNames} more" : "");

    private static void Read(ITensorSource source, string stored, Tensor target)
    {
        if (target.dtype == ScalarType.Float32 && target.device_type == DeviceType.CPU && target.is_contiguous())
        {
            source.Read(stored, MemoryMarshal.Cast<byte, float>(target.bytes));
            return;
        }

        // The stored halves go as they are: a device converts faster than the host.
        if (source is IStoredTensors file && HalfType(file.TypeOf(stored)) is { } type)
        {
            var raw = empty(target.shape, type);
            file.ReadBytes(stored, raw.bytes);
            target.copy_(raw);
            return;
        }

        var values = empty(target.shape, ScalarType.Float32);
        source.Read(stored, MemoryMarshal.Cast<byte, float>(values.bytes));
        target.copy_(values);
    }

    private static ScalarType? HalfType(SafetensorsType type) => type switch
    {
        SafetensorsType.F16 => ScalarType.Float16,
        SafetensorsType.BF16 => ScalarType.BFloat16,
        _ => null,
    };
}
