namespace NextGpt.Model.Weights;

/// <summary>A checkpoint whose tensors are stored as plain numbers, which can be taken as they are.</summary>
public interface IStoredTensors : ITensorSource
{
    /// <summary>The stored type of a tensor.</summary>
    /// <param name="name">One of <see cref="ITensorSource.Tensors"/>.</param>
    SafetensorsType TypeOf(string name);

    /// <summary>Copies a tensor's elements as stored (little-endian, row-major).</summary>
    /// <param name="name">One of <see cref="ITensorSource.Tensors"/>.</param>
    /// <param name="destination">As many bytes as the tensor has.</param>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    void ReadBytes(string name, Span<byte> destination);
}
