using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace NextGpt.Tuning.Alignment;

/// <summary>Vectors that frozen networks gave, kept in one growing file of halves and looked up by the hash of what was asked.</summary>
/// <remarks>
/// What is handed out has always been through the file's halves, so that a run that computes and one that reads see the same numbers.
/// A record that a crash tore is cut off. Not thread-safe.
/// </remarks>
internal sealed class VectorCache : IDisposable
{
    private const int KeyBytes = 16;
    private const int HeaderBytes = KeyBytes + sizeof(int);

    private readonly FileStream _file;
    private readonly Dictionary<Guid, (long At, int Count)> _known = [];

    /// <summary>Opens or begins a file.</summary>
    /// <param name="file">Its path; its name holds the hash of the network.</param>
    /// <exception cref="IOException">Another run has it open.</exception>
    public VectorCache(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".");
        _file = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var at = 0L;
        while (at + HeaderBytes <= _file.Length)
        {
            _file.Position = at;
            _file.ReadExactly(header);
            var count = BinaryPrimitives.ReadInt32LittleEndian(header[KeyBytes..]);
            var next = at + HeaderBytes + (2L * count);
            if (count < 0 || next > _file.Length)
            {
                break;
            }

            _known[new Guid(header[..KeyBytes])] = (at + HeaderBytes, count);
            at = next;
        }

        _file.SetLength(at);
    }

    /// <summary>Vectors kept.</summary>
    public int Count => _known.Count;

    /// <summary>The key of something asked.</summary>
    /// <param name="asked">All that the answer depends on besides the network.</param>
    public static Guid KeyOf(string asked) => new(SHA256.HashData(Encoding.UTF8.GetBytes(asked)).AsSpan(0, KeyBytes));

    /// <summary>Whether a key is kept.</summary>
    public bool Has(Guid key) => _known.ContainsKey(key);

    /// <summary>Keeps a vector.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="values">Its numbers; those beyond a half's range are an error.</param>
    /// <exception cref="InvalidDataException">A number is none, or too large: the network is damaged.</exception>
    public void Add(Guid key, ReadOnlySpan<float> values)
    {
        var record = new byte[HeaderBytes + (2 * values.Length)];
        key.TryWriteBytes(record);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(KeyBytes), values.Length);
        var halves = MemoryMarshal.Cast<byte, Half>(record.AsSpan(HeaderBytes));
        for (var i = 0; i < values.Length; i++)
        {
            halves[i] = (Half)values[i];
            if (!Half.IsFinite(halves[i]))
            {
                throw new InvalidDataException($"{_file.Name}: the network gave {values[i]}; are its weights damaged?");
            }
        }

        var at = _file.Length;
        _file.Position = at;
        _file.Write(record);
        _known[key] = (at + HeaderBytes, values.Length);
    }

    /// <summary>A vector that is kept.</summary>
    /// <exception cref="KeyNotFoundException">It is not.</exception>
    public float[] Read(Guid key)
    {
        var (at, count) = _known[key];
        var halves = new Half[count];
        _file.Position = at;
        _file.ReadExactly(MemoryMarshal.AsBytes(halves.AsSpan()));
        return Array.ConvertAll(halves, half => (float)half);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
