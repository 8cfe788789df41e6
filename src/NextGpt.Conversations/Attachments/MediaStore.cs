using System.Security.Cryptography;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Attachments;

/// <summary>
/// Media as files named by their SHA-256 (LOG-3): temporary name, flush, rename, folder flush; the same bytes lie there
/// once. Names are made from hashes alone, so nothing a person sends becomes a path (THR-14). Thread-safe.
/// </summary>
internal sealed class MediaStore
{
    private readonly IFileLayer _files;
    private readonly string _folder;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _pinned = new(StringComparer.Ordinal);

    private MediaStore(IFileLayer files, string folder) => (_files, _folder) = (files, folder);

    /// <summary>Opens the store and removes files that were never finished.</summary>
    public static MediaStore Open(IFileLayer files, string folder)
    {
        if (!files.FolderExists(folder))
        {
            files.CreateFolder(folder);
            files.FlushFolder(Path.GetDirectoryName(folder)!);   // callers pass full paths
        }

        foreach (var shelf in files.ListFolders(folder))
        {
            foreach (var path in files.ListFiles(shelf))
            {
                if (path.EndsWith(WholeFile.Unfinished, StringComparison.Ordinal))
                {
                    files.Delete(path);
                }
            }
        }

        return new(files, folder);
    }

    /// <summary>Stores a file if it is not there yet and pins it until <see cref="Release"/>.</summary>
    /// <returns>SHA-256 as 64 lower-case hexadecimal digits.</returns>
    public string Put(ReadOnlySpan<byte> bytes)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        lock (_lock)
        {
            var path = PathOf(hash);
            if (!IsSound(path, bytes.Length))
            {
                var shelf = Path.GetDirectoryName(path)!;   // two letters below the store's folder
                if (!_files.FolderExists(shelf))
                {
                    _files.CreateFolder(shelf);
                    _files.FlushFolder(_folder);
                }

                _files.Write(path, bytes);
            }

            _pinned[hash] = _pinned.GetValueOrDefault(hash) + 1;
            return hash;
        }
    }

    /// <summary>Unpins files; those that no kept turn uses are removed.</summary>
    public void Release(IEnumerable<string> hashes, Func<string, bool> isUsed)
    {
        lock (_lock)
        {
            foreach (var hash in hashes)
            {
                var left = _pinned.GetValueOrDefault(hash) - 1;
                if (left > 0)
                {
                    _pinned[hash] = left;
                    continue;
                }

                _pinned.Remove(hash);
                if (!isUsed(hash))
                {
                    Delete(hash);
                }
            }
        }
    }

    /// <summary>Removes files and flushes their folders, except those a turn under way has pinned.</summary>
    public int Remove(IEnumerable<string> hashes)
    {
        var removed = 0;
        lock (_lock)
        {
            foreach (var hash in hashes.Where(hash => !_pinned.ContainsKey(hash)))
            {
                removed += Delete(hash) ? 1 : 0;
            }
        }

        return removed;
    }

    /// <summary>Reads a file and checks it against its name; null if it is missing or damaged (LOG-6).</summary>
    public byte[]? Read(string hash)
    {
        var path = PathOf(hash);
        if (!_files.FileExists(path))
        {
            return null;
        }

        var bytes = _files.Read(path);
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == hash ? bytes : null;
    }

    /// <summary>Whether the file is there, unchecked.</summary>
    public bool Has(string hash) => _files.FileExists(PathOf(hash));

    /// <summary>Hashes of all files in the store.</summary>
    public IReadOnlyList<string> All() =>
    [
        .. _files.ListFolders(_folder).SelectMany(_files.ListFiles).Select(path => Path.GetFileName(path)).Where(IsHash),
    ];

    /// <summary>Files that no turn uses and no turn under way has pinned.</summary>
    public IReadOnlyList<string> Orphans(Func<string, bool> isUsed)
    {
        lock (_lock)
        {
            return [.. All().Where(hash => !_pinned.ContainsKey(hash) && !isUsed(hash))];
        }
    }

    /// <summary>Where a file lies. Refuses anything that is not a hash.</summary>
    public string PathOf(string hash) => IsHash(hash)
        ? Path.Combine(_folder, hash[..2], hash)
        : throw new ArgumentException("A medium is named by 64 lower-case hexadecimal digits.", nameof(hash));

    private static bool IsHash(string name) =>
        name.Length == 64 && name.All(letter => letter is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    private bool IsSound(string path, int length)
    {
        if (!_files.FileExists(path))
        {
            return false;
        }

        using var file = _files.Open(path, FileUse.Read);
        return file.Length == length;
    }

    private bool Delete(string hash)
    {
        var path = PathOf(hash);
        if (!_files.FileExists(path))
        {
            return false;
        }

        _files.Delete(path);
        _files.FlushFolder(Path.GetDirectoryName(path)!);   // two letters below the store's folder
        return true;
    }
}
