using System.Diagnostics.CodeAnalysis;

namespace NextGpt.Model.Weights;

/// <summary>
/// The key/value part of a GGUF file: architecture, tokenizer, chat template. A missing key gives null; a key of
/// another type than asked for is an error, because it would otherwise be mistaken for a missing one.
/// </summary>
/// <remarks>
/// Values are held as bool, long (every integer type that fits), ulong (the rest), double, string, or an array of
/// these (bool[], long[], double[], string[], object[] for nested arrays and wide unsigned ones).
/// </remarks>
internal sealed class GgufMetadata(string fileName, IReadOnlyDictionary<string, object> values)
{
    /// <summary>The file, for messages.</summary>
    public string FileName => fileName;

    /// <summary>Every key with its value.</summary>
    public IReadOnlyDictionary<string, object> Values => values;

    /// <summary>Whether the key is there.</summary>
    public bool Contains(string key) => values.ContainsKey(key);

    /// <summary>A string, or null.</summary>
    public string? Text(string key) => Class<string>(key, "a string");

    /// <summary>An integer of any width, or null.</summary>
    public long? Integer(string key) => Value<long>(key, "an integer");

    /// <summary>A floating-point number (integers are taken too), or null.</summary>
    public double? Number(string key) => values.GetValueOrDefault(key) is long whole
        ? whole
        : Value<double>(key, "a number");

    /// <summary>A boolean, or null.</summary>
    public bool? Flag(string key) => Value<bool>(key, "a boolean");

    /// <summary>An array of strings, or null.</summary>
    public IReadOnlyList<string>? Texts(string key) => Class<string[]>(key, "an array of strings");

    /// <summary>An array of integers, or null.</summary>
    public IReadOnlyList<long>? Integers(string key) => Class<long[]>(key, "an array of integers");

    /// <summary>An array of floating-point numbers, or null.</summary>
    public IReadOnlyList<double>? Numbers(string key) => Class<double[]>(key, "an array of numbers");

    /// <summary>A string that must be there.</summary>
    /// <exception cref="InvalidDataException">It is missing or of another type.</exception>
    public string RequiredText(string key) => Text(key) ?? throw Missing(key, "a string");

    /// <summary>An integer that must be there and lie in a range.</summary>
    /// <exception cref="InvalidDataException">It is missing, of another type, or out of range.</exception>
    public int RequiredInteger(string key, int least, int most) =>
        Ranged(key, Integer(key) ?? throw Missing(key, "an integer"), least, most);

    /// <summary>An integer that must lie in a range if it is there.</summary>
    /// <exception cref="InvalidDataException">It is of another type or out of range.</exception>
    public int? OptionalInteger(string key, int least, int most) =>
        Integer(key) is { } number ? Ranged(key, number, least, most) : null;

    private int Ranged(string key, long number, int least, int most) =>
        number >= least && number <= most
            ? (int)number
            : throw new InvalidDataException(
                $"{fileName}: metadata '{key}' is {number}; expected {least} to {most}. The file is damaged or not meant " +
                "for this program; fetch it again.");

    private T? Value<T>(string key, string expected)
        where T : struct => values.TryGetValue(key, out var value)
            ? value is T right ? right : throw Wrong(key, value, expected)
            : null;

    private T? Class<T>(string key, string expected)
        where T : class => values.TryGetValue(key, out var value)
            ? Empty<T>(value) ?? value as T ?? throw Wrong(key, value, expected)
            : null;

    // An empty array may have been written with any element type.
    [SuppressMessage("Performance", "CA1825:Avoid zero-length array allocations", Justification = "The type is open.")]
    private static T? Empty<T>(object value)
        where T : class => value is Array { Length: 0 } && typeof(T).IsArray
            ? (T)(object)Array.CreateInstance(typeof(T).GetElementType() ?? typeof(object), 0)
            : null;

    private InvalidDataException Missing(string key, string expected) => new(
        $"{fileName}: metadata '{key}' is missing; expected {expected}. The file is not a language model this program " +
        "can run.");

    private InvalidDataException Wrong(string key, object value, string expected) => new(
        $"{fileName}: metadata '{key}' is {Describe(value)}; expected {expected}.");

    private static string Describe(object value) => value switch
    {
        string => "a string",
        long or ulong => "an integer",
        double => "a number",
        bool => "a boolean",
        string[] => "an array of strings",
        long[] => "an array of integers",
        double[] => "an array of numbers",
        _ => "an array",
    };
}
