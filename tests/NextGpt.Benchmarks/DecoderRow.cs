using System.Text.Json;

namespace NextGpt.Benchmarks;

/// <summary>A row of <c>decoders.json</c>: a network, its configuration in diffusers or transformers layout, and what goes in.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Network">Which network.</param>
/// <param name="Config">Its <c>config.json</c>.</param>
/// <param name="Inputs">Shapes by name.</param>
internal sealed record DecoderRow(string Name, string Network, JsonElement Config, IReadOnlyDictionary<string, long[]> Inputs)
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNameCaseInsensitive = true };

    /// <summary>Where the rows stand; the reference reads the same file.</summary>
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "decoders.json");

    /// <summary>Reads every row.</summary>
    public static IReadOnlyList<DecoderRow> ReadAll() =>
        JsonSerializer.Deserialize<List<DecoderRow>>(System.IO.File.ReadAllText(File), Names)
        ?? throw new InvalidDataException($"{File} holds no rows.");
}
