using System.Globalization;
using System.Text;

namespace NextGpt.Tuning.Data.World;

/// <summary>Rebuilds the training world from public packages: download, check, unpack, lay out, pack.</summary>
/// <remarks>
/// Every step that is done stays done, so the command may be broken off and run again. Laying out (rendering vector drawings,
/// cutting recordings, playing the sample bank) is the recipe <c>build.mjs</c>, run by Node with the renderer <c>sharp</c>, ffmpeg and
/// fluidsynth: the floors and figures of the evaluation were measured on exactly its pictures, another renderer would draw others.
/// </remarks>
/// <param name="client">Downloads.</param>
/// <param name="options">Where from.</param>
/// <param name="output">Takes lines for a person.</param>
public sealed class WorldFetch(HttpClient client, WorldOptions options, TextWriter output)
{
    private const string Renderer = "sharp@0.34.5";

    /// <summary>The packages; all unless a test says otherwise.</summary>
    internal IReadOnlyList<WorldSource> Sources { get; init; } = WorldSource.All;

    /// <summary>Runs other programs.</summary>
    internal ToolRunner Tools { get; init; } = new();

    /// <summary>Rebuilds.</summary>
    /// <param name="folder">Gets <c>raw/</c>, <c>world/</c> and <c>pictures.atlas</c>.</param>
    /// <param name="withTests">Whether packages that may only be measured on come too.</param>
    /// <param name="cancellationToken">Stops; run again to go on.</param>
    /// <exception cref="InvalidDataException">A package is not the pinned one.</exception>
    /// <exception cref="InvalidOperationException">A program that is needed is missing or failed.</exception>
    public async Task RunAsync(string folder, bool withTests, CancellationToken cancellationToken = default)
    {
        var raw = Path.Combine(folder, "raw");
        var wanted = Sources.Where(source => withTests || !source.TestOnly).ToList();
        Directory.CreateDirectory(raw);
        for (var index = 0; index < wanted.Count; index++)
        {
            await FetchAsync(wanted[index], raw, $"[{index + 1}/{wanted.Count}]", cancellationToken);
        }

        WriteLicences(raw, wanted);
        await LayOutAsync(folder, raw, cancellationToken);
        var atlas = Path.Combine(folder, "pictures.atlas");
        PictureAtlas.Build(Path.Combine(folder, "world")).Save(atlas);
        output.WriteLine($"The world is ready: {Path.Combine(folder, "world")} and {atlas}.");
    }

    private async Task FetchAsync(WorldSource source, string raw, string place, CancellationToken cancellationToken)
    {
        var mark = Path.Combine(raw, "done", source.Name.Replace('/', '+'));
        var target = Path.Combine(raw, source.Folder);
        if (File.Exists(mark) && Directory.Exists(target)
            && await File.ReadAllTextAsync(mark, cancellationToken) == source.Hash)
        {
            output.WriteLine($"{place} {source.Name} {source.Version}: there already");
            return;
        }

        var file = Path.Combine(raw, "packages", Path.GetFileName(source.Path));
        var told = -1L;
        if (!File.Exists(file) || !await PackageDownload.MatchesAsync(file, source.Hash, cancellationToken))
        {
            await new PackageDownload(client).FetchAsync(
                source, source.Addresses(options), file,
                (done, total) =>
                {
                    if (done / 10_000_000 > told)
                    {
                        told = done / 10_000_000;
                        output.WriteLine(string.Create(
                            CultureInfo.InvariantCulture, $"{place} {source.Name}: {done / 1e6:0} of {(total > 0 ? $"{total / 1e6:0}" : "?")} MB"));
                    }
                },
                cancellationToken);
        }

        await PackageUnpacking.UnpackAsync(source, file, target, Tools, cancellationToken);
        Directory.CreateDirectory(Path.GetDirectoryName(mark) ?? raw);
        await File.WriteAllTextAsync(mark, source.Hash, cancellationToken);
        File.Delete(file);
        output.WriteLine($"{place} {source.Name} {source.Version}: unpacked ({source.Licence}{(source.TestOnly ? ", for measuring only" : string.Empty)})");
    }

    private async Task LayOutAsync(string folder, string raw, CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "build.mjs", "sounds.tsv" })
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), Recipe.Text(name), cancellationToken);
        }

        if (!Directory.Exists(Path.Combine(raw, "node_modules", "sharp")))
        {
            await Tools.RunAsync(
                "npm", ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", ".", Renderer], raw, null, cancellationToken);
        }

        output.WriteLine("Laying out pictures, clips, sounds and words; this takes some minutes.");
        await Tools.RunAsync("node", ["build.mjs", "raw", "world"], folder, output.WriteLine, cancellationToken);
    }

    private static void WriteLicences(string raw, IEnumerable<WorldSource> sources)
    {
        var text = new StringBuilder("| package | version | licence of what is used | use |\n| --- | --- | --- | --- |\n");
        foreach (var source in sources)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {source.Name} | {source.Version} | {source.Licence} | {(source.TestOnly ? "measured on only" : "training")} |\n");
        }

        File.WriteAllText(Path.Combine(raw, "LICENCES.md"), text.ToString());
    }
}
