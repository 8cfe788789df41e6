using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Server.Tests.Natives;

/// <summary>A version of another library's symbols that a shared library asks for, such as <c>GLIBC_2.34</c> of <c>libc.so.6</c>.</summary>
/// <param name="Library">The library that must have it.</param>
/// <param name="Name">The version's name.</param>
/// <param name="IsWeak">Whether the loader goes on without it.</param>
internal sealed record VersionNeed(string Library, string Name, bool IsWeak)
{
    /// <summary>What stands before the number: <c>GLIBC</c>, <c>GLIBCXX</c>, <c>CXXABI</c> ...</summary>
    public string Family => Name.LastIndexOf('_') is > 0 and var at ? Name[..at] : Name;

    /// <summary>The number; null where the version has a name only, such as <c>GLIBC_PRIVATE</c>.</summary>
    public Version? Number =>
        Name.LastIndexOf('_') is > 0 and var at && System.Version.TryParse(Name[(at + 1)..], out var number) ? number : null;
}

/// <summary>The table of needed versions of a shared library of Linux: section <c>.gnu.version_r</c> of an ELF file of 64 bits.</summary>
/// <remarks>Linux Standard Base Core 5.0, Symbol Versioning, "Version Requirements".</remarks>
internal static class ElfVersionNeeds
{
    private const int NeedTable = 0x6ffffffe;
    private const int WeakFlag = 2;

    /// <summary>Whether a file is an ELF file at all.</summary>
    public static bool IsElf(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using var file = File.OpenRead(path);
        return file.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && magic.SequenceEqual("\u007fELF"u8);
    }

    /// <summary>All versions that a file asks for.</summary>
    public static IReadOnlyList<VersionNeed> Read(string path)
    {
        using var file = File.OpenHandle(path);
        var header = Bytes(0, 64);
        Assert.True(header is [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, ..], $"{path} is no ELF file of 64 bits, little-endian.");
        var (size, count) = (Half(header, 0x3A), Half(header, 0x3C));
        var sections = Bytes(Long(header, 0x28), size * count);
        var needs = new List<VersionNeed>();
        for (var section = 0; section < sections.Length; section += size)
        {
            if (Word(sections, section + 4) == NeedTable)
            {
                var names = Word(sections, section + 40) * size;
                AddNeeds(needs, Table(section), Word(sections, section + 44), Table(names));
            }
        }

        return needs;

        byte[] Table(int section) => Bytes(Long(sections, section + 24), checked((int)Long(sections, section + 32)));

        byte[] Bytes(long start, int length)
        {
            var bytes = new byte[length];
            for (var read = 0; read < length;)
            {
                var more = RandomAccess.Read(file, bytes.AsSpan(read), start + read);
                Assert.True(more > 0, $"{path} is cut short.");
                read += more;
            }

            return bytes;
        }
    }

    private static void AddNeeds(List<VersionNeed> needs, byte[] table, int libraries, byte[] names)
    {
        for (var (library, need) = (0, 0); library < libraries; library++, need += Word(table, need + 12))
        {
            var from = Name(names, Word(table, need + 4));
            var version = need + Word(table, need + 8);
            for (var left = Half(table, need + 2); left > 0; left--, version += Word(table, version + 12))
            {
                needs.Add(new VersionNeed(
                    from, Name(names, Word(table, version + 8)), (Half(table, version + 4) & WeakFlag) != 0));
            }
        }
    }

    private static string Name(byte[] names, int at) =>
        Encoding.ASCII.GetString(names, at, names.AsSpan(at).IndexOf((byte)0));

    private static int Half(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static int Word(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static long Long(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}
