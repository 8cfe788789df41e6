namespace NextGpt.Model.Weights;

/// <summary>A class or function a pickle names; only those of <see cref="TorchPickleGlobals"/> exist.</summary>
/// <param name="Name">As the file spells it, <c>torch._utils _rebuild_tensor_v2</c>.</param>
/// <param name="Kind">What it does here.</param>
/// <param name="Type">The element type that a storage class or dtype stands for.</param>
internal sealed record TorchPickleGlobal(string Name, TorchPickleGlobalKind Kind, SafetensorsType? Type = null);

/// <summary>What a permitted global does.</summary>
internal enum TorchPickleGlobalKind
{
    /// <summary>A dictionary that keeps its order.</summary>
    OrderedDict,

    /// <summary>storage, offset, size, stride, requires_grad, hooks: a tensor.</summary>
    RebuildTensor,

    /// <summary>The same with an element type of its own over untyped bytes.</summary>
    RebuildTypedTensor,

    /// <summary>A tensor that trains.</summary>
    RebuildParameter,

    /// <summary>A class of storages.</summary>
    Storage,

    /// <summary>A storage of bytes without a type.</summary>
    UntypedStorage,

    /// <summary>An element type as a value.</summary>
    ElementType,

    /// <summary>A shape as a value.</summary>
    Size,

    /// <summary>A device as a value.</summary>
    Device,
}

/// <summary>Something a pickle may hold and nobody here looks into: an element type, a device, a shape.</summary>
internal sealed record TorchPickleOpaque(TorchPickleGlobal Global);

/// <summary>A dictionary in the order of its file; later entries of a key win.</summary>
internal sealed class TorchPickleMapping
{
    public List<KeyValuePair<object?, object?>> Entries { get; } = [];
}

/// <summary>A run of elements in the file, which tensors share.</summary>
/// <param name="Key">The file's name of it.</param>
/// <param name="Type">Of the elements; null is bytes without a type.</param>
/// <param name="Count">Elements, or bytes without a type.</param>
/// <param name="RootKey">The storage this one is a window of, in the layout before 1.6; else <paramref name="Key"/>.</param>
/// <param name="RootOffset">First element of the window.</param>
internal sealed record TorchStorage(string Key, SafetensorsType? Type, long Count, string RootKey, long RootOffset)
{
    /// <summary>Bytes of one element.</summary>
    public int ElementBytes => Type is { } type ? SafetensorsHeader.ByteSize(type) : 1;
}

/// <summary>A view of a storage.</summary>
/// <param name="Storage">Where the elements are.</param>
/// <param name="Type">Of the elements.</param>
/// <param name="Offset">First element, counted in the storage, windows included.</param>
/// <param name="Shape">Outermost first.</param>
/// <param name="Strides">In elements.</param>
internal sealed record TorchTensor(TorchStorage Storage, SafetensorsType Type, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Whether the elements lie row-major and without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (var dimension = Shape.Length - 1; dimension >= 0; dimension--)
            {
                if (Shape[dimension] != 1 && Strides[dimension] != expected)
                {
                    return Count == 0;
                }

                expected *= Shape[dimension];
            }

            return true;
        }
    }

    /// <summary>Elements; cannot overflow once <see cref="TorchTensorBuilder"/> has made it.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}
