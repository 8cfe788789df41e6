using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using TorchSharp;

namespace NextGpt.Model.Weights;

/// <summary>Collects tensors and writes them as one safetensors file that is either whole or not there.</summary>
/// <remarks>
/// The same tensors give the same bytes: tensors lie in the order widest type first, then name. Values are taken at
/// <see cref="Save"/>; what was added must stay alive and unchanged until then. Not thread-safe.
/// </remarks>
public sealed class SafetensorsWriter
{
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal) { ["format"] = "pt" };

    /// <summary>Strings for the header; starts with <c>format: pt</c>, which other readers look for.</summary>
    public IDictionary<string, string> Metadata => _metadata;

    /// <summary>Adds plain numbers.</summary>
    /// <param name="name">Unique, not empty.</param>
    /// <param name="shape">Row-major, outermost first; empty for a scalar.</param>
    /// <param name="values">As many as the shape has.</param>
    /// <param name="storedAs">F32, F16 or BF16.</param>
    public void Add(
        string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values, SafetensorsType storedAs = SafetensorsType.F32)
    {
        CheckFloating(storedAs);
        var pending = Reserve(name, shape, storedAs);
        if (values.Length != pending.Count)
        {
            throw new ArgumentException($"Tensor '{name}' has {pending.Count} elements by its shape and {values.Length} values.");
        }

        _pending.Add(name, pending with { Bytes = () => Narrow(values.Span, storedAs) });
    }

    /// <summary>Adds whole numbers, stored as I64.</summary>
    /// <param name="name">Unique, not empty.</param>
    /// <param name="shape">Row-major, outermost first; empty for a scalar.</param>
    /// <param name="values">As many as the shape has.</param>
    public void Add(string name, IReadOnlyList<long> shape, ReadOnlyMemory<long> values)
    {
        var pending = Reserve(name, shape, SafetensorsType.I64);
        if (values.Length != pending.Count)
        {
            throw new ArgumentException($"Tensor '{name}' has {pending.Count} elements by its shape and {values.Length} values.");
        }

        _pending.Add(name, pending with { Bytes = () => MemoryMarshal.AsBytes(values.Span).ToArray() });
    }

    /// <summary>Adds a tensor of the network library; it may lie on any device.</summary>
    /// <param name="name">Unique, not empty.</param>
    /// <param name="tensor">float, stays owned by the caller.</param>
    /// <param name="storedAs">F32, F16 or BF16.</param>
    public void Add(string name, torch.Tensor tensor, SafetensorsType storedAs = SafetensorsType.F32)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        CheckFloating(storedAs);
        _pending.Add(name, Reserve(name, tensor.shape, storedAs) with { Bytes = () => TensorBytes(tensor, storedAs) });
    }

    /// <summary>Adds elements as another file stores them.</summary>
    /// <param name="name">Unique, not empty.</param>
    /// <param name="type">What the bytes are.</param>
    /// <param name="shape">Row-major, outermost first; empty for a scalar.</param>
    /// <param name="bytes">Asked once, at <see cref="Save"/>: little-endian, row-major, as many as type and shape say.</param>
    public void Add(string name, SafetensorsType type, IReadOnlyList<long> shape, Func<byte[]> bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        _pending.Add(name, Reserve(name, shape, type) with { Bytes = bytes });
    }

    /// <summary>Writes under a temporary name, flushes to the disk, and takes the place of <paramref name="path"/> at once.</summary>
    /// <exception cref="IOException">The disk refused; whatever stood at <paramref name="path"/> is untouched.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var ordered = _pending
            .OrderByDescending(pair => SafetensorsHeader.ByteSize(pair.Value.Type))
            .ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .ToList();
        var temporary = $"{path}.{Path.GetRandomFileName()}.part";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                WriteHeader(stream, ordered);
                foreach (var (name, pending) in ordered)
                {
                    var bytes = pending.Bytes();
                    if (bytes.Length != pending.ByteCount)
                    {
                        throw new InvalidOperationException($"Tensor '{name}' changed its shape before it was saved.");
                    }

                    stream.Write(bytes);
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void CheckFloating(SafetensorsType type)
    {
        if (type is not (SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16))
        {
            throw new ArgumentException($"Fractions are stored as F32, F16 or BF16, not {type}.", nameof(type));
        }
    }

    private Pending Reserve(string name, IReadOnlyList<long> shape, SafetensorsType type)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name == "__metadata__" || _pending.ContainsKey(name))
        {
            throw new ArgumentException($"A tensor cannot be called '{name}': the name is taken.", nameof(name));
        }

        return new Pending(type, [.. shape], shape.Aggregate(1L, (product, size) => checked(product * size)), () => []);
    }

    private static byte[] TensorBytes(torch.Tensor tensor, SafetensorsType type)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var wanted = type switch
        {
            SafetensorsType.F16 => torch.ScalarType.Float16,
            SafetensorsType.BF16 => torch.ScalarType.BFloat16,
            _ => torch.ScalarType.Float32,
        };
        return tensor.detach().to(wanted).cpu().contiguous().bytes.ToArray();
    }

    private static byte[] Narrow(ReadOnlySpan<float> values, SafetensorsType type)
    {
        if (type == SafetensorsType.F32)
        {
            return MemoryMarshal.AsBytes(values).ToArray();
        }

        var halves = new ushort[values.Length];
        for (var i = 0; i < halves.Length; i++)
        {
            halves[i] = type == SafetensorsType.F16
                ? BitConverter.HalfToUInt16Bits((Half)values[i])
                : ToBrain(values[i]);
        }

        return MemoryMarshal.AsBytes<ushort>(halves).ToArray();
    }

    /// <summary>Rounds to the nearest bfloat16, ties to even; not-a-number stays so.</summary>
    private static ushort ToBrain(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private void WriteHeader(Stream stream, List<KeyValuePair<string, Pending>> ordered)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach (var (key, value) in _metadata)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
            long offset = 0;
            foreach (var (name, pending) in ordered)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafetensorsHeader.Word(pending.Type));
                WriteNumbers(writer, "shape", pending.Shape);
                WriteNumbers(writer, "data_offsets", [offset, offset + pending.ByteCount]);
                writer.WriteEndObject();
                offset += pending.ByteCount;
            }

            writer.WriteEndObject();
        }

        // Blanks at the end of the header let the data begin at a multiple of eight.
        while (json.Length % 8 != 0)
        {
            json.WriteByte((byte)' ');
        }

        if (json.Length > SafetensorsHeader.MaxHeaderBytes || ordered.Count > SafetensorsHeader.MaxTensors)
        {
            throw new InvalidOperationException(
                $"{ordered.Count} tensors with a header of {json.Length} bytes are more than one safetensors file may have.");
        }

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        json.WriteTo(stream);
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, IEnumerable<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }

    private sealed record Pending(SafetensorsType Type, long[] Shape, long Count, Func<byte[]> Bytes)
    {
        public long ByteCount => Count * SafetensorsHeader.ByteSize(Type);
    }
}
