using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace NextGpt.Model.Weights;

/// <summary>A memory-mapped GGUF file: metadata, tensors as float32, and their raw blocks.</summary>
/// <remarks>
/// The header is checked whole when the file is opened; afterwards reading cannot leave the mapping. Thread-safe for
/// reading; nothing handed out by <see cref="Blocks"/> may be used after <see cref="Dispose"/>.
/// </remarks>
internal sealed unsafe class GgufFile : ITensorSource
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeMemoryMappedViewHandle _handle;
    private readonly byte* _data;
    private readonly IReadOnlyDictionary<string, GgufTensor> _tensors;
    private bool _disposed;

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Names the file and what is wrong with its header.</exception>
    public GgufFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Name = path;
        var length = new FileInfo(path) is { Exists: true } file
            ? file.Length
            : throw new FileNotFoundException($"{path}: there is no such file; give the path of a .gguf file.", path);
        if (length == 0)
        {
            throw new InvalidDataException($"{path}: the file is empty; fetch it again.");
        }

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        try
        {
            _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            _handle = _view.SafeMemoryMappedViewHandle;
            _handle.AcquirePointer(ref _data);
            _data += _view.PointerOffset;
            (Metadata, _tensors) = new GgufHeaderReader(path, _data, length).Read();
            Tensors = _tensors.ToDictionary(
                pair => pair.Key, pair => new TensorInfo(pair.Value.Shape, pair.Value.Type.ToString()), StringComparer.Ordinal);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Architecture, tokenizer, chat template.</summary>
    public GgufMetadata Metadata { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Where a tensor's blocks lie and how they are stored.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public GgufTensor Find(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"{Name}: there is no tensor '{name}'.");

    /// <summary>The first byte of a tensor's blocks, rows one after the other. Valid until the file is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public byte* Blocks(GgufTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _data + tensor.Start;
    }

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        var tensor = Find(name);
        Check(tensor, destination.Length);
        fixed (float* target = destination)
        {
            GgufDequantiser.Rows(
                tensor.Type, Blocks(tensor), (int)tensor.RowLength, tensor.RowBytes, tensor.Rows, target, static row => row);
        }
    }

    /// <summary>Refuses a destination of another size than the tensor.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    internal static void Check(GgufTensor tensor, long destinationLength)
    {
        var count = tensor.Rows * tensor.RowLength;
        if (count != destinationLength)
        {
            throw new ArgumentException(
                $"tensor '{tensor.Name}' has {count} elements; the destination has room for {destinationLength}.");
        }
    }

    /// <summary>Closes the mapping. Call it once nothing reads from it any more.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_data is not null)
        {
            _handle.ReleasePointer();
        }

        _view?.Dispose();
        _map.Dispose();
    }
}
