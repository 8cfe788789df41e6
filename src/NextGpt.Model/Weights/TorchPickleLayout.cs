using System.Buffers.Binary;

namespace NextGpt.Model.Weights;

/// <summary>Where the storages of a torch file lie: in a zip archive (since 1.6), or one after the other (before).</summary>
internal abstract class TorchPickleLayout
{
    /// <summary>Longest pickle accepted; that of the largest published checkpoint has less than 1 MB.</summary>
    protected const int MaxPickleBytes = 64 * 1024 * 1024;

    /// <summary>Bytes of all storages.</summary>
    public abstract long StorageBytes { get; }

    /// <summary>What was saved.</summary>
    public object? Root { get; protected init; }

    /// <summary>Recognises the layout and reads the pickle.</summary>
    /// <exception cref="InvalidDataException">It is none of them, damaged, or holds more than tensors.</exception>
    public static TorchPickleLayout Open(MappedFile file)
    {
        Span<byte> start = stackalloc byte[14];
        if (file.Length < start.Length)
        {
            throw new InvalidDataException($"{file.Path}: {file.Length} bytes are too few for a checkpoint of torch; fetch it again.");
        }

        file.Copy(0, start);
        if (BinaryPrimitives.ReadUInt32LittleEndian(start) == 0x04034b50)
        {
            return new ZipLayout(file);
        }

        if (start[0] == 0x80 && start[2] == 0x8a && start[3] == 10)
        {
            return new OldLayout(file);
        }

        throw new InvalidDataException(
            $"{file.Path} is no checkpoint of torch: neither the zip layout (since 1.6) nor the one before it; "
            + "safetensors and GGUF files are read without conversion.");
    }

    /// <summary>Copies bytes of a storage.</summary>
    /// <param name="key">The root storage.</param>
    /// <param name="from">First byte.</param>
    /// <param name="destination">As many as are wanted.</param>
    public abstract void Copy(string key, long from, Span<byte> destination);

    /// <summary>archive/data.pkl, archive/data/KEY, archive/byteorder, archive/version.</summary>
    private sealed class ZipLayout : TorchPickleLayout
    {
        private readonly MappedFile _file;
        private readonly TorchPickleZip _zip;
        private readonly string _folder;
        private readonly Lock _gate = new();
        private (string Key, byte[] Bytes) _inflated = ("", []);

        public ZipLayout(MappedFile file)
        {
            _file = file;
            _zip = TorchPickleZip.Open(file);
            var pickles = _zip.Entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)
                && name.Count(letter => letter == '/') == 1).ToList();
            if (pickles is not [var pickle])
            {
                throw new InvalidDataException(
                    $"{file.Path}: a zip archive without the one data.pkl of a checkpoint of torch (it has {_zip.Entries.Count} "
                    + "entries); TorchScript and other archives are not read.");
            }

            _folder = pickle[..^"data.pkl".Length];
            if (_zip.Entries.ContainsKey(_folder + "constants.pkl"))
            {
                throw new InvalidDataException(
                    $"{file.Path} is a TorchScript program, which is not run here; a checkpoint with weights alone was expected.");
            }

            if (_zip.Entries.TryGetValue(_folder + "byteorder", out var order)
                && !_zip.Bytes(order, 16).AsSpan().SequenceEqual("little"u8))
            {
                throw new InvalidDataException(
                    $"{file.Path} was written on a machine with the other byte order; save it again on a little-endian one.");
            }

            var builder = new TorchTensorBuilder(file.Path, key => _zip.Entries.ContainsKey(EntryOf(key)));
            Root = new TorchPickleMachine(file.Path, _zip.Bytes(_zip.Entries[pickle], MaxPickleBytes), builder).Read(0);
            foreach (var storage in builder.Storages.Values.Where(storage => storage.Key == storage.RootKey))
            {
                var entry = _zip.Entries[EntryOf(storage.Key)];
                if (entry.Length != storage.Count * storage.ElementBytes)
                {
                    throw new InvalidDataException(
                        $"{file.Path}: storage '{TorchTensorBuilder.Shown(storage.Key)}' should have "
                        + $"{storage.Count * storage.ElementBytes} bytes and has {entry.Length}; the file is damaged.");
                }

                StorageBytes += entry.Length;
            }
        }

        public override long StorageBytes { get; }

        public override void Copy(string key, long from, Span<byte> destination)
        {
            var entry = _zip.Entries[EntryOf(key)];
            if (!entry.Deflated)
            {
                _file.Copy(entry.Start + from, destination);
                return;
            }

            lock (_gate)
            {
                if (_inflated.Key != key)
                {
                    _inflated = (key, _zip.Bytes(entry, int.MaxValue));
                }

                _inflated.Bytes.AsSpan(checked((int)from), destination.Length).CopyTo(destination);
            }
        }

        private string EntryOf(string key) => $"{_folder}data/{key}";
    }

    /// <summary>Magic number, protocol, facts of the machine, object, storage names; then each length and its elements.</summary>
    private sealed class OldLayout : TorchPickleLayout
    {
        private const string Magic = "6cfc9c46f9206aa85019";
        private const long Protocol = 1_001;
        private readonly MappedFile _file;
        private readonly Dictionary<string, long> _starts = new(StringComparer.Ordinal);

        public OldLayout(MappedFile file)
        {
            _file = file;
            var builder = new TorchTensorBuilder(file.Path, null);
            var head = file.Bytes(0, (int)Math.Min(file.Length, MaxPickleBytes));
            var machine = new TorchPickleMachine(file.Path, head, builder);
            if (machine.Read(0) is not Magic || machine.Read(machine.Position) is not Protocol)
            {
                throw Bad("its magic number or protocol is another than torch wrote before 1.6");
            }

            var facts = machine.Read(machine.Position) as TorchPickleMapping;
            if (facts?.Entries.FirstOrDefault(entry => entry.Key is "little_endian").Value is not true)
            {
                throw Bad("it was written on a machine with the other byte order");
            }

            Root = machine.Read(machine.Position);
            if (machine.Read(machine.Position) is not List<object?> keys)
            {
                throw Bad("the list of its storages is missing");
            }

            StorageBytes = Place(keys, machine.Position, builder);
        }

        public override long StorageBytes { get; }

        public override void Copy(string key, long from, Span<byte> destination) => _file.Copy(_starts[key] + from, destination);

        private long Place(List<object?> keys, long at, TorchTensorBuilder builder)
        {
            Span<byte> word = stackalloc byte[8];
            long total = 0;
            foreach (var item in keys)
            {
                if (item is not string key || !builder.Storages.TryGetValue(key, out var storage) || storage.RootKey != key)
                {
                    throw Bad("its list of storages names one that no tensor uses");
                }

                _file.Copy(at, word);
                var bytes = storage.Count * storage.ElementBytes;
                if (BinaryPrimitives.ReadInt64LittleEndian(word) != storage.Count || bytes > _file.Length - at - 8)
                {
                    throw Bad($"storage '{TorchTensorBuilder.Shown(key)}' of {storage.Count} elements is not where it should be (cut short?)");
                }

                if (!_starts.TryAdd(key, at + 8))
                {
                    throw Bad($"storage '{TorchTensorBuilder.Shown(key)}' is in it twice");
                }

                at += 8 + bytes;
                total += bytes;
            }

            var lost = builder.Storages.Values.FirstOrDefault(storage => !_starts.ContainsKey(storage.RootKey));
            return lost is null ? total : throw Bad($"storage '{TorchTensorBuilder.Shown(lost.Key)}' is named and not in the file");
        }

        private InvalidDataException Bad(string problem) =>
            new($"{_file.Path}: {problem}; the file is damaged or is no checkpoint of torch.");
    }
}
