using System.Globalization;

namespace NextGpt.Model.Weights;

/// <summary>A <c>.pt</c>, <c>.pth</c> or <c>.bin</c> file of torch, both layouts, read without running anything in it.</summary>
/// <remarks>
/// <para>
/// Such a file is a pickle, a program for Python's unpickler. This reader has only those of its instructions that build
/// containers, numbers and tensors, and knows torch's own names for them; whatever else stands in the file is refused by
/// its name (THR-13). It is used to convert, never to load a model for conversation.
/// </para>
/// <para>
/// Tensors in nested dictionaries are named with dots (<c>optimizer.state</c>); where the file has a dictionary
/// <c>state_dict</c>, its tensors alone are shown, under their names in it. Tensors are read when asked for; strides,
/// offsets, shared storages and windows are followed. Reading is thread-safe. Layouts: <c>torch/serialization.py</c> of
/// PyTorch 2 (<c>_save</c>, <c>_legacy_save</c>).
/// </para>
/// </remarks>
public sealed class TorchPickleFile : IStoredTensors
{
    private const int MaxDepth = 16;
    private const int MaxNameLength = 1_024;
    private const int MaxValues = 4_000_000;
    private const long FreeBytes = 64 * 1024 * 1024;
    private readonly MappedFile _file;
    private readonly TorchPickleLayout _layout;
    private readonly Dictionary<string, TorchTensor> _tensors = new(StringComparer.Ordinal);
    private int _values;

    private TorchPickleFile(MappedFile file)
    {
        Name = file.Path;
        _file = file;
        _layout = TorchPickleLayout.Open(file);
        var root = _layout.Root as TorchPickleMapping
            ?? throw new InvalidDataException($"{Name}: a dictionary of tensors was expected, it holds something else.");
        var state = root.Entries.LastOrDefault(entry => entry.Key is "state_dict").Value as TorchPickleMapping;
        Collect(state ?? root, "", 0);
        CheckSize();
        Tensors = _tensors.ToDictionary(
            pair => pair.Key, pair => new TensorInfo(pair.Value.Shape, SafetensorsHeader.Word(pair.Value.Type)), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Opens a file and reads its pickle; no tensor is read yet.</summary>
    /// <exception cref="InvalidDataException">
    /// Names what the file holds that is not read, or says what is damaged.
    /// </exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static TorchPickleFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            return new TorchPickleFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SafetensorsType TypeOf(string name) => Find(name).Type;

    /// <summary>Whether two tensors begin at the same element of the same storage, as tied weights do.</summary>
    /// <param name="first">One of <see cref="Tensors"/>.</param>
    /// <param name="second">One of <see cref="Tensors"/>.</param>
    public bool AreTied(string first, string second)
    {
        var (one, other) = (Find(first), Find(second));
        return one.Storage == other.Storage && one.Offset == other.Offset && one.Type == other.Type
            && one.Shape.SequenceEqual(other.Shape) && one.Strides.SequenceEqual(other.Strides);
    }

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        var tensor = Find(name);
        CheckDestination(name, destination.Length, tensor.Count);
        var size = SafetensorsHeader.ByteSize(tensor.Type);
        if (tensor.IsContiguous)
        {
            const int Chunk = 1 << 20;
            var bytes = new byte[Math.Min(Chunk, destination.Length) * size];
            for (var from = 0; from < destination.Length; from += Chunk)
            {
                var part = destination.Slice(from, Math.Min(Chunk, destination.Length - from));
                var raw = bytes.AsSpan(0, part.Length * size);
                _layout.Copy(tensor.Storage.RootKey, Start(tensor, size) + ((long)from * size), raw);
                StoredNumbers.ToSingles(tensor.Type, raw, part);
            }

            return;
        }

        var whole = new byte[checked((int)(tensor.Count * size))];
        Gather(tensor, size, whole);
        StoredNumbers.ToSingles(tensor.Type, whole, destination);
    }

    /// <inheritdoc/>
    public void ReadBytes(string name, Span<byte> destination)
    {
        var tensor = Find(name);
        var size = SafetensorsHeader.ByteSize(tensor.Type);
        CheckDestination(name, destination.Length, tensor.Count * size);
        if (tensor.IsContiguous)
        {
            _layout.Copy(tensor.Storage.RootKey, Start(tensor, size), destination);
        }
        else
        {
            Gather(tensor, size, destination);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>The first byte of a tensor in its root storage.</summary>
    private static long Start(TorchTensor tensor, int size) =>
        (tensor.Storage.RootOffset * tensor.Storage.ElementBytes) + (tensor.Offset * size);

    /// <summary>Copies a tensor with any strides, row-major.</summary>
    private void Gather(TorchTensor tensor, int size, Span<byte> destination)
    {
        // The stretch of the storage that the tensor touches is copied once, then picked from.
        long span = 1;
        for (var dimension = 0; dimension < tensor.Shape.Length; dimension++)
        {
            span += (tensor.Shape[dimension] - 1) * tensor.Strides[dimension];
        }

        if (span * size > int.MaxValue)
        {
            throw new InvalidDataException(
                $"{Name}: a tensor of shape [{string.Join(", ", tensor.Shape)}] lies scattered over {span * size} bytes; at most "
                + $"{int.MaxValue} are gathered. Save it again after calling contiguous() on it.");
        }

        var stretch = new byte[span * size];
        _layout.Copy(tensor.Storage.RootKey, Start(tensor, size), stretch);
        var index = new long[tensor.Shape.Length];
        long at = 0;
        for (var done = 0; done < destination.Length; done += size)
        {
            stretch.AsSpan((int)(at * size), size).CopyTo(destination[done..]);
            for (var dimension = index.Length - 1; dimension >= 0; dimension--)
            {
                at += tensor.Strides[dimension];
                if (++index[dimension] < tensor.Shape[dimension])
                {
                    break;
                }

                at -= tensor.Strides[dimension] * tensor.Shape[dimension];
                index[dimension] = 0;
            }
        }
    }

    private void Collect(TorchPickleMapping mapping, string prefix, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Bad($"its dictionaries are nested more than {MaxDepth} deep");
        }

        foreach (var (key, value) in mapping.Entries)
        {
            if (++_values > MaxValues)
            {
                throw Bad($"it has more than {MaxValues} values");
            }

            var word = key switch
            {
                string text => text,
                long number => number.ToString(CultureInfo.InvariantCulture),
                _ => null,
            };
            if (word is null || value is not (TorchTensor or TorchPickleMapping))
            {
                continue;
            }

            var name = prefix + word;
            if (word.Length == 0 || name.Length > MaxNameLength || name.Any(char.IsControl))
            {
                throw Bad($"a tensor is called '{TorchTensorBuilder.Shown(name)}', which is empty, too long or has control characters");
            }

            if (value is TorchPickleMapping inner)
            {
                Collect(inner, name + ".", depth + 1);
            }
            else if (value is TorchTensor tensor)
            {
                _tensors[name] = tensor;
                if (_tensors.Count > SafetensorsHeader.MaxTensors)
                {
                    throw Bad($"it has more than {SafetensorsHeader.MaxTensors} tensors");
                }
            }
        }
    }

    /// <summary>Tensors may share storages; a small file that claims to be a large network is refused.</summary>
    private void CheckSize()
    {
        if (_tensors.Count == 0)
        {
            throw Bad("it holds no tensor");
        }

        var claimed = _tensors.Values.Sum(tensor => (decimal)tensor.Count * SafetensorsHeader.ByteSize(tensor.Type));
        if (claimed > Math.Max(FreeBytes, 4m * _layout.StorageBytes))
        {
            throw Bad($"its tensors claim {claimed} bytes, its storages have {_layout.StorageBytes}");
        }
    }

    private TorchTensor Find(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"{Name}: there is no tensor '{name}'; it has {_tensors.Count} others.");

    private void CheckDestination(string name, int destination, long needed)
    {
        if (destination != needed)
        {
            throw new ArgumentException($"{Name}: tensor '{name}' needs room for {needed}, the destination has {destination}.");
        }
    }

    private InvalidDataException Bad(string problem) =>
        new($"{Name}: {problem}; the file is damaged or is no checkpoint of torch.");
}
