using System.Text.Json;

namespace NextGpt.Bots.Teams.Activities;

/// <summary>Reads foreign JSON without ever failing: what is absent or of another kind is null (A2005, A2006).</summary>
internal static class JsonRead
{
    /// <summary>A member by its name, letter case aside when there is no exact one.</summary>
    public static JsonElement? Member(this JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (element.TryGetProperty(name, out var exact))
        {
            return exact.ValueKind == JsonValueKind.Null ? null : exact;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return member.Value.ValueKind == JsonValueKind.Null ? null : member.Value;
            }
        }

        return null;
    }

    /// <summary>A text, by a path of names.</summary>
    public static string? Text(this JsonElement element, params ReadOnlySpan<string> path)
    {
        JsonElement? at = element;
        foreach (var name in path)
        {
            at = at?.Member(name);
        }

        try
        {
            return at is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        }
        catch (InvalidOperationException)   // halves of surrogate pairs are no text
        {
            return null;
        }
    }

    /// <summary>The elements of a list; none if it is not there.</summary>
    public static IReadOnlyList<JsonElement> Items(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];
}
