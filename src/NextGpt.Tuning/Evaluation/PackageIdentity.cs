using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Model.Packages;

namespace NextGpt.Tuning.Evaluation;

/// <summary>Which bytes were evaluated, by which commit of the program.</summary>
internal static class PackageIdentity
{
    /// <summary>The commit that the program was built of, or <c>unknown</c>.</summary>
    internal static string Commit { get; } =
        typeof(PackageIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit, ..]
            ? commit : "unknown";

    /// <summary>A hash over everything that a model is made of.</summary>
    /// <param name="path">A package, a GGUF file or a folder in Hugging Face layout.</param>
    /// <returns>64 hexadecimal digits.</returns>
    /// <exception cref="IOException">There is no such file or folder, or it cannot be read.</exception>
    internal static string HashOf(string path)
    {
        if (Directory.Exists(path))
        {
            // A package's manifest holds the hash of each of its files.
            return ModelPackage.IsPackage(path) ? FileHash(Path.Combine(path, ModelPackage.ManifestName)) : FolderHash(path);
        }

        return File.Exists(path) ? FileHash(path) : throw new FileNotFoundException($"{path} does not exist; give a package, a GGUF file or a model folder.");
    }

    /// <summary>A short hash of texts, to tell one set of circumstances from another.</summary>
    internal static string Key(params IEnumerable<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', texts))))[..16];

    /// <summary>A hash over every file below a folder, by name and content.</summary>
    internal static string FolderHash(string folder) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n',
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetRelativePath(folder, file)} {FileHash(file)}")))));

    private static string FileHash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
