using System.Collections.Frozen;
using System.Security.Cryptography;

namespace NextGpt.Server.Web;

/// <summary>A file of the page that is compiled into the program: sheet, scripts, mark.</summary>
/// <param name="Name">For example <c>app.css</c>.</param>
/// <param name="MediaType">With its character set.</param>
/// <param name="Bytes">The whole file.</param>
internal sealed record Asset(string Name, string MediaType, ReadOnlyMemory<byte> Bytes)
{
    private const string Prefix = "web/";

    private static readonly FrozenDictionary<string, Asset> All = Read();

    /// <summary>Changes with any of the files; part of every address, so that browsers may keep them for good.</summary>
    public static string Version { get; } = Convert.ToHexStringLower(
        SHA256.HashData(All.Values.OrderBy(asset => asset.Name, StringComparer.Ordinal)
            .SelectMany(asset => asset.Bytes.ToArray()).ToArray()))[..12];

    /// <summary>The file, or null.</summary>
    public static Asset? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>Where the page finds a file.</summary>
    public static string PathOf(string name) =>
        All.ContainsKey(name) ? $"/assets/{Version}/{name}" : throw new ArgumentException($"There is no asset {name}.");

    private static FrozenDictionary<string, Asset> Read()
    {
        var assembly = typeof(Asset).Assembly;
        return assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(resource =>
            {
                using var stream = assembly.GetManifestResourceStream(resource)
                    ?? throw new InvalidOperationException($"The resource {resource} is listed but cannot be opened.");
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                var name = resource[Prefix.Length..];
                return new Asset(name, MediaTypeOf(name), bytes);
            })
            .ToFrozenDictionary(asset => asset.Name, StringComparer.Ordinal);
    }

    private static string MediaTypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"Assets of type {other} are not served; see {nameof(MediaTypeOf)}."),
    };
}
