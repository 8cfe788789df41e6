using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NextGpt.Conversations.Files;

/// <summary>The real disk: owner-only modes, flushes that reach the device, folders flushed where the system allows it.</summary>
internal sealed partial class DiskFileLayer : IFileLayer
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    public IOpenFile Open(string path, FileUse use)
    {
        var options = new FileStreamOptions
        {
            Mode = use is FileUse.CreateNew ? FileMode.CreateNew : FileMode.Open,
            Access = use is FileUse.Read ? FileAccess.Read : FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (use is FileUse.CreateNew && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerFile;
        }

        return new DiskFile(new FileStream(path, options));
    }

    public bool FileExists(string path) => File.Exists(path);

    public bool IsOwnerOnly(string path) =>
        OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & ~OwnerFolder) is UnixFileMode.None;

    public bool FolderExists(string path) => Directory.Exists(path);

    public IReadOnlyList<string> ListFiles(string folder) => Sorted(folder, Directory.GetFiles);

    public IReadOnlyList<string> ListFolders(string folder) => Sorted(folder, Directory.GetDirectories);

    public void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerFolder);
        }
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void RenameFolder(string from, string to) => Directory.Move(from, to);

    public void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder: what was wanted.
        }
    }

    public void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;   // NTFS journals its names; there is no handle to flush
        }

        using var handle = OpenFolder(folder);
        if (fsync(handle) != 0)
        {
            throw new IOException($"The folder {folder} could not be flushed to disk.", Marshal.GetLastPInvokeError());
        }
    }

    private static string[] Sorted(string folder, Func<string, string[]> list)
    {
        try
        {
            var paths = list(folder);
            Array.Sort(paths, StringComparer.Ordinal);
            return paths;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static SafeFileHandle OpenFolder(string folder)
    {
        const int readOnlyCloseOnExec = 0x80000;
        var descriptor = open(folder, OperatingSystem.IsLinux() ? readOnlyCloseOnExec : 0);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"The folder {folder} could not be opened.", Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle handle);

    private sealed class DiskFile(FileStream stream) : IOpenFile
    {
        public long Length => RandomAccess.GetLength(stream.SafeFileHandle);

        public int Read(long offset, Span<byte> target)
        {
            var total = 0;
            while (total < target.Length)
            {
                var read = RandomAccess.Read(stream.SafeFileHandle, target[total..], offset + total);
                if (read == 0)
                {
                    break;
                }

                total += read;
            }

            return total;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes) =>
            RandomAccess.Write(stream.SafeFileHandle, bytes, offset);

        public void SetLength(long length) => RandomAccess.SetLength(stream.SafeFileHandle, length);

        public void Flush() => RandomAccess.FlushToDisk(stream.SafeFileHandle);

        public void Dispose() => stream.Dispose();
    }
}
