using System.Reflection;
using System.Runtime.InteropServices;
using NextGpt.Model;

namespace NextGpt.Server.Tests.Natives;

/// <summary>
/// Whether every native file of the program can be loaded by the oldest systems it is promised for: what each asks of glibc and
/// libstdc++ is read from the file and compared with what Ubuntu 22.04 has (Debian 12 has the same libstdc++ and a newer glibc).
/// </summary>
public sealed class OldestSystemTests
{
    /// <summary>Ubuntu 22.04: glibc 2.35, libstdc++ of GCC 12.</summary>
    private static readonly Dictionary<string, Version> Ubuntu2204 = new()
    {
        ["GLIBC"] = new(2, 35),
        ["GLIBCXX"] = new(3, 4, 30),
        ["CXXABI"] = new(1, 3, 13),
        ["GCC"] = new(12, 0),
        // GCC's OpenMP, which libtorch brings along itself.
        ["GOMP"] = new(5, 0),
        ["OMP"] = new(5, 0),
    };

    /// <summary>Beside the program, in libtorch's folder, and of .NET itself, which a self-contained publish carries.</summary>
    public static TheoryData<string> Places => ["program", "libtorch", "runtime"];

    [Theory]
    [MemberData(nameof(Places))]
    public void No_native_file_asks_for_more_than_Ubuntu_22_04_has(string place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        var files = NativeFiles(place);

        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => TooNew(file).Select(need => $"{Path.GetFileName(file)} needs {need.Name}")));
        Assert.Contains(files.SelectMany(ElfVersionNeeds.Read), need => need.Family == "GLIBC");
    }

    [Fact]
    public void The_shim_asks_for_one_newer_version_weakly_and_for_it_firmly_as_its_makers_ship_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        var own = ElfVersionNeeds.Read(Assert.Single(NativeFiles("program"), file => file.EndsWith("libLibTorchSharp.so", StringComparison.Ordinal)));
        var shipped = Path.GetFullPath(Path.Combine(
            LibtorchFolder(), "../../../../../torchsharp/0.107.0/runtimes", "linux-x64", "native/libLibTorchSharp.so"));
        Assert.SkipUnless(File.Exists(shipped), "the package folder is elsewhere");

        Assert.Equal("GLIBCXX_3.4.32", Assert.Single(own, need => need.IsWeak).Name);
        Assert.Equal("GLIBCXX_3.4.32", Assert.Single(TooNew(shipped)).Name);
    }

    private static IEnumerable<VersionNeed> TooNew(string file) => ElfVersionNeeds.Read(file).Where(need =>
        !need.IsWeak && need.Number is { } number && Ubuntu2204.TryGetValue(need.Family, out var most) && number > most);

    private static List<string> NativeFiles(string place)
    {
        var folder = place switch
        {
            "program" => AppContext.BaseDirectory,
            "libtorch" => LibtorchFolder(),
            _ => RuntimeEnvironment.GetRuntimeDirectory(),
        };
        return
        [
            .. Directory.EnumerateFiles(
                    folder, "*", new EnumerationOptions { RecurseSubdirectories = place == "program" })
                .Where(file => Path.GetFileName(file).Contains(".so", StringComparison.Ordinal) && ElfVersionNeeds.IsElf(file))
                .Order(StringComparer.Ordinal),
        ];
    }

    internal static string LibtorchFolder() => typeof(TorchRuntime).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "LibtorchFolder").Value ?? "";
}
