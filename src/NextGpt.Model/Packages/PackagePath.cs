namespace NextGpt.Model.Packages;

/// <summary>Paths inside a package folder: relative, and never out of it.</summary>
internal static class PackagePath
{
    private const int MaxLength = 512;

    /// <summary>What is wrong with a path as text, or null.</summary>
    public static string? Problem(string path)
    {
        if (path.Length is 0 or > MaxLength)
        {
            return $"is {path.Length} characters long, 1 to {MaxLength} were expected";
        }

        if (path.Contains('\\', StringComparison.Ordinal) || path.Contains(':', StringComparison.Ordinal) || path.Any(char.IsControl))
        {
            return "contains a backslash, a colon or a control character; write folders with /";
        }

        return path.Split('/').Any(name => name.Length == 0 || name is "." or ".." || name != name.Trim())
            ? "must be relative and stay inside the package: names between single /, none of them empty, . or .."
            : null;
    }

    /// <summary>The place of a path on this machine.</summary>
    /// <param name="folder">The package folder.</param>
    /// <param name="path">Without a problem as text.</param>
    /// <exception cref="InvalidDataException">A link on the way leads out of the folder.</exception>
    public static string Resolve(string folder, string path)
    {
        var root = Path.GetFullPath(folder);
        var at = root;
        foreach (var name in path.Split('/'))
        {
            at = Path.Combine(at, name);
            FileSystemInfo entry = Directory.Exists(at) ? new DirectoryInfo(at) : new FileInfo(at);
            if (entry.LinkTarget is not null && (entry.ResolveLinkTarget(returnFinalTarget: true) is not { } target
                || !IsInside(root, target.FullName)))
            {
                throw new InvalidDataException(
                    $"{path} of the package {folder} is a link that leads out of the package; put the file itself there.");
            }
        }

        return at;
    }

    /// <summary>Every file of a folder as a path of the package, in order; the manifest left out.</summary>
    /// <param name="folder">The package folder.</param>
    /// <param name="within">A path of the package, or null for all of it.</param>
    public static IReadOnlyList<string> FilesOf(string folder, string? within = null)
    {
        var root = Path.GetFullPath(folder);
        var from = within is null ? root : Resolve(folder, within);
        return [.. Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(path => path != ModelPackage.ManifestName)
            .Order(StringComparer.Ordinal)];
    }

    private static bool IsInside(string root, string path)
    {
        var relative = Path.GetRelativePath(root, path);
        return !Path.IsPathRooted(relative) && relative != ".." && !relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }
}
