using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.Tuning.Data.World;

/// <summary>Where a package is published.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WorldSourceKind>))]
public enum WorldSourceKind
{
    /// <summary>An npm registry: a gzipped tar with one top folder.</summary>
    [JsonStringEnumMemberName("npm")]
    Npm,

    /// <summary>A Debian archive: an <c>ar</c> file with <c>data.tar.*</c>.</summary>
    [JsonStringEnumMemberName("debian")]
    Debian,
}

/// <summary>A package that part of the training world is made of.</summary>
public sealed record WorldSource
{
    private static readonly JsonSerializerOptions Camel = new(JsonSerializerDefaults.Web);

    /// <summary>The package's name.</summary>
    public required string Name { get; init; }

    /// <summary>The pinned version.</summary>
    public required string Version { get; init; }

    /// <summary>Where it is published.</summary>
    public required WorldSourceKind Kind { get; init; }

    /// <summary>Path of the file under the registry's or mirror's address.</summary>
    public required string Path { get; init; }

    /// <summary><c>sha512-</c> and base64 as npm writes it, or <c>sha256-hex-</c> and 64 digits as Debian does.</summary>
    public required string Hash { get; init; }

    /// <summary>Licence of what is used of it.</summary>
    public required string Licence { get; init; }

    /// <summary>Whether it may be measured on only, never trained on.</summary>
    public required bool TestOnly { get; init; }

    /// <summary>Folder of the unpacked package under the raw folder.</summary>
    [JsonIgnore]
    public string Folder => System.IO.Path.Combine(Kind == WorldSourceKind.Npm ? "npm" : "deb", Name);

    /// <summary>All packages.</summary>
    public static IReadOnlyList<WorldSource> All { get; } = JsonSerializer.Deserialize<WorldSource[]>(Recipe.Text("sources.json"), Camel) ?? [];

    /// <summary>Addresses to try, in order.</summary>
    /// <param name="options">Registry and mirrors.</param>
    public IReadOnlyList<Uri> Addresses(WorldOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] roots = Kind == WorldSourceKind.Npm ? [options.NpmRegistry] : [options.DebianMirror, options.DebianArchive];
        return [.. roots.Select(root => new Uri(new Uri(root.TrimEnd('/') + "/"), Path))];
    }
}

/// <summary>The files of the recipe that travel inside the program.</summary>
internal static class Recipe
{
    internal static string Text(string name)
    {
        using var stream = typeof(Recipe).Assembly.GetManifestResourceStream("world/" + name)
            ?? throw new InvalidOperationException($"The program lacks its own file world/{name}; build it anew.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
