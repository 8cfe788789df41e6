namespace NextGpt.Model.Weights;

/// <summary>Named tensors of a checkpoint: a safetensors file or folder, or a GGUF file.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>A name for messages: the file or folder.</summary>
    string Name { get; }

    /// <summary>Every tensor with its shape, by name.</summary>
    IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Reads a tensor as float32, row-major, whatever its stored type.</summary>
    /// <param name="name">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">As many elements as the shape has.</param>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    void Read(string name, Span<float> destination);
}

/// <summary>What a checkpoint says of a tensor.</summary>
/// <param name="Shape">Row-major, outermost first (a linear layer is [out, in]).</param>
/// <param name="StoredType">The file's own word, for example <c>F16</c> or <c>Q4_1</c>.</param>
public sealed record TensorInfo(IReadOnlyList<long> Shape, string StoredType)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));
}
