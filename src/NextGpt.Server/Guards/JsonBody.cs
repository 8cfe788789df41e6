using System.Text.Json;
using Microsoft.Extensions.Options;
using NextGpt.Host;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Guards;

/// <summary>Reads a JSON body within the limits of size, depth and time (API-5).</summary>
internal static class JsonBody
{
    /// <summary>Deepest nesting that is read.</summary>
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = MaxDepth };

    /// <summary>The body, which must be a JSON object; or why it is not.</summary>
    public static async Task<(JsonDocument? Body, TurnError? Error)> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            return (null, ErrorCatalogue.UnsupportedMedia.With(
                "A body of another type", "application/json, UTF-8"));
        }

        var options = context.RequestServices.GetRequiredService<IOptions<ServerOptions>>().Value;
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        using var late = new CancellationTokenSource(options.RequestTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            var body = await JsonDocument.ParseAsync(context.Request.Body, Limits, any.Token);
            if (body.RootElement.ValueKind == JsonValueKind.Object)
            {
                return (body, null);
            }

            body.Dispose();
            return (null, ErrorCatalogue.InvalidRequest.With("The body must be a JSON object."));
        }
        catch (JsonException malformed)
        {
            return (null, ErrorCatalogue.InvalidRequest.With(
                malformed.Message.Contains("maximum configured depth", StringComparison.OrdinalIgnoreCase)
                    ? $"The JSON is nested deeper than {MaxDepth} levels; send it flatter."
                    : $"The body is not valid JSON (line {malformed.LineNumber + 1}, byte "
                        + $"{malformed.BytePositionInLine + 1}); send what /openapi.json describes."));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
            return (null, ErrorCatalogue.RequestTooSlow.With(options.RequestTimeout.TotalSeconds));
        }
    }
}

/// <summary>Reads fields of a JSON object with sentences for what does not fit.</summary>
internal readonly ref struct JsonFields(JsonElement body)
{
    /// <summary>A text; null if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public string? Text(string name) => Get(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? Read(name, value)
        : throw new FieldException(name, $"{name} must be a text.");

    /// <summary>A number; null if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public double? Number(string name) => Get(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : throw new FieldException(name, $"{name} must be a number.");

    /// <summary>A whole number; null if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public long? Whole(string name) => Get(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw new FieldException(name, $"{name} must be a whole number.");

    /// <summary>A number of things, too large ones as the largest; null if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public int? Count(string name) =>
        Whole(name) is { } whole ? (int)Math.Clamp(whole, int.MinValue, int.MaxValue) : null;

    /// <summary>True or false; null if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public bool? Flag(string name) => Get(name) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw new FieldException(name, $"{name} must be true or false.");

    /// <summary>A list of texts, or a single text as a list of one; empty if the field is absent or null.</summary>
    /// <exception cref="FieldException">It is something else.</exception>
    public IReadOnlyList<string> Texts(string name)
    {
        if (Get(name) is not { } value)
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return [Read(name, value)];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw new FieldException(name, $"{name} must be a text or a list of texts.");
        }

        var texts = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            texts.Add(item.ValueKind == JsonValueKind.String
                ? Read(name, item)
                : throw new FieldException(name, $"{name} must be a text or a list of texts."));
        }

        return texts;
    }

    /// <summary>The field; null if it is absent or null.</summary>
    public JsonElement? Get(string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>JSON can hold halves of surrogate pairs, which are no text.</summary>
    private static string Read(string name, JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new FieldException(name, $"{name} is not valid UTF-8 text; send whole characters.");
        }
    }
}

/// <summary>A field of a request does not fit; the message is the sentence.</summary>
/// <param name="name">Its name.</param>
/// <param name="message">What it must be.</param>
internal sealed class FieldException(string name, string message) : Exception(message)
{
    /// <summary>The error of the catalogue.</summary>
    public TurnError Error => ErrorCatalogue.InvalidRequest.With(Message) with { Field = name };
}
