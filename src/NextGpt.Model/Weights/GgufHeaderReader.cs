using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Model.Weights;

/// <summary>
/// Reads the header of a GGUF file (versions 2 and 3, little endian) without believing any of it: every count is
/// capped and checked against the bytes that are left before anything is allocated for it.
/// </summary>
/// <remarks>Format: ggml, <c>docs/gguf.md</c>.</remarks>
internal sealed unsafe class GgufHeaderReader(string fileName, byte* data, long length)
{
    private const int MostTensors = 100_000;
    private const int MostKeys = 100_000;
    private const int MostElements = 16 << 20;
    private const int LongestName = 512;
    private const int LongestText = 64 << 20;
    private const int DeepestArray = 4;
    private const int MostDimensions = 4;
    private const long LongestHeader = 512L << 20;

    private long _position;

    /// <summary>Reads metadata and tensor table and checks that tensors lie inside the file, aligned, side by side.</summary>
    /// <exception cref="InvalidDataException">Names the file, the key or tensor, and what is wrong with it.</exception>
    public (GgufMetadata Metadata, IReadOnlyDictionary<string, GgufTensor> Tensors) Read()
    {
        if (length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "the magic number")) != 0x4655_4747)
        {
            throw Bad("does not begin with 'GGUF', so it is not a GGUF file; give the path of a .gguf file");
        }

        var version = U32("the version");
        if (version is not (2 or 3))
        {
            throw Bad(BinaryPrimitives.ReverseEndianness(version) is 2 or 3
                ? "is written in big-endian order, which is not supported; convert it to little-endian"
                : $"has GGUF version {version}; versions 2 and 3 are supported");
        }

        var tensorCount = Count(U64("the number of tensors"), MostTensors, 24, "tensors");
        var keyCount = Count(U64("the number of metadata keys"), MostKeys, 13, "metadata keys");

        var values = new Dictionary<string, object>(keyCount, StringComparer.Ordinal);
        for (var index = 0; index < keyCount; index++)
        {
            var key = Text(LongestName, $"the name of metadata key {index}");
            if (!values.TryAdd(key, Value(U32($"the type of '{key}'"), key, DeepestArray)))
            {
                throw Bad($"has metadata '{key}' twice");
            }
        }

        var metadata = new GgufMetadata(fileName, values);
        var alignment = Alignment(metadata);
        return (metadata, Tensors(tensorCount, alignment));
    }

    private long Alignment(GgufMetadata metadata)
    {
        var alignment = metadata.Integer("general.alignment") ?? 32;
        return alignment is >= 8 and <= 1 << 20 && long.IsPow2(alignment)
            ? alignment
            : throw Bad($"has metadata 'general.alignment' {alignment}; expected a power of two from 8 to 1,048,576");
    }

    private Dictionary<string, GgufTensor> Tensors(int count, long alignment)
    {
        var declared = new (string Name, long[] Shape, GgufType Type, long Offset, long Size)[count];
        for (var index = 0; index < count; index++)
        {
            declared[index] = Tensor(index);
        }

        // The data begin at the next aligned position; a file without tensors may end before it.
        var start = checked((_position + alignment - 1) / alignment * alignment);
        var tensors = new Dictionary<string, GgufTensor>(count, StringComparer.Ordinal);
        foreach (var (name, shape, type, offset, size) in declared)
        {
            if (offset % alignment != 0)
            {
                throw Bad($"tensor '{name}' begins at offset {offset}, which is not a multiple of {alignment}");
            }

            if (offset > length - start || size > length - start - offset)
            {
                throw Bad(
                    $"tensor '{name}' needs bytes {offset} to {(UInt128)offset + (UInt128)size} of the data, but the file has only " +
                    $"{Math.Max(0, length - start)}; it is cut short, fetch it again");
            }

            if (!tensors.TryAdd(name, new GgufTensor(name, shape, type, start + offset, size)))
            {
                throw Bad($"has tensor '{name}' twice");
            }
        }

        GgufTensor? before = null;
        foreach (var tensor in tensors.Values.OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.SizeBytes))
        {
            if (before is not null && tensor.Start < before.Start + before.SizeBytes)
            {
                throw Bad($"tensors '{before.Name}' and '{tensor.Name}' overlap");
            }

            before = tensor;
        }

        return tensors;
    }

    private (string Name, long[] Shape, GgufType Type, long Offset, long Size) Tensor(int index)
    {
        var name = Text(LongestName, $"the name of tensor {index}");
        var dimensions = U32($"the number of dimensions of tensor '{name}'");
        if (dimensions is 0 or > MostDimensions)
        {
            throw Bad($"tensor '{name}' has {dimensions} dimensions; expected 1 to {MostDimensions}");
        }

        var shape = new long[dimensions];
        var elements = 1L;
        for (var dimension = (int)dimensions - 1; dimension >= 0; dimension--)   // the file has the innermost first
        {
            var size = U64($"the shape of tensor '{name}'");
            if (size is 0 or > int.MaxValue || (long)size > long.MaxValue / 8 / elements)
            {
                throw Bad($"tensor '{name}' has a dimension of {size} elements, which no tensor in a file of this size has");
            }

            shape[dimension] = (long)size;
            elements *= (long)size;
        }

        var number = U32($"the type of tensor '{name}'");
        var type = (GgufType)number;
        if (GgufTypes.Block(type) is not { } block)
        {
            throw Bad(
                $"tensor '{name}' is stored as {GgufTypes.Describe(number)}, which is not supported; supported are " +
                $"{GgufTypes.Known}; use another quantisation of this model");
        }

        if (shape[^1] % block.Elements != 0)
        {
            throw Bad(
                $"tensor '{name}' has rows of {shape[^1]} elements; {type} stores blocks of {block.Elements}, so a row " +
                "must be a multiple of that");
        }

        var offset = U64($"the offset of tensor '{name}'");
        if (offset > long.MaxValue)
        {
            throw Bad($"tensor '{name}' begins at offset {offset}, outside any file");
        }

        return (name, shape, type, (long)offset, elements / block.Elements * block.Bytes);
    }

    private object Value(uint type, string key, int depth)
    {
        var what = $"the value of '{key}'";
        return type switch
        {
            0 => (long)Take(1, what)[0],
            1 => (long)(sbyte)Take(1, what)[0],
            2 => (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what)),
            3 => (long)BinaryPrimitives.ReadInt16LittleEndian(Take(2, what)),
            4 => (long)U32(what),
            5 => (long)(int)U32(what),
            6 => (double)BitConverter.UInt32BitsToSingle(U32(what)),
            7 => Take(1, what)[0] is var flag && flag <= 1
                ? flag == 1
                : throw Bad($"metadata '{key}' is a boolean with value {flag}; expected 0 or 1"),
            8 => Text(LongestText, what),
            9 => Array(key, depth),
            10 => U64(what) is var wide && wide <= long.MaxValue ? (object)(long)wide : wide,
            11 => (long)U64(what),
            12 => BitConverter.UInt64BitsToDouble(U64(what)),
            _ => throw Bad($"metadata '{key}' has value type {type}; types 0 to 12 exist"),
        };
    }

    private object Array(string key, int depth)
    {
        if (depth == 0)
        {
            throw Bad($"metadata '{key}' nests arrays deeper than {DeepestArray}");
        }

        var type = U32($"the element type of '{key}'");
        var smallest = type switch
        {
            0 or 1 or 7 => 1,
            2 or 3 => 2,
            4 or 5 or 6 => 4,
            8 or 10 or 11 or 12 => 8,
            9 => 12,
            _ => throw Bad($"metadata '{key}' has element type {type}; types 0 to 12 exist"),
        };
        var count = Count(U64($"the length of '{key}'"), MostElements, smallest, $"elements in '{key}'");
        return type switch
        {
            7 => Fill<bool>(),
            6 or 12 => Fill<double>(),
            8 => Fill<string>(),
            9 or 10 => Fill<object>(),
            _ => Fill<long>(),
        };

        object Fill<T>()
        {
            var array = new T[count];
            for (var index = 0; index < count; index++)
            {
                array[index] = (T)Value(type, key, depth - 1);
            }

            // Unsigned 64-bit numbers are ordinary integers unless one of them does not fit.
            return type == 10 && System.Array.TrueForAll((object[])(object)array, element => element is long)
                ? System.Array.ConvertAll((object[])(object)array, element => (long)element)
                : array;
        }
    }

    private string Text(int longest, string what)
    {
        var size = U64(what);
        if (size > (ulong)longest)
        {
            throw Bad($"{what} is {size} bytes long; at most {longest} are accepted");
        }

        return Encoding.UTF8.GetString(Take((int)size, what));
    }

    private int Count(ulong count, int most, int smallestBytes, string what)
    {
        if (count > (ulong)most || (long)count * smallestBytes > length - _position)
        {
            throw Bad($"claims {count} {what}, more than it can hold; it is damaged, fetch it again");
        }

        return (int)count;
    }

    private uint U32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    private ulong U64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > length - _position)
        {
            throw Bad($"ends inside {what}; it is cut short, fetch it again");
        }

        if (_position + count > LongestHeader)
        {
            throw Bad($"has a header longer than {LongestHeader >> 20} MiB at {what}");
        }

        var bytes = new ReadOnlySpan<byte>(data + _position, count);
        _position += count;
        return bytes;
    }

    private InvalidDataException Bad(string problem) => new($"{fileName}: {problem}.");
}
