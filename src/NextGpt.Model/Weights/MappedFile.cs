using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace NextGpt.Model.Weights;

/// <summary>A file of any length, mapped into memory; a file that is cut short while open gets a sentence at the next read.</summary>
/// <remarks>Reading is thread-safe.</remarks>
internal sealed class MappedFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;

    private MappedFile(string path, SafeFileHandle file)
    {
        Path = path;
        _file = file;
        Length = RandomAccess.GetLength(file);
        if (Length == 0)
        {
            throw new InvalidDataException($"{path}: the file is empty (0 bytes are too few); fetch it again.");
        }

        _mapping = MemoryMappedFile.CreateFromFile(
            file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _mapping.Dispose();
            throw;
        }
    }

    /// <summary>For messages.</summary>
    public string Path { get; }

    /// <summary>Bytes of the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="InvalidDataException">The file is empty.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            return new MappedFile(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Copies a range.</summary>
    /// <param name="from">First byte.</param>
    /// <param name="destination">As long as the range.</param>
    /// <exception cref="InvalidDataException">The range is not in the file, or the file became shorter.</exception>
    public void Copy(long from, Span<byte> destination)
    {
        if (from < 0 || from > Length - destination.Length)
        {
            throw new InvalidDataException(
                $"{Path}: {destination.Length} bytes at {from} are asked for, the file has {Length}; it is damaged or cut short.");
        }

        // A mapping of a file that was cut short kills the process when touched: ask before.
        if (RandomAccess.GetLength(_file) < Length)
        {
            throw new InvalidDataException($"{Path}: the file became shorter while it was open; load it again.");
        }

        CopyChunk(from, destination);
    }

    /// <summary>A range as an array.</summary>
    /// <param name="from">First byte.</param>
    /// <param name="count">Bytes; the caller has capped it.</param>
    public byte[] Bytes(long from, int count)
    {
        var bytes = new byte[count];
        Copy(from, bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
        _file.Dispose();
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
}
