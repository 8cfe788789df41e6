using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

/// <summary>Writes files as <c>torch.save</c> does, both layouts, opcode by opcode (pickle protocol 2).</summary>
/// <remarks>Elements are given as bytes; tensors may share storages and have any strides.</remarks>
internal sealed class TorchPickleWriter
{
    private static readonly Dictionary<SafetensorsType, string> Storages = new()
    {
        [SafetensorsType.F32] = "FloatStorage",
        [SafetensorsType.F16] = "HalfStorage",
        [SafetensorsType.BF16] = "BFloat16Storage",
        [SafetensorsType.F64] = "DoubleStorage",
        [SafetensorsType.I64] = "LongStorage",
        [SafetensorsType.I32] = "IntStorage",
        [SafetensorsType.I16] = "ShortStorage",
        [SafetensorsType.I8] = "CharStorage",
        [SafetensorsType.U8] = "ByteStorage",
        [SafetensorsType.Bool] = "BoolStorage",
    };

    private readonly List<(string Key, SafetensorsType Type, byte[] Bytes)> _storages = [];
    private readonly List<(string Name, Action<Pickle> Write)> _entries = [];

    /// <summary>Put under this key of an outer dictionary; null is none.</summary>
    public string? Below { get; init; }

    /// <summary>Deflates the storages of the zip layout, which torch never does.</summary>
    public bool Deflated { get; init; }

    /// <summary>What the entry <c>byteorder</c> says.</summary>
    public string ByteOrder { get; init; } = "little";

    /// <summary>Keeps elements; returns the storage's number.</summary>
    public int Storage(SafetensorsType type, byte[] bytes)
    {
        _storages.Add(($"{_storages.Count}", type, bytes));
        return _storages.Count - 1;
    }

    /// <summary>Adds a tensor with a storage of its own.</summary>
    public TorchPickleWriter Add(string name, SafetensorsType type, long[] shape, byte[] bytes)
    {
        var strides = new long[shape.Length];
        long step = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(1, shape[i]);
        }

        return View(name, Storage(type, bytes), 0, shape, strides);
    }

    /// <summary>Adds a tensor of float32.</summary>
    public TorchPickleWriter Add(string name, long[] shape, params float[] values) =>
        Add(name, SafetensorsType.F32, shape, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>Adds a view of a storage.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="storage">Of <see cref="Storage"/>.</param>
    /// <param name="offset">First element.</param>
    /// <param name="shape">Outermost first.</param>
    /// <param name="strides">In elements.</param>
    /// <param name="parameter">Whether it is wrapped as one.</param>
    /// <param name="window">First element and length of the window in the storage (old layout).</param>
    public TorchPickleWriter View(
        string name, int storage, long offset, long[] shape, long[] strides, bool parameter = false, (long, long)? window = null)
    {
        _entries.Add((name, pickle =>
        {
            if (parameter)
            {
                pickle.Global("torch._utils", "_rebuild_parameter").Op('(');
            }

            var (key, type, bytes) = _storages[storage];
            var count = bytes.Length / SafetensorsHeader.ByteSize(type);
            pickle.Global("torch._utils", "_rebuild_tensor_v2").Op('(')
                .Op('(').Text("storage").Global("torch", Storages[type]).Text(key).Text("cpu").Number(count);
            if (pickle.IsOld)
            {
                if (window is { } view)
                {
                    pickle.Op('(').Text($"{key}-{view.Item1}").Number(view.Item1).Number(view.Item2).Op('t');
                }
                else
                {
                    pickle.Op('N');
                }
            }

            pickle.Op('t').Op('Q').Number(offset).Numbers(shape).Numbers(strides).Op(0x89)
                .Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
            if (parameter)
            {
                pickle.Op(0x88).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
            }
        }
        ));
        return this;
    }

    /// <summary>Adds an entry of any kind.</summary>
    public TorchPickleWriter Raw(string name, Action<Pickle> write)
    {
        _entries.Add((name, write));
        return this;
    }

    /// <summary>The layout since 1.6.</summary>
    public byte[] Zip(string folder = "archive")
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Write(zip, $"{folder}/data.pkl", Root(old: false), CompressionLevel.NoCompression);
            Write(zip, $"{folder}/byteorder", Encoding.ASCII.GetBytes(ByteOrder), CompressionLevel.NoCompression);
            foreach (var (key, _, bytes) in _storages)
            {
                Write(zip, $"{folder}/data/{key}", bytes, Deflated ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
            }

            Write(zip, $"{folder}/version", "3\n"u8.ToArray(), CompressionLevel.NoCompression);
        }

        return stream.ToArray();
    }

    /// <summary>The layout before 1.6.</summary>
    public byte[] Old()
    {
        var stream = new MemoryStream();
        stream.Write(new Pickle(true).Op(0x8a).Op(10).Bytes(Convert.FromHexString("6cfc9c46f9206aa85019")).Done());
        stream.Write(new Pickle(true).Number(1_001).Done());
        stream.Write(new Pickle(true).Op('}').Op('(').Text("protocol_version").Number(1_001).Text("little_endian").Op(0x88)
            .Text("type_sizes").Op('}').Op('(').Text("short").Number(2).Text("int").Number(4).Text("long").Number(4).Op('u')
            .Op('u').Done());
        stream.Write(Root(old: true));
        var keys = new Pickle(true).Op(']').Op('(');
        foreach (var (key, _, _) in _storages)
        {
            keys.Text(key);
        }

        stream.Write(keys.Op('e').Done());
        Span<byte> word = stackalloc byte[8];
        foreach (var (_, type, bytes) in _storages)
        {
            BinaryPrimitives.WriteInt64LittleEndian(word, bytes.Length / SafetensorsHeader.ByteSize(type));
            stream.Write(word);
            stream.Write(bytes);
        }

        return stream.ToArray();
    }

    private static void Write(ZipArchive zip, string name, byte[] bytes, CompressionLevel level)
    {
        using var entry = zip.CreateEntry(name, level).Open();
        entry.Write(bytes);
    }

    private byte[] Root(bool old)
    {
        var pickle = new Pickle(old);
        if (Below is not null)
        {
            pickle.Op('}').Op('(').Text("epoch").Number(3).Text(Below);
        }

        pickle.Global("collections", "OrderedDict").Op(')').Op('R').Op('q').Op(0).Op('(');
        foreach (var (name, write) in _entries)
        {
            pickle.Text(name);
            write(pickle);
        }

        pickle.Op('u').Op('}').Text("_metadata").Global("collections", "OrderedDict").Op(')').Op('R').Op('s').Op('b');
        return (Below is null ? pickle : pickle.Op('u')).Done();
    }

    /// <summary>Opcodes, one after the other.</summary>
    internal sealed class Pickle
    {
        private readonly List<byte> _bytes = [];

        public Pickle(bool old)
        {
            IsOld = old;
            Op(0x80).Op(2);
        }

        public bool IsOld { get; }

        public Pickle Op(char opcode) => Op((byte)opcode);

        public Pickle Op(byte opcode)
        {
            _bytes.Add(opcode);
            return this;
        }

        public Pickle Bytes(byte[] bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        public Pickle Global(string module, string name) => Op('c').Bytes(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

        public Pickle Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            return Op('X').Bytes(length).Bytes(bytes);
        }

        public Pickle Number(long number)
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
            return number switch
            {
                >= 0 and < 256 => Op('K').Op(bytes[0]),
                >= 0 and < 65_536 => Op('M').Bytes(bytes[..2]),
                >= int.MinValue and <= int.MaxValue => Op('J').Bytes(bytes[..4]),
                _ => Op(0x8a).Op(8).Bytes(bytes),
            };
        }

        public Pickle Numbers(long[] numbers)
        {
            Op('(');
            foreach (var number in numbers)
            {
                Number(number);
            }

            return Op('t');
        }

        public byte[] Done() => [.. Op('.')._bytes];
    }
}
