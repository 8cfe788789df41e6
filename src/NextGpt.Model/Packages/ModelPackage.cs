using System.Security.Cryptography;

namespace NextGpt.Model.Packages;

/// <summary>A model as a folder with a manifest: opened, checked, written.</summary>
public sealed class ModelPackage
{
    /// <summary>The manifest's file name.</summary>
    public const string ManifestName = "nextgpt.json";

    private const int BufferBytes = 1 << 20;

    private ModelPackage(string folder, PackageManifest manifest)
    {
        Folder = folder;
        Manifest = manifest;
    }

    /// <summary>The folder, as a full path.</summary>
    public string Folder { get; }

    /// <summary>What it contains.</summary>
    public PackageManifest Manifest { get; }

    /// <summary>Whether a folder says that it is a package.</summary>
    public static bool IsPackage(string path) => File.Exists(Path.Combine(path, ManifestName));

    /// <summary>Reads only what a package says of itself; looks at no other file.</summary>
    /// <exception cref="InvalidDataException">The manifest breaks a rule; every broken one is a sentence.</exception>
    /// <exception cref="IOException">There is no manifest, or it cannot be read.</exception>
    public static PackageManifest ReadManifest(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var file = Path.Combine(folder, ManifestName);
        return File.Exists(file)
            ? PackageManifestFile.Read(file)
            : throw new FileNotFoundException($"{folder} is no model package; it has no {ManifestName}. `model convert` writes one.");
    }

    /// <summary>Opens a package: every listed file is there in its size, every part is among them, nothing lies beside them.</summary>
    /// <remarks>Reads no weights; <see cref="Verify"/> compares the hashes too.</remarks>
    /// <exception cref="InvalidDataException">Says what is wrong, in sentences.</exception>
    /// <exception cref="IOException">There is no manifest, or a file cannot be read.</exception>
    public static ModelPackage Open(string folder)
    {
        var package = new ModelPackage(Path.GetFullPath(folder), ReadManifest(folder));
        List<string> problems = [.. package.SizeProblems(), .. package.PartProblems()];
        return problems.Count == 0
            ? package
            : throw new InvalidDataException($"The package {folder} is not whole. {string.Join(' ', problems.Take(8))}");
    }

    /// <summary>Opens a package whose language model is whole, whatever else is missing.</summary>
    /// <returns>The package, and a sentence for each file outside of any part that is not as it was written.</returns>
    /// <exception cref="InvalidDataException">The language model, its adapter or the rows of its tokens are not whole.</exception>
    internal static (ModelPackage Package, IReadOnlyList<string> Lost) OpenUsable(string folder)
    {
        var package = new ModelPackage(Path.GetFullPath(folder), ReadManifest(folder));
        var language = new[] { package.Manifest.Language.Path, package.Manifest.Language.Adapter, package.Manifest.Tokens?.Rows };
        var problems = language.OfType<string>().SelectMany(package.ProblemsOf).ToList();
        if (problems.Count > 0)
        {
            throw new InvalidDataException($"The package {folder} is not whole. {string.Join(' ', problems.Take(8))}");
        }

        var parts = PackageRules.Parts(package.Manifest).SelectMany(part => package.FilesOf(part.Path)).ToHashSet();
        return (package, [.. package.Manifest.Files.Where(file => !parts.Contains(file)).Select(package.SizeProblem).OfType<string>()]);
    }

    /// <summary>What is wrong with the files of one part.</summary>
    /// <param name="path">As the manifest names it.</param>
    internal IEnumerable<string> ProblemsOf(string path) =>
        FilesOf(path).Select(SizeProblem).Append(PartProblem("A part", path)).OfType<string>();

    /// <summary>Writes the manifest for the files that lie in a folder, with their sizes and hashes; whole or not at all.</summary>
    /// <param name="folder">Holds every part already.</param>
    /// <param name="manifest">Its list of files is replaced.</param>
    /// <param name="progress">Gets the share of the bytes that is hashed, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at between blocks.</param>
    /// <returns>The package, opened.</returns>
    /// <exception cref="InvalidDataException">The manifest breaks a rule or names parts that are not there.</exception>
    public static ModelPackage Save(
        string folder, PackageManifest manifest, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(manifest);
        var place = Path.Combine(folder, ManifestName);
        var paths = PackagePath.FilesOf(folder);
        var total = paths.Sum(path => SizeOf(new FileInfo(PackagePath.Resolve(folder, path))));
        var files = new List<PackageFile>();
        var done = 0L;
        foreach (var path in paths)
        {
            var file = PackagePath.Resolve(folder, path);
            files.Add(new PackageFile(path, SizeOf(new FileInfo(file)), HashOf(file, cancellationToken)));
            done += files[^1].SizeBytes;
            progress?.Report(total == 0 ? 1 : (double)done / total);
        }

        var whole = manifest with { Files = files };
        PackageManifestFile.Check(whole, place);
        var temporary = $"{place}.{Path.GetRandomFileName()}.part";
        File.WriteAllBytes(temporary, PackageManifestFile.Write(whole));
        try
        {
            var problems = new ModelPackage(folder, whole).PartProblems().ToList();
            if (problems.Count > 0)
            {
                throw new InvalidDataException($"The package {folder} is not whole. {string.Join(' ', problems.Take(8))}");
            }

            File.Move(temporary, place, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        return Open(folder);
    }

    /// <summary>The place of a part on this machine.</summary>
    /// <param name="path">A path of the manifest.</param>
    /// <exception cref="InvalidDataException">It leads out of the package.</exception>
    public string PathOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return PackagePath.Problem(path) is { } problem
            ? throw new InvalidDataException($"{path} {problem}.")
            : PackagePath.Resolve(Folder, path);
    }

    /// <summary>Compares every file with its size and hash; may take minutes.</summary>
    /// <param name="progress">Gets the share of the bytes that is read, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at between blocks.</param>
    /// <returns>A sentence for every file that is not as it was written; empty where all is well.</returns>
    public IReadOnlyList<string> Verify(IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        var problems = SizeProblems().Concat(PartProblems()).ToList();
        var total = Math.Max(1, Manifest.Files.Sum(file => file.SizeBytes));
        var done = 0L;
        foreach (var file in Manifest.Files)
        {
            if (PathOf(file.Path) is var path && File.Exists(path) && SizeOf(new FileInfo(path)) == file.SizeBytes
                && HashOf(path, cancellationToken) != file.Sha256)
            {
                problems.Add($"{file.Path} is damaged: its SHA-256 is not the one in {ManifestName}. Fetch it again.");
            }

            done += file.SizeBytes;
            progress?.Report((double)done / total);
        }

        return problems;
    }

    private static string HashOf(string path, CancellationToken cancellationToken)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private IEnumerable<string> SizeProblems() => Manifest.Files.Select(SizeProblem).OfType<string>();

    private string? SizeProblem(PackageFile file)
    {
        var info = new FileInfo(PathOf(file.Path));
        return !info.Exists ? $"{file.Path} is missing; fetch it."
            : SizeOf(info) != file.SizeBytes
                ? $"{file.Path} has {SizeOf(info)} bytes, {file.SizeBytes} were expected; fetch it again."
                : null;
    }

    private static long SizeOf(FileInfo info) => info.LinkTarget is null
        ? info.Length
        : new FileInfo(info.ResolveLinkTarget(returnFinalTarget: true)!.FullName).Length;

    private IEnumerable<string> PartProblems() =>
        PackageRules.Parts(Manifest).Select(part => PartProblem(part.Entry, part.Path)).OfType<string>();

    /// <summary>A part is a listed file, or a folder of listed files alone: what lies beside them was never checked.</summary>
    private string? PartProblem(string entry, string path)
    {
        var files = FilesOf(path);
        if (files.Count == 0)
        {
            return $"{entry} is {path}, and no such file or folder is listed in {ManifestName}.";
        }

        var listed = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        return Directory.Exists(PathOf(path))
            && PackagePath.FilesOf(Folder, path).FirstOrDefault(file => !listed.Contains(file)) is { } stranger
                ? $"{stranger} is not listed in {ManifestName}; take it out of the package."
                : null;
    }

    private List<PackageFile> FilesOf(string path) =>
        [.. Manifest.Files.Where(file => file.Path == path || file.Path.StartsWith(path + "/", StringComparison.Ordinal))];
}
