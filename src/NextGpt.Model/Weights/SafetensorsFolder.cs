using System.Text.Json;

namespace NextGpt.Model.Weights;

/// <summary>A checkpoint folder: one safetensors file, or several with an index, read as one source.</summary>
/// <remarks>Layouts: <c>model.safetensors</c> (transformers), <c>diffusion_pytorch_model.safetensors</c> (diffusers),
/// each alone or sharded with <c>*.safetensors.index.json</c>.</remarks>
public sealed class SafetensorsFolder : IStoredTensors
{
    private static readonly string[] Stems = ["model", "diffusion_pytorch_model"];
    private readonly List<IStoredTensors> _files;
    private readonly Dictionary<string, IStoredTensors> _homes = new(StringComparer.Ordinal);

    private SafetensorsFolder(string folder, List<IStoredTensors> files)
    {
        Name = folder;
        _files = files;
        foreach (var file in files)
        {
            foreach (var name in file.Tensors.Keys)
            {
                if (!_homes.TryAdd(name, file))
                {
                    throw new InvalidDataException(
                        $"{folder}: tensor '{name}' is both in {Path.GetFileName(_homes[name].Name)} and "
                        + $"{Path.GetFileName(file.Name)}; remove files of another checkpoint from the folder.");
                }
            }
        }

        Tensors = _homes.ToDictionary(pair => pair.Key, pair => pair.Value.Tensors[pair.Key], StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Opens a safetensors file, or the checkpoint of a folder.</summary>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IStoredTensors Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
        {
            return SafetensorsFile.Open(path);
        }

        foreach (var stem in Stems)
        {
            var index = Path.Combine(path, stem + ".safetensors.index.json");
            if (File.Exists(index))
            {
                return OpenShards(path, index, SafetensorsFile.Open);
            }

            var single = Path.Combine(path, stem + ".safetensors");
            if (File.Exists(single))
            {
                return SafetensorsFile.Open(single);
            }
        }

        throw new FileNotFoundException(
            $"{path} holds no safetensors checkpoint; expected one of "
            + string.Join(", ", Stems.Select(stem => $"{stem}.safetensors, {stem}.safetensors.index.json")) + ".");
    }

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination) => HomeOf(name).Read(name, destination);

    /// <inheritdoc/>
    public SafetensorsType TypeOf(string name) => HomeOf(name).TypeOf(name);

    /// <inheritdoc/>
    public void ReadBytes(string name, Span<byte> destination) => HomeOf(name).ReadBytes(name, destination);

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private IStoredTensors HomeOf(string name) =>
        _homes.TryGetValue(name, out var file)
            ? file
            : throw new InvalidDataException($"{Name}: there is no tensor '{name}'; it has {_homes.Count} others.");

    /// <summary>Opens the shards that an index names, whatever their layout.</summary>
    /// <param name="folder">Where they lie.</param>
    /// <param name="index">JSON with the <c>weight_map</c>.</param>
    /// <param name="open">Opens one shard.</param>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    /// <exception cref="IOException">A shard is missing or cannot be read.</exception>
    internal static SafetensorsFolder OpenShards(string folder, string index, Func<string, IStoredTensors> open)
    {
        var map = ReadIndex(index);
        var files = new List<IStoredTensors>();
        try
        {
            foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                var path = Path.Combine(folder, shard);
                files.Add(File.Exists(path)
                    ? open(path)
                    : throw new FileNotFoundException($"{index} names {shard}, which is not in the folder; fetch it."));
            }

            var whole = new SafetensorsFolder(folder, files);
            foreach (var (name, shard) in map)
            {
                if (!whole._homes.TryGetValue(name, out var home) || Path.GetFileName(home.Name) != shard)
                {
                    throw new InvalidDataException($"{index}: tensor '{name}' should be in {shard} and is not.");
                }
            }

            return whole;
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    private static Dictionary<string, string> ReadIndex(string index)
    {
        var length = new FileInfo(index).Length;
        if (length > SafetensorsHeader.MaxHeaderBytes)
        {
            throw new InvalidDataException(
                $"{index}: {length} bytes, at most {SafetensorsHeader.MaxHeaderBytes} are accepted for an index.");
        }

        try
        {
            using var json = JsonDocument.Parse(
                File.ReadAllBytes(index), new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var entry in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                var shard = entry.Value.GetString() ?? "";
                if (shard.Length is 0 or > 255 || shard != Path.GetFileName(shard) || shard is "." or ".."
                    || shard.Contains('\\', StringComparison.Ordinal) || shard.Any(char.IsControl))
                {
                    throw new InvalidDataException(
                        $"{index}: tensor '{entry.Name}' has the shard name '{shard}'; a plain file name was expected.");
                }

                map.Add(entry.Name, shard);
            }

            return map.Count is > 0 and <= SafetensorsHeader.MaxTensors
                ? map
                : throw new InvalidDataException(
                    $"{index}: weight_map has {map.Count} tensors, 1 to {SafetensorsHeader.MaxTensors} are accepted.");
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException(
                $"{index}: not an index of shards ({broken.Message.ReplaceLineEndings(" ")}); expected "
                + """{"weight_map": {"tensor": "file", ...}}.""",
                broken);
        }
    }
}
