using System.Text.Json;

namespace NextGpt.Bots.Discord.Wire;

/// <summary>An object as Discord sends it, read tolerantly: null and absent are alike, ids may be numbers.</summary>
internal readonly struct WireObject(JsonElement element)
{
    private readonly JsonElement _element = element;

    /// <summary>Whether there is an object at all.</summary>
    public bool IsThere => _element.ValueKind == JsonValueKind.Object;

    /// <summary>Reads a whole document; the bytes may be reused afterwards.</summary>
    /// <exception cref="JsonException">They are no JSON.</exception>
    public static WireObject Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        return new WireObject(document.RootElement.Clone());
    }

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string name) => Field(name) is not null;

    /// <summary>A text or an id; null if it is neither.</summary>
    public string? Text(string name) => Field(name) is not { } field ? null : field.ValueKind switch
    {
        JsonValueKind.String => field.GetString(),
        JsonValueKind.Number => field.GetRawText(),
        _ => null,
    };

    /// <summary>A text or an id that must be there; empty if it is not.</summary>
    public string Id(string name) => Text(name) ?? "";

    /// <summary>A whole number, also if it came as text; null if it is none.</summary>
    public long? Number(string name) => Field(name) is not { } field ? null
        : field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number
        : field.ValueKind == JsonValueKind.String && long.TryParse(field.GetString(), out var parsed) ? parsed
        : null;

    /// <summary>A number with a fraction; null if it is none.</summary>
    public double? Fraction(string name) =>
        Field(name) is { ValueKind: JsonValueKind.Number } field && field.TryGetDouble(out var number) ? number : null;

    /// <summary>True only if the field says so.</summary>
    public bool Flag(string name) => Field(name) is { ValueKind: JsonValueKind.True };

    /// <summary>An object within; one that is not there has no fields.</summary>
    public WireObject Object(string name) =>
        Field(name) is { ValueKind: JsonValueKind.Object } field ? new WireObject(field) : default;

    /// <summary>The objects of a list; empty if there is none.</summary>
    public IReadOnlyList<WireObject> List(string name) => Field(name) is { ValueKind: JsonValueKind.Array } field
        ? [.. field.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object).Select(item => new WireObject(item))]
        : [];

    /// <summary>The objects of this, if it is a list itself.</summary>
    public IReadOnlyList<WireObject> Items() => _element.ValueKind == JsonValueKind.Array
        ? [.. _element.EnumerateArray().Select(item => new WireObject(item))]
        : [];

    /// <summary>The texts (or ids) of a list; empty if there is none.</summary>
    public IReadOnlyList<string> Texts(string name) => Field(name) is { ValueKind: JsonValueKind.Array } field
        ? [.. field.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            .Select(item => item.ToString())]
        : [];

    private JsonElement? Field(string name) =>
        IsThere && _element.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? field : null;
}
