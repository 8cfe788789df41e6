using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Tuning.Data.World;

namespace NextGpt.Tuning.Tests.Data.World;

/// <summary><c>nextgpt data fetch</c> with two tiny packages served from memory and a recipe that writes one row.</summary>
public sealed class WorldFetchTests : IDisposable
{
    private static readonly byte[] Npm = TarGz("package/icons.json", "drawings");
    private static readonly byte[] Debian = DebianOf(TarGz("./usr/share/note.txt", "notes"));

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-world-").FullName;
    private readonly WorldOptions _options = new() { NpmRegistry = "http://npm.test", DebianMirror = "http://mirror.test/debian", DebianArchive = "http://old.test/" };
    private readonly RecordedTools _tools = new();

    [Fact]
    public async Task Everything_is_downloaded_checked_and_unpacked_and_the_recipe_is_run()
    {
        var server = new PackagesServer(Everything());

        await Fetch(server);

        Assert.Equal("drawings", await File.ReadAllTextAsync(Path.Combine(_folder, "raw", "npm", "@drawings", "flat", "icons.json"), Stop));
        Assert.Equal("notes", await File.ReadAllTextAsync(Path.Combine(_folder, "raw", "deb", "notes", "usr", "share", "note.txt"), Stop));
        Assert.Equal(["npm", "node"], _tools.Programs);
        Assert.True(File.Exists(Path.Combine(_folder, "pictures.atlas")));
        Assert.Contains("measured on only", await File.ReadAllTextAsync(Path.Combine(_folder, "raw", "LICENCES.md"), Stop));
    }

    [Fact]
    public async Task What_is_there_is_not_downloaded_again()
    {
        await Fetch(new PackagesServer(Everything()));
        var second = new PackagesServer(Everything());

        await Fetch(second);

        Assert.Empty(second.Asked);
    }

    [Fact]
    public async Task A_broken_off_download_goes_on_where_it_stopped()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "raw", "packages"));
        await File.WriteAllBytesAsync(Path.Combine(_folder, "raw", "packages", "flat-1.tgz.part"), Npm[..20], Stop);
        var server = new PackagesServer(Everything());

        await Fetch(server);

        Assert.Equal(20, server.Asked[0].From);
    }

    [Fact]
    public async Task A_changed_package_is_removed_and_named()
    {
        var files = Everything();
        files["http://npm.test/@drawings/flat/-/flat-1.tgz"] = TarGz("package/icons.json", "something else");

        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Fetch(new PackagesServer(files)));

        Assert.Contains("@drawings/flat 1 is not the file", failure.Message);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "raw", "packages")));
    }

    [Fact]
    public async Task A_version_the_mirror_no_longer_holds_comes_from_the_archive()
    {
        var files = Everything();
        files.Remove("http://mirror.test/debian/pool/notes_1_all.deb", out var package);
        files["http://old.test/pool/notes_1_all.deb"] = package!;

        await Fetch(new PackagesServer(files));

        Assert.True(Directory.Exists(Path.Combine(_folder, "raw", "deb", "notes")));
    }

    [Fact]
    public async Task A_package_nobody_has_is_said_with_what_to_do()
    {
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => Fetch(new PackagesServer(new Dictionary<string, byte[]>())));

        Assert.Contains("NextGpt:World", failure.Message);
    }

    [Fact]
    public async Task Without_the_test_only_packages_none_of_them_is_asked_for()
    {
        var server = new PackagesServer(Everything());

        await Fetch(server, withTests: false);

        Assert.DoesNotContain(server.Asked, asked => asked.Address.Contains("notes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_entry_that_leads_out_of_its_folder_is_refused()
    {
        var bad = TarGz("package/../../../out.txt", "x");
        var source = Sources()[0] with { Hash = Sha512(bad) };
        var file = Path.Combine(_folder, "bad.tgz");
        await File.WriteAllBytesAsync(file, bad, Stop);

        await Assert.ThrowsAsync<InvalidDataException>(() =>
            PackageUnpacking.UnpackAsync(source, file, Path.Combine(_folder, "a", "b"), _tools, Stop));
        Assert.Empty(Directory.GetFiles(_folder, "out.txt", SearchOption.AllDirectories));
    }

    [Fact]
    public void Every_package_of_the_recipe_is_pinned_by_a_whole_hash_and_has_a_licence()
    {
        Assert.Equal(27, WorldSource.All.Count);
        Assert.All(WorldSource.All, source =>
        {
            Assert.True(
                source.Hash.StartsWith("sha256-hex-", StringComparison.Ordinal) ? source.Hash.Length == 75 : source.Hash.Length == 95, source.Name);
            Assert.NotEmpty(source.Licence);
            Assert.Equal(source.Licence.Contains("GPL", StringComparison.Ordinal) || source.Licence == "CC-BY-SA-4.0" || source.Name == "csound-soundfont", source.TestOnly);
        });
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static WorldSource[] Sources() =>
    [
        new()
        {
            Name = "@drawings/flat", Version = "1", Kind = WorldSourceKind.Npm, Path = "@drawings/flat/-/flat-1.tgz",
            Hash = Sha512(Npm), Licence = "MIT", TestOnly = false,
        },
        new()
        {
            Name = "notes", Version = "1", Kind = WorldSourceKind.Debian, Path = "pool/notes_1_all.deb",
            Hash = "sha256-hex-" + Convert.ToHexStringLower(SHA256.HashData(Debian)), Licence = "GPL", TestOnly = true,
        },
    ];

    private static Dictionary<string, byte[]> Everything() => new()
    {
        ["http://npm.test/@drawings/flat/-/flat-1.tgz"] = Npm,
        ["http://mirror.test/debian/pool/notes_1_all.deb"] = Debian,
    };

    private static string Sha512(byte[] bytes) => "sha512-" + Convert.ToBase64String(SHA512.HashData(bytes));

    private static byte[] TarGz(string name, string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        using (var tar = new TarWriter(gzip))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }

        return packed.ToArray();
    }

    private static byte[] DebianOf(byte[] data)
    {
        using var package = new MemoryStream();
        void Member(string name, byte[] bytes)
        {
            package.Write(Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{name,-16}{0,-12}{0,-6}{0,-6}{100644,-8}{bytes.Length,-10}`\n")));
            package.Write(bytes);
            if (bytes.Length % 2 == 1)
            {
                package.WriteByte((byte)'\n');
            }
        }

        package.Write("!<arch>\n"u8);
        Member("debian-binary", "2.0\n"u8.ToArray());
        Member("control.tar.gz", [1, 2, 3]);
        Member("data.tar.gz", data);
        return package.ToArray();
    }

    private async Task Fetch(PackagesServer server, bool withTests = true)
    {
        using var client = new HttpClient(server);
        await new WorldFetch(client, _options, TextWriter.Null) { Sources = Sources(), Tools = _tools }.RunAsync(_folder, withTests, Stop);
    }

    private sealed class RecordedTools : ToolRunner
    {
        internal List<string> Programs { get; } = [];

        internal override async Task RunAsync(
            string program, IReadOnlyList<string> arguments, string folder, Action<string>? output, CancellationToken cancellationToken)
        {
            Programs.Add(program);
            if (program == "node")
            {
                Assert.True(File.Exists(Path.Combine(folder, arguments[0])));
                Directory.CreateDirectory(Path.Combine(folder, "world"));
                await File.WriteAllTextAsync(Path.Combine(folder, "world", "captions.jsonl"), "{\"kind\":\"text\"}\n", cancellationToken);
            }
        }
    }
}
