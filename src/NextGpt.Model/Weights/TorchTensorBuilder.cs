namespace NextGpt.Model.Weights;

/// <summary>Makes storages and tensors of what a pickle says of them, and believes nothing that does not fit together.</summary>
/// <param name="file">For messages.</param>
/// <param name="stored">Whether the file has a storage of that name; null where that is not known yet.</param>
internal sealed class TorchTensorBuilder(string file, Func<string, bool>? stored)
{
    private const long MaxStorageBytes = 1L << 40;
    private readonly Dictionary<string, TorchStorage> _storages = new(StringComparer.Ordinal);

    /// <summary>Every storage that was named; a window under its own name.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => _storages;

    /// <summary>A text for messages: short and without control characters.</summary>
    public static string Shown(string text)
    {
        var plain = new string([.. text.Take(120).Select(letter => char.IsControl(letter) ? '?' : letter)]);
        return plain.Length < text.Length ? plain + "…" : plain;
    }

    /// <summary>Reads ('storage', class, key, device, count) and, before torch 1.6, the window.</summary>
    /// <exception cref="InvalidDataException">It is something else, or does not fit.</exception>
    public TorchStorage Storage(object? id)
    {
        if (id is not object?[] { Length: 5 or 6 } parts
            || parts[0] is not "storage"
            || parts[1] is not TorchPickleGlobal
            {
                Kind: TorchPickleGlobalKind.Storage or TorchPickleGlobalKind.UntypedStorage,
            } kind
            || parts[2] is not string key
            || parts[4] is not long count)
        {
            throw Bad("a storage is named in an unknown way");
        }

        if (count < 0 || count > MaxStorageBytes / (kind.Type is { } type ? SafetensorsHeader.ByteSize(type) : 1))
        {
            throw Bad($"storage '{Shown(key)}' claims {count} elements");
        }

        var (rootKey, rootOffset) = (key, 0L);
        if (parts.Length == 6 && parts[5] is not null)
        {
            if (parts[5] is not object?[] { Length: 3 } window || window[0] is not string windowKey
                || window[1] is not long windowOffset || window[2] is not long windowCount
                || windowOffset < 0 || windowCount < 0 || windowOffset > count - windowCount)
            {
                throw Bad($"storage '{Shown(key)}' has a window that does not lie in it");
            }

            // The sixth part makes the window the storage: its own name, its own length, the rest is where it lies.
            (rootOffset, key) = (windowOffset, windowKey);
            return Kept(new TorchStorage(key, kind.Type, windowCount, rootKey, rootOffset), rootKey, count);
        }

        return Kept(new TorchStorage(key, kind.Type, count, rootKey, rootOffset), rootKey, count);
    }

    /// <summary>Reads the arguments of torch's own rebuilding functions.</summary>
    /// <param name="arguments">storage, offset, size, stride; with an element type at index 6 if <paramref name="typed"/>.</param>
    /// <param name="typed">Whether the element type is an argument.</param>
    /// <exception cref="InvalidDataException">They do not fit together.</exception>
    public TorchTensor Tensor(object?[] arguments, bool typed)
    {
        if (arguments is not [TorchStorage storage, long offset, var size, var stride, ..]
            || Numbers(size) is not { } shape || Numbers(stride) is not { } strides)
        {
            throw Bad("a tensor is described in an unknown way");
        }

        var type = typed
            ? (arguments.ElementAtOrDefault(6) as TorchPickleGlobal)?.Type
            : storage.Type;
        if (type is not { } element)
        {
            throw Bad($"a tensor in storage '{Shown(storage.Key)}' has no element type");
        }

        var capacity = storage.Count * storage.ElementBytes / SafetensorsHeader.ByteSize(element);
        if (shape.Length != strides.Length || shape.Length > SafetensorsHeader.MaxDimensions)
        {
            throw Bad($"a tensor has {shape.Length} sizes and {strides.Length} strides");
        }

        if (!Fits(shape, strides, offset, capacity))
        {
            throw Bad(
                $"a tensor with shape [{string.Join(", ", shape)}], strides [{string.Join(", ", strides)}] and offset {offset} "
                + $"leaves its storage '{Shown(storage.Key)}' of {capacity} elements");
        }

        if (storage.RootOffset % Math.Max(1, SafetensorsHeader.ByteSize(element) / storage.ElementBytes) != 0)
        {
            throw Bad($"a tensor begins inside an element of storage '{Shown(storage.Key)}'");
        }

        return new TorchTensor(storage, element, offset, shape, strides);
    }

    private static long[]? Numbers(object? value) => value switch
    {
        object?[] items when items.All(item => item is long) => [.. items.Cast<long>()],
        _ => null,
    };

    private static bool Fits(long[] shape, long[] strides, long offset, long capacity)
    {
        if (offset < 0 || shape.Any(size => size < 0) || strides.Any(stride => stride < 0))
        {
            return false;
        }

        try
        {
            long last = offset;
            long count = 1;
            for (var dimension = 0; dimension < shape.Length; dimension++)
            {
                last = checked(last + ((shape[dimension] - 1) * strides[dimension]));
                count = checked(count * Math.Max(1, shape[dimension]));
            }

            if (shape.Contains(0))
            {
                return offset <= capacity;
            }

            // A stride of 0 repeats elements; a network's weights never repeat more than the storage holds.
            return last < capacity && count <= Math.Max(capacity, 1 << 20);
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    private TorchStorage Kept(TorchStorage storage, string rootKey, long rootCount)
    {
        if (stored is not null && !stored(rootKey))
        {
            throw Bad($"storage '{Shown(rootKey)}' is named and not in the file");
        }

        if (storage.Key != rootKey)
        {
            Keep(new TorchStorage(rootKey, storage.Type, rootCount, rootKey, 0));
        }

        return Keep(storage);
    }

    private TorchStorage Keep(TorchStorage storage)
    {
        if (!_storages.TryGetValue(storage.Key, out var known))
        {
            if (_storages.Count >= 2 * SafetensorsHeader.MaxTensors)
            {
                throw Bad("it names more storages than a checkpoint has tensors");
            }

            _storages.Add(storage.Key, storage);
            return storage;
        }

        return known == storage
            ? known
            : throw Bad($"storage '{Shown(storage.Key)}' is named twice with different sizes or types");
    }

    private InvalidDataException Bad(string problem) =>
        new($"{file}: {problem}; the file is damaged or is no checkpoint of torch.");
}
