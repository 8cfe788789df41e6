using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NextGpt.Model.Decoders;

/// <summary>Reads the settings of a <c>config.json</c> in diffusers or transformers layout and refuses what is not known.</summary>
internal sealed partial class DiffusersConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly JsonElement _root;
    private readonly string _name;

    private DiffusersConfig(JsonElement root, string name)
    {
        _root = root;
        _name = name;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is not a JSON object.</exception>
    internal static DiffusersConfig Load(string file) => Parse(File.ReadAllText(file), file);

    /// <summary>Reads a text.</summary>
    /// <param name="json">The content.</param>
    /// <param name="name">A name for messages.</param>
    /// <exception cref="InvalidDataException">The text is not a JSON object.</exception>
    internal static DiffusersConfig Parse(string json, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(NotFinite().Replace(json, "null"));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new DiffusersConfig(document.RootElement.Clone(), name)
                : throw new InvalidDataException($"{name} is not a JSON object; a model's config.json was expected.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{name} is not JSON ({failure.Message}).", failure);
        }
    }

    /// <summary>Writes settings, indented.</summary>
    internal static void Save(string file, JsonObject settings) => File.WriteAllText(file, settings.ToJsonString(Indented) + "\n");

    /// <summary>Numbers as JSON.</summary>
    internal static JsonArray List(IEnumerable<int> numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);

    /// <summary>Words as JSON.</summary>
    internal static JsonArray List(IEnumerable<string> words) => new([.. words.Select(word => JsonValue.Create(word))]);

    /// <summary>Whether the setting is there and not null.</summary>
    internal bool Has(string key) =>
        _root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A whole number; without a default the setting is required.</summary>
    internal int Integer(string key, int? standard = null) => Value(key, standard, value => value.GetInt32());

    /// <summary>A number; without a default the setting is required.</summary>
    internal double Number(string key, double? standard = null) => Value(key, standard, value => value.GetDouble());

    /// <summary>A yes or no.</summary>
    internal bool Flag(string key, bool standard) => Value<bool>(key, standard, value => value.GetBoolean());

    /// <summary>A word; null is its absence.</summary>
    internal string? Text(string key) => Has(key) ? Get(_root.GetProperty(key), key, value => value.GetString()) : null;

    /// <summary>A list of words.</summary>
    internal IReadOnlyList<string> Texts(string key) => List(key, value => value.GetString() ?? string.Empty);

    /// <summary>A list in which every entry is one of two words: true where it is the first.</summary>
    internal bool[] Either(string key, string with, string without) =>
        [.. Texts(key).Select(type => type == with || (type == without
            ? false
            : throw new InvalidDataException($"{_name}: {key} has {type}; supported are {with} and {without}.")))];

    /// <summary>A list of whole numbers.</summary>
    internal IReadOnlyList<int> Integers(string key) => List(key, value => value.GetInt32());

    /// <summary>A list of lists of whole numbers.</summary>
    internal IReadOnlyList<IReadOnlyList<int>> IntegerLists(string key) =>
        List<IReadOnlyList<int>>(key, value => [.. value.EnumerateArray().Select(number => number.GetInt32())]);

    /// <summary>A list of numbers.</summary>
    internal IReadOnlyList<float> Numbers(string key) => List(key, value => value.GetSingle());

    /// <summary>One whole number for all of <paramref name="count"/>, or a list of them.</summary>
    internal IReadOnlyList<int> IntegerPerLevel(string key, int count)
    {
        if (!Has(key))
        {
            throw Missing(key);
        }

        var numbers = _root.GetProperty(key).ValueKind == JsonValueKind.Array
            ? Integers(key)
            : [.. Enumerable.Repeat(Integer(key), count)];
        return numbers.Count == count
            ? numbers
            : throw new InvalidDataException($"{_name}: {key} has {numbers.Count} entries; {count} were expected.");
    }

    /// <summary>Refuses a network that was made with a setting this program does not have.</summary>
    /// <param name="key">The setting.</param>
    /// <param name="known">The values that mean the network built here; a missing setting is among them.</param>
    internal void Expect(string key, params string[] known)
    {
        if (!Has(key))
        {
            return;
        }

        var value = _root.GetProperty(key);
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
        if (!known.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            throw new InvalidDataException(
                $"{_name}: {key} is {text}, which is not supported; supported is {string.Join(" or ", known)}.");
        }
    }

    /// <summary>Python writes infinities and not-a-number as bare words, which JSON does not know.</summary>
    [GeneratedRegex(@"(?<=[:,\[]\s*)(-?Infinity|NaN)(?=\s*[,}\]])")]
    private static partial Regex NotFinite();

    private T[] List<T>(string key, Func<JsonElement, T> read)
    {
        if (!Has(key))
        {
            throw Missing(key);
        }

        return Get(_root.GetProperty(key), key, array => array.EnumerateArray().Select(read).ToArray());
    }

    private T Value<T>(string key, T? standard, Func<JsonElement, T> read)
        where T : struct =>
        Has(key) ? Get(_root.GetProperty(key), key, read) : standard ?? throw Missing(key);

    private T Get<T>(JsonElement value, string key, Func<JsonElement, T> read)
    {
        try
        {
            return read(value);
        }
        catch (Exception failure) when (failure is InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{_name}: {key} is {value.GetRawText()}, which has the wrong type.", failure);
        }
    }

    private InvalidDataException Missing(string key) => new($"{_name}: {key} is missing.");
}
