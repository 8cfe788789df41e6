using System.Text.Json;

namespace NextGpt.Tuning.Data;

/// <summary>The rows of the world and the ways to look them up.</summary>
/// <remarks>Immutable and thread-safe. Holds no pixels and no samples; <see cref="WorldStudio"/> reads those.</remarks>
public sealed class WorldData
{
    // The reader of sounds wants a fifth of a second, and so does an ear that shall name something.
    private const double ShortestSound = 0.21;

    private readonly Dictionary<string, WorldRow[]> _pictures;
    private readonly Dictionary<string, WorldRow[]> _soundsOfPicture;
    private readonly Dictionary<string, WorldRow> _glosses;
    private readonly HashSet<string> _captions;

    private WorldData(string folder, IReadOnlyList<WorldRow> rows)
    {
        Folder = folder;
        Rows = rows;
        Dictionary<string, WorldRow[]> Grouped(WorldKind kind, Func<WorldRow, string> key) => Of(kind)
            .GroupBy(key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        _pictures = Grouped(WorldKind.Picture, row => row.Concept);
        _soundsOfPicture = Grouped(WorldKind.Sound, row => row.PictureConcept ?? string.Empty);
        _glosses = Of(WorldKind.Text).GroupBy(row => row.Concept, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        _captions = Of(WorldKind.Picture).Select(row => row.Caption).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Where the files are.</summary>
    public string Folder { get; }

    /// <summary>All rows that can be used, in the order of the file.</summary>
    public IReadOnlyList<WorldRow> Rows { get; }

    /// <summary>Reads a world.</summary>
    /// <param name="folder">A folder with <c>captions.jsonl</c>.</param>
    /// <exception cref="InvalidDataException">A row is broken; the message names its line.</exception>
    public static WorldData Load(string folder)
    {
        var file = Path.Combine(folder, "captions.jsonl");
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"{file} is not there; make the world first: nextgpt data fetch.");
        }

        return Of(folder, [.. File.ReadLines(file).Select((line, index) => Read(file, line, index + 1))]);
    }

    /// <summary>A world of given rows.</summary>
    /// <param name="folder">Where their files are.</param>
    /// <param name="rows">The rows; sounds under a fifth of a second are left out.</param>
    public static WorldData Of(string folder, IReadOnlyList<WorldRow> rows) =>
        new(folder, [.. rows.Where(row => row.Kind != WorldKind.Sound || row.Seconds >= ShortestSound)]);

    /// <summary>Rows of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public IEnumerable<WorldRow> Of(WorldKind kind) => Rows.Where(row => row.Kind == kind);

    /// <summary>Every drawing of a concept, whatever its split; empty where there is none.</summary>
    /// <param name="concept">Its key.</param>
    public IReadOnlyList<WorldRow> Pictures(string concept) => _pictures.GetValueOrDefault(concept) ?? [];

    /// <summary>Every sound that belongs to a drawn concept, whatever its split; empty where there is none.</summary>
    /// <param name="concept">Key of the drawn concept.</param>
    public IReadOnlyList<WorldRow> SoundsOf(string concept) => _soundsOfPicture.GetValueOrDefault(concept) ?? [];

    /// <summary>What a dictionary says of a concept, or null.</summary>
    /// <param name="concept">Its key.</param>
    public WorldRow? Gloss(string concept) => _glosses.GetValueOrDefault(concept);

    /// <summary>Whether a drawing with just this caption exists, in any split.</summary>
    /// <param name="caption">With its article.</param>
    public bool IsDrawn(string caption) => _captions.Contains(caption);

    private static WorldRow Read(string file, string line, int number)
    {
        try
        {
            return JsonSerializer.Deserialize<WorldRow>(line)
                ?? throw new InvalidDataException($"{file}, line {number}: a row was expected, null stands there.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{file}, line {number} is not a row of the world: {failure.Message}", failure);
        }
    }
}
