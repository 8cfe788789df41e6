using System.Security.Cryptography;
using NextGpt.Host.Plugins;

namespace NextGpt.Host.Tests.Plugins;

/// <summary>Plugins from a folder, with the media plugin of this repository as the stranger's assembly (SKP-4).</summary>
public sealed class PluginFolderTests : IDisposable
{
    private const string Media = "NextGpt.Plugins.Media.dll";
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-plugins-").FullName;

    private static string Built => Path.Combine(AppContext.BaseDirectory, "Plugins", Media);

    private static string Hash => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Built)));

    [Fact]
    public void SKP_4_a_listed_assembly_with_the_recorded_hash_gives_the_named_functions_and_no_others()
    {
        File.Copy(Built, Path.Combine(_folder, Media));

        var loaded = Load(new PluginEntry { Assembly = Media, Sha256 = Hash.ToUpperInvariant(), Functions = ["describe", "draw"] });

        Assert.Empty(loaded.Skipped);
        var plugin = Assert.Single(loaded.Plugins);
        Assert.Equal("media", plugin.Name);
        Assert.Equal(["describe", "draw"], plugin.Select(function => function.Name).Order());
    }

    [Fact]
    public void SKP_4_nothing_is_loaded_that_is_not_listed()
    {
        File.Copy(Built, Path.Combine(_folder, Media));

        var loaded = Load();

        Assert.Empty(loaded.Plugins);
        Assert.Empty(loaded.Skipped);
    }

    [Fact]
    public void SKP_4_a_changed_file_is_named_and_skipped_and_the_others_are_loaded()
    {
        File.Copy(Built, Path.Combine(_folder, Media));
        File.WriteAllBytes(Path.Combine(_folder, "changed.dll"), [.. File.ReadAllBytes(Built), 0]);

        var loaded = Load(
            new PluginEntry { Assembly = "changed.dll", Sha256 = Hash, Functions = ["draw"] },
            new PluginEntry { Assembly = Media, Sha256 = Hash, Functions = ["draw"] });

        Assert.Single(loaded.Plugins);
        var sentence = Assert.Single(loaded.Skipped);
        Assert.StartsWith("The plugin changed.dll was skipped: its SHA-256 is ", sentence, StringComparison.Ordinal);
        Assert.Contains("not the recorded one", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../NextGpt.Plugins.Media.dll", "draw", "without a path")]
    [InlineData("/etc/passwd", "draw", "without a path")]
    [InlineData("..", "draw", "without a path")]
    [InlineData(null, "draw", "without a path")]
    [InlineData("absent.dll", "draw", "the file is not in the folder.")]
    [InlineData(Media, null, "no function of it is named")]
    [InlineData(Media, "delete_everything", "it has no function called delete_everything")]
    public void SKP_4_a_wrong_entry_is_skipped_with_what_to_correct(string? assembly, string? function, string sentence)
    {
        File.Copy(Built, Path.Combine(_folder, Media));

        var loaded = Load(new PluginEntry
        {
            Assembly = assembly,
            Sha256 = Hash,
            Functions = function is null ? [] : [function],
        });

        Assert.Empty(loaded.Plugins);
        Assert.Contains(sentence, Assert.Single(loaded.Skipped), StringComparison.Ordinal);
    }

    [Fact]
    public void SKP_4_without_a_recorded_hash_nothing_is_loaded_and_a_link_or_a_text_is_no_plugin()
    {
        File.Copy(Built, Path.Combine(_folder, Media));
        var text = Path.Combine(_folder, "text.dll");
        File.WriteAllText(text, "no assembly");
        File.CreateSymbolicLink(Path.Combine(_folder, "link.dll"), Built);

        var loaded = Load(
            new PluginEntry { Assembly = Media, Functions = ["draw"] },
            new PluginEntry { Assembly = "link.dll", Sha256 = Hash, Functions = ["draw"] },
            new PluginEntry
            {
                Assembly = "text.dll",
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(text))),
                Functions = ["draw"],
            });

        Assert.Empty(loaded.Plugins);
        Assert.Equal(3, loaded.Skipped.Count);
        Assert.Contains($"set Sha256 to {Hash}.", loaded.Skipped[0], StringComparison.Ordinal);
        Assert.Contains("it is a link", loaded.Skipped[1], StringComparison.Ordinal);
        Assert.Contains("no .NET assembly", loaded.Skipped[2], StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private LoadedPlugins Load(params PluginEntry[] entries) =>
        PluginFolder.Load(new PluginOptions { Folder = _folder, Load = entries }, AppContext.BaseDirectory);
}
