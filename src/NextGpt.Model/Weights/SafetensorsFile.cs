using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NextGpt.Model.Weights;

/// <summary>One safetensors file, mapped into memory; its header is checked before anything in it is believed.</summary>
/// <remarks>
/// Opening reads only the header. Reading is thread-safe. A file that is cut short while open gets a sentence at the next
/// read. Format: the safetensors specification of Hugging Face, version 0.x.
/// </remarks>
public sealed class SafetensorsFile : IStoredTensors
{
    private readonly MappedFile _file;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsFile(MappedFile file)
    {
        Name = file.Path;
        _file = file;
        Span<byte> lengthWord = stackalloc byte[8];
        if (file.Length < 10)
        {
            throw new InvalidDataException(
                $"{Name}: {file.Length} bytes are too few for a safetensors file; the file is damaged or is not safetensors.");
        }

        file.Copy(0, lengthWord);
        var headerLength = SafetensorsHeader.CheckLength(
            Name, BinaryPrimitives.ReadUInt64LittleEndian(lengthWord), file.Length);
        _dataStart = 8 + headerLength;
        _header = SafetensorsHeader.Parse(Name, file.Bytes(8, headerLength), file.Length - _dataStart);
        Tensors = _header.Entries.ToDictionary(
            pair => pair.Key,
            pair => new TensorInfo(pair.Value.Shape, SafetensorsHeader.Word(pair.Value.Type)),
            StringComparer.Ordinal);
    }

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
        var file = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
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
            Convert(entry, (long)from * size, size, part);
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
        if (!StoredNumbers.TryToIntegers(entry.Type, bytes, destination))
        {
            throw new InvalidDataException(
                $"{Name}: tensor '{name}' is {SafetensorsHeader.Word(entry.Type)}, whole numbers up to 63 bits were expected.");
        }
    }

    /// <inheritdoc/>
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
    public void Dispose() => _file.Dispose();

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

    private void Convert(SafetensorsHeader.Entry entry, long offset, int size, Span<float> part)
    {
        if (entry.Type == SafetensorsType.F32)
        {
            CopyMapped(entry.Begin + offset, MemoryMarshal.AsBytes(part));
            return;
        }

        var bytes = new byte[part.Length * size];
        CopyMapped(entry.Begin + offset, bytes);
        StoredNumbers.ToSingles(entry.Type, bytes, part);
    }

    private void CopyMapped(long from, Span<byte> destination) => _file.Copy(_dataStart + from, destination);
}
