using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Tests.Files;

/// <summary>
/// A disk in memory that keeps only what was flushed. At a crash, what was written and not flushed is dropped, kept or torn
/// sector by sector in any order; names whose folder was not flushed come and go. It can be full, read-only or out of
/// handles, and it can stop working after a number of operations.
/// </summary>
internal sealed class FaultyFileLayer : IFileLayer
{
    private const int Sector = 512;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private readonly List<NameChange> _unflushedNames = [];
    private Dictionary<string, Content> _durableFiles = new(StringComparer.Ordinal);
    private HashSet<string> _durableFolders = new(StringComparer.Ordinal);
    private int _mount;

    /// <summary>Bytes that still fit; null is no limit.</summary>
    public long? SpaceLeft { get; set; }

    public bool IsReadOnly { get; set; }

    public bool HasNoHandles { get; set; }

    public bool FailsToFlush { get; set; }

    /// <summary>Operations until the power fails; null is never.</summary>
    public int? OperationsLeft { get; set; }

    public int Operations { get; private set; }

    /// <summary>Everything that would survive a crash in the worst case.</summary>
    public IEnumerable<byte[]> DurableContents() => _durableFiles.Values.Select(content => content.Durable);

    /// <summary>All files as programs see them.</summary>
    public IReadOnlyDictionary<string, byte[]> Contents() =>
        _files.ToDictionary(pair => pair.Key, pair => pair.Value.Now.ToArray());

    /// <summary>The power fails and comes back.</summary>
    public void Crash(Random random)
    {
        lock (_lock)
        {
            OperationsLeft = null;
            _mount++;
            ApplyNames(random);
            _files.Clear();
            _folders.Clear();
            _folders.UnionWith(_durableFolders);
            foreach (var (path, content) in _durableFiles)
            {
                if (_folders.Contains(Path.GetDirectoryName(path)!))
                {
                    content.Crash(random);
                    _files[path] = content;
                }
            }

            _durableFiles = new(_files, StringComparer.Ordinal);
            _unflushedNames.Clear();
        }
    }

    /// <summary>Changes a file behind everybody's back.</summary>
    public void Corrupt(string path, byte[] bytes)
    {
        lock (_lock)
        {
            var content = new Content();
            content.Write(0, bytes);
            content.Flush();
            _files[path] = _durableFiles[path] = content;
        }
    }

    public IOpenFile Open(string path, FileUse use)
    {
        lock (_lock)
        {
            Step(writes: use is not FileUse.Read);
            if (HasNoHandles)
            {
                throw new IOException("Too many open files", 24);
            }

            if (use is FileUse.CreateNew)
            {
                if (_files.ContainsKey(path) || !_folders.Contains(Path.GetDirectoryName(path)!))
                {
                    throw new IOException("exists, or no folder");
                }

                var made = new Content();
                _files[path] = made;
                _unflushedNames.Add(new(path, null, made));
            }

            return _files.TryGetValue(path, out var content)
                ? new OpenFile(this, content, _mount)
                : throw new FileNotFoundException(path);
        }
    }

    public bool FileExists(string path) => Locked(() => _files.ContainsKey(path));

    public bool FolderExists(string path) => Locked(() => _folders.Contains(path));

    public bool IsOwnerOnly(string path) => true;

    public IReadOnlyList<string> ListFiles(string folder) => Locked(() => Inside(_files.Keys, folder));

    public IReadOnlyList<string> ListFolders(string folder) => Locked(() => Inside(_folders, folder));

    public void CreateFolder(string folder)
    {
        lock (_lock)
        {
            Step(writes: !_folders.Contains(folder));
            for (var path = folder; path is not null && _folders.Add(path); path = Path.GetDirectoryName(path))
            {
                _unflushedNames.Add(new(path, null, null));
            }
        }
    }

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            Step(writes: true);
            _files.Remove(from, out var content);
            _files[to] = content ?? throw new FileNotFoundException(from);
            _unflushedNames.Add(new(to, from, content));
        }
    }

    public void RenameFolder(string from, string to)
    {
        lock (_lock)
        {
            Step(writes: true);
            if (_folders.Contains(to))
            {
                throw new IOException("exists");
            }

            Move(_files, _folders, from, to);
            _unflushedNames.Add(new(to, from, null));
        }
    }

    public void Delete(string path)
    {
        lock (_lock)
        {
            Step(writes: true);
            if (_files.Remove(path))
            {
                _unflushedNames.Add(new(null, path, new()));
            }
        }
    }

    public void DeleteFolder(string folder)
    {
        lock (_lock)
        {
            Step(writes: true);
            if (_folders.Contains(folder))
            {
                Drop(_files, _folders, folder);
                _unflushedNames.Add(new(null, folder, null));
            }
        }
    }

    public void FlushFolder(string folder)
    {
        lock (_lock)
        {
            Step(writes: true);
            FlushFails();

            // Changes of names are journaled in order: flushing one makes all that came before it durable.
            var last = _unflushedNames.FindLastIndex(change => Path.GetDirectoryName(change.To ?? change.From) == folder);
            for (var i = 0; i <= last; i++)
            {
                _unflushedNames[i].Apply(_durableFiles, _durableFolders);
            }

            _unflushedNames.RemoveRange(0, last + 1);
        }
    }

    private static List<string> Inside(IEnumerable<string> paths, string folder) =>
        [.. paths.Where(path => Path.GetDirectoryName(path) == folder).Order(StringComparer.Ordinal)];

    private static void Move(Dictionary<string, Content> files, HashSet<string> folders, string from, string to)
    {
        var prefix = from + Path.DirectorySeparatorChar;
        foreach (var path in files.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            files.Remove(path, out var content);
            files[to + path[from.Length..]] = content!;
        }

        foreach (var path in folders
            .Where(path => path == from || path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            folders.Remove(path);
            folders.Add(to + path[from.Length..]);
        }
    }

    private static void Drop(Dictionary<string, Content> files, HashSet<string> folders, string folder)
    {
        var prefix = folder + Path.DirectorySeparatorChar;
        foreach (var path in files.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            files.Remove(path);
        }

        folders.RemoveWhere(path => path == folder || path.StartsWith(prefix, StringComparison.Ordinal));
    }

    private void ApplyNames(Random random)
    {
        var survive = random.Next(_unflushedNames.Count + 1);
        foreach (var change in _unflushedNames.Take(survive))
        {
            change.Apply(_durableFiles, _durableFolders);
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    private void Step(bool writes)
    {
        Operations++;
        if (OperationsLeft is { } left)
        {
            if (left <= 0)
            {
                throw new IOException("The power is off.");
            }

            OperationsLeft = left - 1;
        }

        if (writes && IsReadOnly)
        {
            throw new UnauthorizedAccessException("read-only");
        }
    }

    private void FlushFails()
    {
        if (FailsToFlush)
        {
            throw new IOException("Input/output error", 5);
        }
    }

    private sealed record NameChange(string? To, string? From, Content? File)
    {
        public void Apply(Dictionary<string, Content> files, HashSet<string> folders)
        {
            switch (this)
            {
                case { File: not null, To: not null }:
                    files.Remove(From ?? "");
                    files[To] = File;
                    break;
                case { File: not null, From: not null }:
                    files.Remove(From);
                    break;
                case { To: not null, From: not null }:
                    Move(files, folders, From, To);
                    break;
                case { To: not null }:
                    folders.Add(To);
                    break;
                default:
                    Drop(files, folders, From!);
                    break;
            }
        }
    }

    private sealed class Content
    {
        private readonly HashSet<int> _dirtySectors = [];

        public List<byte> Now { get; private set; } = [];

        public byte[] Durable { get; private set; } = [];

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            while (Now.Count < offset + bytes.Length)
            {
                Now.Add(0);
            }

            for (var i = 0; i < bytes.Length; i++)
            {
                Now[(int)offset + i] = bytes[i];
                _dirtySectors.Add((int)(offset + i) / Sector);
            }
        }

        public void SetLength(long length)
        {
            for (var i = (int)length / Sector; i <= Now.Count / Sector; i++)
            {
                _dirtySectors.Add(i);
            }

            Now = length < Now.Count ? Now[..(int)length] : [.. Now, .. new byte[length - Now.Count]];
        }

        public void Flush()
        {
            Durable = [.. Now];
            _dirtySectors.Clear();
        }

        public void Crash(Random random)
        {
            var how = random.Next(4);   // nothing more, all of it, or each sector by chance and any length
            var survivors = _dirtySectors.Where(_ => how is 1 || (how > 1 && random.Next(2) == 0)).ToHashSet();
            var length = how is 0 ? Durable.Length : how is 1 ? Now.Count
                : random.Next(Math.Min(Durable.Length, Now.Count), Math.Max(Durable.Length, Now.Count) + 1);
            var after = new byte[length];
            Durable.AsSpan(0, Math.Min(length, Durable.Length)).CopyTo(after);
            foreach (var sector in survivors)
            {
                for (var i = sector * Sector; i < Math.Min((sector + 1) * Sector, Math.Min(length, Now.Count)); i++)
                {
                    after[i] = Now[i];
                }
            }

            Now = [.. after];
            Flush();
        }
    }

    private sealed class OpenFile(FaultyFileLayer layer, Content content, int mount) : IOpenFile
    {
        private bool _closed;

        public long Length => layer.Locked(() => content.Now.Count);

        public int Read(long offset, Span<byte> target)
        {
            lock (layer._lock)
            {
                Check(writes: false);
                var count = (int)Math.Max(0, Math.Min(target.Length, content.Now.Count - offset));
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(content.Now)
                    .Slice(count == 0 ? 0 : (int)offset, count).CopyTo(target);
                return count;
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            lock (layer._lock)
            {
                Check(writes: true);
                var grows = Math.Max(0, offset + bytes.Length - content.Now.Count);
                if (layer.SpaceLeft is { } left && grows > left)
                {
                    content.Write(offset, bytes[..(int)Math.Max(0, bytes.Length - grows + left)]);
                    layer.SpaceLeft = 0;
                    throw new IOException("No space left on device", 28);
                }

                layer.SpaceLeft -= grows;
                content.Write(offset, bytes);
            }
        }

        public void SetLength(long length)
        {
            lock (layer._lock)
            {
                Check(writes: true);
                content.SetLength(length);
            }
        }

        public void Flush()
        {
            lock (layer._lock)
            {
                Check(writes: true);
                layer.FlushFails();
                content.Flush();
            }
        }

        public void Dispose() => _closed = true;

        private void Check(bool writes)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            layer.Step(writes);
            if (mount != layer._mount)
            {
                throw new IOException("The disk was unplugged.");
            }
        }
    }
}
