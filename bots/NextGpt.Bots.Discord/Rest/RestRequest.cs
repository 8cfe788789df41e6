using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Rest;

/// <summary>A call of Discord's API.</summary>
/// <param name="Method">GET, POST, PATCH, PUT or DELETE.</param>
/// <param name="Route">The path with its holes, for example <c>/channels/{0}/messages</c>; names the bucket until Discord does.</param>
/// <param name="Values">What goes into the holes, in order; the first is the top-level resource of the bucket.</param>
internal sealed record RestRequest(HttpMethod Method, string Route, params IReadOnlyList<string> Values)
{
    /// <summary>The body, or null.</summary>
    public JsonNode? Body { get; init; }

    /// <summary>Files sent beside the body.</summary>
    public IReadOnlyList<OutgoingFile> Files { get; init; } = [];

    /// <summary>Interactions and their webhooks have limits of their own and do not wait for the global one.</summary>
    public bool IsInteraction { get; init; }

    /// <summary>Whether doing it twice is the same as once; else a lost answer is not followed by another try.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>The path, each value escaped.</summary>
    public string Path => string.Format(
        System.Globalization.CultureInfo.InvariantCulture, Route.TrimStart('/'), [.. Values.Select(Uri.EscapeDataString)]);

    /// <summary>Whose limits these are: a channel, a server, or a webhook with its token.</summary>
    public string TopLevel => Route.StartsWith("/webhooks", StringComparison.Ordinal) ? string.Join('/', Values.Take(2))
        : Values.Count > 0 ? Values[0] : "";
}

/// <summary>A file for a message.</summary>
/// <param name="Name">Made by us, never taken from a stranger.</param>
/// <param name="MediaType">For example <c>image/png</c>.</param>
/// <param name="Bytes">The whole file.</param>
/// <param name="Description">Alternative text, at most 1,024 characters; null is none.</param>
internal sealed record OutgoingFile(string Name, string MediaType, ReadOnlyMemory<byte> Bytes, string? Description = null);
