using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>Fills a network from a checkpoint that uses its names.</summary>
internal static class DiffusersWeights
{
    /// <summary>The names a diffusers or transformers folder may give its one weight file, in order of preference.</summary>
    private static readonly string[] Files =
        ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "model.safetensors", "model.fp16.safetensors"];

    /// <summary>The weight file of a folder.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    internal static string FileIn(string folder) =>
        Files.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
        ?? throw new InvalidDataException(
            $"{folder} holds no weights; {Files[0]} or {Files[2]} was expected (convert .bin files with 'nextgpt model convert').");

    /// <summary>Copies every weight; none may be missing, surplus or of another shape. The weights leave the open dispose scope.</summary>
    /// <param name="network">On any device but meta; its type is kept.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="currentName">Gives a checkpoint's name its name in the network; null leaves the tensor out.</param>
    /// <exception cref="InvalidDataException">Names what does not fit.</exception>
    internal static void Load(nn.Module network, ITensorSource source, Func<string, string?> currentName)
    {
        using var noGradient = no_grad();
        var targets = network.state_dict();
        foreach (var weight in targets.Values)
        {
            weight.DetachFromDisposeScope();   // embeddings would otherwise vanish from the state with the caller's scope
        }

        var filled = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (stored, info) in source.Tensors)
        {
            if (currentName(stored) is not { } name)
            {
                continue;
            }

            if (!targets.TryGetValue(name, out var target))
            {
                throw new InvalidDataException($"{source.Name}: {stored} is no weight of {network.GetName()}.");
            }

            long[] shape = [.. info.Shape];
            if (!SameShape(target.shape, shape))
            {
                throw new InvalidDataException(
                    $"{source.Name}: {stored} has shape [{string.Join(", ", shape)}]; {network.GetName()} with this "
                    + $"config.json expects [{string.Join(", ", target.shape)}].");
            }

            var values = new float[info.Count];
            source.Read(stored, values);
            using var scope = NewDisposeScope();
            target.copy_(tensor(values, target.shape));
            filled.Add(name);
        }

        var missing = targets.Keys.Where(name => !filled.Contains(name)).ToList();
        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"{source.Name}: {missing.Count} weights of {network.GetName()} are missing, first {missing[0]}.");
        }
    }

    /// <summary>Writes every weight under its name, as <see cref="Load"/> reads it.</summary>
    /// <param name="network">On any device but meta.</param>
    /// <param name="file">Path of the safetensors file; its folder is made where it is missing.</param>
    /// <param name="type">How numbers are stored.</param>
    internal static void Save(nn.Module network, string file, SafetensorsType type)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file) ?? ".");
        var writer = new SafetensorsWriter();
        foreach (var (name, weight) in network.state_dict())
        {
            writer.Add(name, weight, type);
        }

        writer.Save(file);
    }

    // Older checkpoints store linear layers as 1x1 convolutions: [out, in, 1, 1] for [out, in].
    private static bool SameShape(long[] wanted, long[] stored) =>
        wanted.SequenceEqual(stored)
        || (wanted.Length == 2 && stored.Length == 4 && stored[2] == 1 && stored[3] == 1
            && wanted[0] == stored[0] && wanted[1] == stored[1]);
}
