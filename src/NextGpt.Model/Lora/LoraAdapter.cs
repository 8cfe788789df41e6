using NextGpt.Model.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Model.Lora;

/// <summary>A set of low-rank corrections for one network: made, trained, written, read, put on and taken off.</summary>
/// <remarks>
/// Files are those of peft: <c>adapter_model.safetensors</c> and <c>adapter_config.json</c>. The matrices are float32 on the
/// device of their layer. Several adapters may be loaded for one network; one is on at a time. Belongs to the thread that
/// runs the network.
/// </remarks>
public sealed class LoraAdapter : IDisposable
{
    internal const string WeightsName = "adapter_model.safetensors";
    private const string Prefix = "base_model.model.";

    private readonly SortedDictionary<string, LoraPair> _pairs;

    private LoraAdapter(LoraSettings settings, SortedDictionary<string, LoraPair> pairs)
    {
        Settings = settings;
        _pairs = pairs;
    }

    /// <summary>Size and place.</summary>
    public LoraSettings Settings { get; }

    /// <summary>
    /// The matrices by path, <c>model.layers.0.self_attn.q_proj.lora_A.weight</c> and so on; they belong to the adapter.
    /// </summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters =>
        _pairs.SelectMany(pair => new[]
        {
            ($"{pair.Key}.lora_A.weight", pair.Value.Down),
            ($"{pair.Key}.lora_B.weight", pair.Value.Up),
        });

    /// <summary>Makes a correction that does nothing yet: random down, zero up (Hu et al. 2021, section 4.1).</summary>
    /// <param name="network">Its layers are measured; nothing is put on.</param>
    /// <param name="settings">Size and place.</param>
    /// <param name="seed">Same seed, same matrices.</param>
    /// <exception cref="InvalidDataException">The settings make no correction, or no layer is called so.</exception>
    public static LoraAdapter Create(nn.Module network, LoraSettings settings, long seed)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate("the settings of the adapter");
        using var generator = new Generator((ulong)seed, CPU);
        var pairs = new SortedDictionary<string, LoraPair>(StringComparer.Ordinal);
        foreach (var (path, layer) in LayersOf(network).Where(layer => settings.Targets(layer.Path)))
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var bound = 1 / Math.Sqrt(layer.InputSize);
            var down = rand([settings.Rank, layer.InputSize], generator: generator).mul(2 * bound).sub(bound);
            pairs.Add(path, Pair(settings, layer, down, zeros(layer.OutputSize, settings.Rank)));
        }

        return pairs.Count > 0
            ? new LoraAdapter(settings, pairs)
            : throw new InvalidDataException($"No layer of the network is called {string.Join(", ", settings.TargetModules)}.");
    }

    /// <summary>Reads an adapter; nothing is put on.</summary>
    /// <param name="folder">Holds <c>adapter_model.safetensors</c> and <c>adapter_config.json</c>.</param>
    /// <param name="network">The network it is for.</param>
    /// <exception cref="InvalidDataException">Names file, entry or tensor and problem.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static LoraAdapter Load(string folder, nn.Module network)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsName));
        var stored = Sorted(file);
        var settings = LoraConfigFile.Read(
            Path.Combine(folder, LoraConfigFile.Name),
            [.. stored.Keys.Select(path => path[(path.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal)]);
        var layers = LayersOf(network).ToDictionary(layer => layer.Path, layer => layer.Layer, StringComparer.Ordinal);
        CheckFit(file, settings, stored, layers);

        var pairs = new SortedDictionary<string, LoraPair>(StringComparer.Ordinal);
        foreach (var (path, (down, up)) in stored)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            pairs.Add(path, Pair(settings, layers[path], Values(file, down!), Values(file, up!)));
        }

        return new LoraAdapter(settings, pairs);
    }

    /// <summary>Takes whatever correction a network has on off again.</summary>
    public static void Detach(nn.Module network)
    {
        foreach (var (_, layer) in LayersOf(network))
        {
            layer.Use(null);
        }
    }

    /// <summary>Puts this correction on, instead of any other.</summary>
    /// <param name="network">The network the adapter was made or read for.</param>
    public void Attach(nn.Module network)
    {
        foreach (var (path, layer) in LayersOf(network))
        {
            layer.Use(_pairs.GetValueOrDefault(path));
        }
    }

    /// <summary>Adds the correction that is on into the weights; costs a copy of the changed weights in host memory.</summary>
    public static void Merge(nn.Module network)
    {
        foreach (var (_, layer) in LayersOf(network))
        {
            layer.Merge();
        }
    }

    /// <summary>Puts the untouched weights back, bit for bit; the correction stays on.</summary>
    public static void Unmerge(nn.Module network)
    {
        foreach (var (_, layer) in LayersOf(network))
        {
            layer.Unmerge();
        }
    }

    /// <summary>Writes the adapter as a new folder that is either whole or not there.</summary>
    /// <param name="folder">Must not exist yet.</param>
    /// <param name="storedAs">How numbers are stored.</param>
    /// <exception cref="IOException">The folder exists, or the disk refused.</exception>
    public void Save(string folder, SafetensorsType storedAs = SafetensorsType.F32)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (Path.Exists(folder))
        {
            throw new IOException($"{folder} exists; an adapter is written to a new folder.");
        }

        var temporary = $"{folder}.{Path.GetRandomFileName()}.part";
        Directory.CreateDirectory(temporary);
        try
        {
            var writer = new SafetensorsWriter();
            foreach (var (name, parameter) in NamedParameters)
            {
                writer.Add(Prefix + name, parameter, storedAs);
            }

            writer.Save(Path.Combine(temporary, WeightsName));
            using (var config = new FileStream(Path.Combine(temporary, LoraConfigFile.Name), FileMode.CreateNew))
            {
                config.Write(LoraConfigFile.Write(Settings));
                config.Flush(flushToDisk: true);
            }

            Directory.Move(temporary, folder);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var pair in _pairs.Values)
        {
            pair.Dispose();
        }
    }

    private static IEnumerable<(string Path, LoraLinear Layer)> LayersOf(nn.Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.named_modules().Where(named => named.module is LoraLinear)
            .Select(named => (named.name, (LoraLinear)named.module));
    }

    private static LoraPair Pair(LoraSettings settings, LoraLinear layer, Tensor down, Tensor up) => new(
        Kept(down.to(layer.Weight.device)),
        Kept(up.to(layer.Weight.device)),
        settings.Scale,
        settings.Dropout);

    /// <summary>A trainable matrix that outlives the scope it was made in.</summary>
    private static Parameter Kept(Tensor values)
    {
        var parameter = new Parameter(values.alias());
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Pairs the tensors of a file by layer; accepts peft's adapter name <c>.default</c> and its absence.</summary>
    internal static SortedDictionary<string, (string? Down, string? Up)> Sorted(SafetensorsFile file)
    {
        var sorted = new SortedDictionary<string, (string? Down, string? Up)>(StringComparer.Ordinal);
        foreach (var name in file.Tensors.Keys)
        {
            var path = name.Replace(".default.weight", ".weight", StringComparison.Ordinal);
            var isDown = path.EndsWith(".lora_A.weight", StringComparison.Ordinal);
            if (!path.StartsWith(Prefix, StringComparison.Ordinal)
                || !(isDown || path.EndsWith(".lora_B.weight", StringComparison.Ordinal)))
            {
                throw new InvalidDataException(
                    $"{file.Name}: tensor '{name}' is unexpected; names like {Prefix}LAYER.lora_A.weight were expected.");
            }

            path = path[Prefix.Length..^".lora_A.weight".Length];
            var pair = sorted.GetValueOrDefault(path);
            if ((isDown ? pair.Down : pair.Up) is not null)
            {
                throw new InvalidDataException($"{file.Name}: tensor '{name}' stands there twice, with and without .default.");
            }

            sorted[path] = isDown ? (name, pair.Up) : (pair.Down, name);
        }

        return sorted;
    }

    private static void CheckFit(
        SafetensorsFile file,
        LoraSettings settings,
        SortedDictionary<string, (string? Down, string? Up)> stored,
        Dictionary<string, LoraLinear> layers)
    {
        foreach (var (path, (down, up)) in stored)
        {
            if (!layers.TryGetValue(path, out var layer))
            {
                throw new InvalidDataException($"{file.Name}: there is a correction for '{path}', which the network does not have.");
            }

            if (!settings.Targets(path))
            {
                throw new InvalidDataException($"{file.Name}: there is a correction for '{path}', which target_modules does not name.");
            }

            CheckShape(file, path, "lora_A", down, [settings.Rank, layer.InputSize]);
            CheckShape(file, path, "lora_B", up, [layer.OutputSize, settings.Rank]);
        }

        List<string> missing = [.. layers.Keys.Where(path => settings.Targets(path) && !stored.ContainsKey(path)).Order()];
        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"{file.Name}: {missing.Count} corrections are missing, the first for '{missing[0]}'; is the adapter for another model?");
        }
    }

    private static void CheckShape(SafetensorsFile file, string path, string part, string? name, long[] wanted)
    {
        if (name is null)
        {
            throw new InvalidDataException($"{file.Name}: the correction of '{path}' lacks {part}.");
        }

        if (!file.Tensors[name].Shape.SequenceEqual(wanted))
        {
            throw new InvalidDataException(
                $"{file.Name}: tensor '{name}' has the shape [{string.Join(", ", file.Tensors[name].Shape)}], "
                + $"[{string.Join(", ", wanted)}] was expected.");
        }
    }

    private static Tensor Values(SafetensorsFile file, string name)
    {
        var values = new float[file.Tensors[name].Count];
        file.Read(name, values);
        return tensor(values, [.. file.Tensors[name].Shape]);
    }
}
