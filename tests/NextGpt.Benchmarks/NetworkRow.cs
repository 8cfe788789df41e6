using System.Text.Json;

namespace NextGpt.Benchmarks;

/// <summary>A row of <c>networks.json</c>: a network, its configuration in diffusers, transformers or ImageBind layout, and what goes in.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Network">Which network.</param>
/// <param name="Config">Its <c>config.json</c>.</param>
/// <param name="Inputs">Shapes by name.</param>
internal sealed record NetworkRow(string Name, string Network, JsonElement Config, IReadOnlyDictionary<string, long[]> Inputs)
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNameCaseInsensitive = true };

    /// <summary>Where the rows stand; the reference reads the same file.</summary>
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "networks.json");

    /// <summary>Reads every row.</summary>
    public static IReadOnlyList<NetworkRow> ReadAll() =>
        JsonSerializer.Deserialize<List<NetworkRow>>(System.IO.File.ReadAllText(File), Names)
        ?? throw new InvalidDataException($"{File} holds no rows.");
}
