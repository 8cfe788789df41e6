using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Microsoft.Win32.SafeHandles;

namespace NextGpt.Model.Weights;

/// <summary>One safetensors file, mapped into memory; its header is checked before anything in it is believed.</summary>
/// <remarks>
/// Opening reads only the header. Reading is thread-safe. A file that is cut short while open gets a sentence at the next
/// read. Format: the safetensors specification of Hugging Face, version 0.x.
/// </remarks>
public sealed class SafetensorsFile : ITensorSource
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;
    private readonly long _length;

    private SafetensorsFile(string path, SafeFileHandle file)
    {
        Name = path;
        _file = file;
        _length = RandomAccess.GetLength(file);
        Span<byte> lengthWord = stackalloc byte[8];
        if (_length < 10 || RandomAccess.Read(file, lengthWord, 0) != 8)
        {
            throw new InvalidDataException(
                $"{path}: {_length} bytes are too few for a safetensors file; the file is damaged or is not safetensors.");
        }

        var headerLength = SafetensorsHeader.CheckLength(path, BinaryPrimitives.ReadUInt64LittleEndian(lengthWord), _length);
        _dataStart = 8 + headerLength;
        _mapping = MemoryMappedFile.CreateFromFile(
            file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            _header = WithBytes(8, headerLength, json => SafetensorsHeader.Parse(path, json, _length - _dataStart));
        }
        catch
        {
            _view?.Dispose();
            _mapping.Dispose();
            throw;
        }

        Tensors = _header.Entries.ToDictionary(
            pair => pair.Key,
            pair => new TensorInfo(pair.Value.Shape, SafetensorsHeader.Word(pair.Value.Type)),
            StringComparer.Ordinal);
    }

    private delegate TResult ByteReader<out TResult>(ReadOnlySpan<byte> bytes);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The strings the writer left in the header, for example <c>format: pt</c>; may be empty.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            return new SafetensorsFile(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The stored type of a tensor.</summary>
    /// <param name="name">One of <see cref="Tensors"/>.</param>
    public SafetensorsType TypeOf(string name) => Find(name).Type;

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        var entry = Find(name, destination.Length);
        const int Chunk = 1 << 20;
        var size = SafetensorsHeader.ByteSize(entry.Type);
        for (var from = 0; from < destination.Length; from += Chunk)
        {
            var part = destination.Slice(from, Math.Min(Chunk, destination.Length - from));
            Convert(name, entry, (long)from * size, size, part);
        }
    }

    /// <summary>Reads a tensor of whole numbers (or truth values), row-major.</summary>
    /// <param name="name">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">As many elements as the shape has.</param>
    /// <exception cref="InvalidDataException">The tensor holds fractions.</exception>
    public void ReadIntegers(string name, Span<long> destination)
    {
        var entry = Find(name, destination.Length);
        var size = SafetensorsHeader.ByteSize(entry.Type);
        var bytes = new byte[destination.Length * (long)size];
        ReadBytes(name, bytes);
        switch (entry.Type)
        {
            case SafetensorsType.I64:
                MemoryMarshal.Cast<byte, long>(bytes).CopyTo(destination);
                break;
            case SafetensorsType.I32:
                Widen<int, long>(bytes, destination, value => value);
                break;
            case SafetensorsType.U32:
                Widen<uint, long>(bytes, destination, value => value);
                break;
            case SafetensorsType.I16:
                Widen<short, long>(bytes, destination, value => value);
                break;
            case SafetensorsType.U16:
                Widen<ushort, long>(bytes, destination, value => value);
                break;
            case SafetensorsType.I8:
                Widen<sbyte, long>(bytes, destination, value => value);
                break;
            case SafetensorsType.U8 or SafetensorsType.Bool:
                Widen<byte, long>(bytes, destination, value => value);
                break;
            default:
                throw new InvalidDataException(
                    $"{Name}: tensor '{name}' is {SafetensorsHeader.Word(entry.Type)}, whole numbers up to 63 bits were expected.");
        }
    }

    /// <summary>Copies a tensor's bytes as stored (little-endian, row-major).</summary>
    /// <param name="name">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">As many bytes as the tensor has.</param>
    public void ReadBytes(string name, Span<byte> destination)
    {
        var entry = Find(name);
        if (destination.Length != entry.End - entry.Begin)
        {
            throw new ArgumentException(
                $"{Name}: tensor '{name}' has {entry.End - entry.Begin} bytes, the destination {destination.Length}.",
                nameof(destination));
        }

        CopyMapped(entry.Begin, destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
    }

    private SafetensorsHeader.Entry Find(string name) =>
        _header.Entries.TryGetValue(name, out var entry)
            ? entry
            : throw new InvalidDataException($"{Name}: there is no tensor '{name}'; it has {_header.Entries.Count} others.");

    private SafetensorsHeader.Entry Find(string name, int elements)
    {
        var entry = Find(name);
        var count = (entry.End - entry.Begin) / SafetensorsHeader.ByteSize(entry.Type);
        return count == elements
            ? entry
            : throw new ArgumentException($"{Name}: tensor '{name}' has {count} elements, the destination {elements}.");
    }

    private void Convert(string name, SafetensorsHeader.Entry entry, long offset, int size, Span<float> part)
    {
        if (entry.Type == SafetensorsType.F32)
        {
            CopyMapped(entry.Begin + offset, MemoryMarshal.AsBytes(part));
            return;
        }

        var bytes = new byte[part.Length * size];
        CopyMapped(entry.Begin + offset, bytes);
        switch (entry.Type)
        {
            case SafetensorsType.F16:
                HalfToSingle(MemoryMarshal.Cast<byte, ushort>(bytes), part);
                break;
            case SafetensorsType.BF16:
                BrainToSingle(MemoryMarshal.Cast<byte, ushort>(bytes), part);
                break;
            case SafetensorsType.F64:
                Widen<double, float>(bytes, part, value => (float)value);
                break;
            case SafetensorsType.I64:
                Widen<long, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U64:
                Widen<ulong, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I32:
                Widen<int, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U32:
                Widen<uint, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I16:
                Widen<short, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U16:
                Widen<ushort, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I8:
                Widen<sbyte, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U8 or SafetensorsType.Bool:
                Widen<byte, float>(bytes, part, value => value);
                break;
            default:
                throw new InvalidDataException($"{Name}: tensor '{name}' has the type {entry.Type}, which cannot be read.");
        }
    }

    private static void Widen<TStored, TWanted>(ReadOnlySpan<byte> bytes, Span<TWanted> values, Func<TStored, TWanted> widen)
        where TStored : struct
    {
        var stored = MemoryMarshal.Cast<byte, TStored>(bytes);
        for (var i = 0; i < stored.Length; i++)
        {
            values[i] = widen(stored[i]);
        }
    }

    /// <summary>IEEE half to single, exact for every value, eight at a time.</summary>
    private static void HalfToSingle(ReadOnlySpan<ushort> halves, Span<float> singles)
    {
        var i = 0;
        var rebias = Vector256.Create(BitConverter.UInt32BitsToSingle(0x77800000));   // 2^112: exponent bias 15 to 127
        var infinite = Vector256.Create(0x7C00u << 13);
        for (; i <= halves.Length - 8; i += 8)
        {
            var wide = Vector256.WidenLower(Vector128.Create(halves.Slice(i, 8)).ToVector256());
            var magnitude = (wide & Vector256.Create(0x7FFFu)) << 13;
            var scaled = (magnitude.AsSingle() * rebias).AsUInt32();
            var special = Vector256.GreaterThanOrEqual(magnitude, infinite) & Vector256.Create(0x7F800000u);
            var sign = (wide & Vector256.Create(0x8000u)) << 16;
            (scaled | special | sign).AsSingle().CopyTo(singles[i..]);
        }

        for (; i < halves.Length; i++)
        {
            singles[i] = (float)BitConverter.UInt16BitsToHalf(halves[i]);
        }
    }

    private static void BrainToSingle(ReadOnlySpan<ushort> halves, Span<float> singles)
    {
        for (var i = 0; i < halves.Length; i++)
        {
            singles[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        }
    }

    private void CopyMapped(long from, Span<byte> destination)
    {
        // A mapping of a file that was cut short kills the process when touched: ask before.
        if (RandomAccess.GetLength(_file) < _length)
        {
            throw new InvalidDataException($"{Name}: the file became shorter while it was open; load it again.");
        }

        const int Chunk = 1 << 30;
        for (var done = 0; done < destination.Length;)
        {
            var part = destination.Slice(done, Math.Min(Chunk, destination.Length - done));
            CopyChunk(_dataStart + from + done, part);
            done += part.Length;
        }
    }

    private unsafe void CopyChunk(long offset, Span<byte> destination)
    {
        byte* pointer = null;
        var handle = _view.SafeMemoryMappedViewHandle;
        handle.AcquirePointer(ref pointer);
        try
        {
            new ReadOnlySpan<byte>(pointer + _view.PointerOffset + offset, destination.Length).CopyTo(destination);
        }
        finally
        {
            handle.ReleasePointer();
        }
    }

    private unsafe TResult WithBytes<TResult>(long offset, int count, ByteReader<TResult> read)
    {
        byte* pointer = null;
        var handle = _view.SafeMemoryMappedViewHandle;
        handle.AcquirePointer(ref pointer);
        try
        {
            return read(new ReadOnlySpan<byte>(pointer + _view.PointerOffset + offset, count));
        }
        finally
        {
            handle.ReleasePointer();
        }
    }
}
