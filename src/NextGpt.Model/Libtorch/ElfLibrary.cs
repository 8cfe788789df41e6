using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NextGpt.Model.Libtorch;

/// <summary>What a shared library of Linux asks for and offers, read from its file without loading it.</summary>
/// <remarks>
/// Loading a library of another version may end the process at the first call of a function that is not there; reading its
/// symbol table first turns that into a sentence. ELF, 64 bits, little-endian (System V ABI, chapters 4 and 5).
/// </remarks>
internal sealed class ElfLibrary
{
    private const int SectionDynamic = 6;
    private const int SectionDynamicSymbols = 11;
    private const int SectionSymbolVersions = 0x6fffffff;
    private const int TagNeeded = 1;
    private const int MaxTableBytes = 1 << 30;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly long _length;
    private byte[] _symbols = [];
    private byte[] _names = [];
    private byte[] _versions = [];
    private byte[] _dynamic = [];

    private ElfLibrary(string path, SafeFileHandle file)
    {
        _path = path;
        _file = file;
        _length = RandomAccess.GetLength(file);
    }

    /// <summary>Reads a library's tables.</summary>
    /// <exception cref="InvalidDataException">Not a shared library for this machine, or damaged; says which.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ElfLibrary Read(string path)
    {
        using var file = File.OpenHandle(path);
        var library = new ElfLibrary(path, file);
        library.ReadTables();
        return library;
    }

    /// <summary>Names of the libraries this one wants loaded with it.</summary>
    public IReadOnlyList<string> Needed()
    {
        var needed = new List<string>();
        for (var entry = 0; entry + 16 <= _dynamic.Length; entry += 16)
        {
            if (Long(_dynamic, entry) == TagNeeded)
            {
                needed.Add(Encoding.UTF8.GetString(Name(Long(_dynamic, entry + 8))));
            }
        }

        return needed;
    }

    /// <summary>
    /// Functions and data it takes from libraries without symbol versions: what it takes from libtorch, but not from the C and
    /// C++ run-time libraries, whose symbols all carry versions.
    /// </summary>
    public HashSet<string> WantedWithoutVersion()
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        for (var (symbol, at) = (1, 24); at + 24 <= _symbols.Length; symbol++, at += 24)
        {
            var isWeak = _symbols[at + 4] >> 4 != 1;
            var isDefined = Short(_symbols, at + 6) != 0;
            var version = (2 * symbol) + 2 <= _versions.Length ? Short(_versions, 2 * symbol) & 0x7fff : 1;
            if (!isWeak && !isDefined && version <= 1)
            {
                wanted.Add(Encoding.UTF8.GetString(Name(Int(_symbols, at))));
            }
        }

        return wanted;
    }

    /// <summary>Takes everything this library defines out of a set of wanted names.</summary>
    public void RemoveDefined(HashSet<string> wanted)
    {
        var lookup = wanted.GetAlternateLookup<ReadOnlySpan<char>>();
        var letters = new char[4096];
        for (var at = 24; at + 24 <= _symbols.Length && wanted.Count > 0; at += 24)
        {
            if (Short(_symbols, at + 6) == 0)
            {
                continue;
            }

            var name = Name(Int(_symbols, at));
            if (name.Length <= letters.Length && Encoding.Latin1.TryGetChars(name, letters, out var count))
            {
                lookup.Remove(letters.AsSpan(0, count));
            }
        }
    }

    private void ReadTables()
    {
        var header = Bytes(0, 64, "its header");
        if (!header.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
        {
            throw Bad("it is not a shared library of Linux");
        }

        var machine = Short(header, 18);
        var wanted = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 62,
            Architecture.Arm64 => 183,
            _ => machine,
        };
        if (header[4] != 2 || header[5] != 1 || machine != wanted)
        {
            throw Bad("it is for another kind of processor");
        }

        var (start, size, count) = (Long(header, 40), Short(header, 58), Short(header, 60));
        if (size < 64 || count == 0)
        {
            throw Bad("it has no section table");
        }

        var sections = Bytes(start, (long)size * count, "its section table");
        for (var section = 0; section < count; section++)
        {
            ReadTable(sections, section * size, size, count);
        }

        if (_symbols.Length == 0 || _names.Length == 0 || _dynamic.Length == 0)
        {
            throw Bad("it offers no functions");
        }
    }

    private void ReadTable(byte[] sections, int at, int size, int count)
    {
        var type = Int(sections, at + 4);
        if (type is not (SectionDynamic or SectionDynamicSymbols or SectionSymbolVersions))
        {
            return;
        }

        var table = Bytes(Long(sections, at + 24), Long(sections, at + 32), "a table");
        switch (type)
        {
            case SectionDynamic:
                _dynamic = table;
                break;
            case SectionSymbolVersions:
                _versions = table;
                break;
            default:
                _symbols = table;
                var names = Int(sections, at + 40);
                if (names < 0 || names >= count)
                {
                    throw Bad("its symbols have no names");
                }

                _names = Bytes(Long(sections, (names * size) + 24), Long(sections, (names * size) + 32), "its names");
                break;
        }
    }

    private ReadOnlySpan<byte> Name(long offset)
    {
        if (offset < 0 || offset >= _names.Length)
        {
            throw Bad("a name lies outside its table");
        }

        var rest = _names.AsSpan((int)offset);
        var end = rest.IndexOf((byte)0);
        return end >= 0 ? rest[..end] : rest;
    }

    private byte[] Bytes(long start, long count, string what)
    {
        if (start < 0 || count < 0 || count > MaxTableBytes || start > _length - count)
        {
            throw Bad($"{what} lies outside the file (cut short?)");
        }

        var bytes = new byte[count];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(_file, bytes.AsSpan(done), start + done);
            done += read > 0 ? read : throw Bad($"{what} cannot be read");
        }

        return bytes;
    }

    private InvalidDataException Bad(string problem) => new($"{_path}: {problem}.");

    private static ushort Short(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static int Int(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static long Long(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}
