using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using NextGpt.Host;
using NextGpt.Server.Guards;

namespace NextGpt.Server.Endpoints;

/// <summary>
/// The content of a message in OpenAI's shapes: a text, or parts of text, <c>image_url</c>, <c>input_audio</c>,
/// <c>video_url</c>. Media come as data: URLs or base64; an address is never fetched (THR-9).
/// </summary>
internal static class ContentParts
{
    /// <summary>Reads a message's content.</summary>
    /// <exception cref="FieldException">It does not fit.</exception>
    /// <exception cref="UnsupportedException">A part of an unknown type.</exception>
    public static (string Text, IReadOnlyList<IncomingFile> Files) Read(JsonElement message, string place)
    {
        var fields = new JsonFields(message);
        if (fields.Get("content") is not { ValueKind: JsonValueKind.Array } parts)
        {
            return (fields.Text("content") ?? "", []);
        }

        var text = new StringBuilder();
        var files = new List<IncomingFile>();
        var field = $"{place}.content";
        foreach (var part in parts.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object)
            {
                throw new FieldException(field, $"{field} must be a text or a list of parts.");
            }

            switch (new JsonFields(part).Text("type"))
            {
                case "text":
                    text.Append(text.Length > 0 ? "\n" : "").Append(new JsonFields(part).Text("text"));
                    break;
                case "image_url":
                    files.Add(ReadUrl(part, "image_url", $"image-{files.Count + 1}", field));
                    break;
                case "video_url":
                    files.Add(ReadUrl(part, "video_url", $"clip-{files.Count + 1}", field));
                    break;
                case "input_audio":
                    files.Add(ReadAudio(part, $"sound-{files.Count + 1}", field));
                    break;
                case var other:
                    throw new UnsupportedException($"a part of type {other}", field);
            }
        }

        return (text.ToString(), files);
    }

    private static IncomingFile ReadUrl(JsonElement part, string name, string file, string field)
    {
        // OpenAI's shape is an object with url; a bare text is understood too.
        var value = new JsonFields(part).Get(name);
        var url = value is { ValueKind: JsonValueKind.Object } holder
            ? new JsonFields(holder).Text("url")
            : new JsonFields(part).Text(name);
        if (url is null)
        {
            throw new FieldException(field, $"{field}: {name} must have a url.");
        }

        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            throw new RefusedException(ErrorCatalogue.UrlNotAllowed.With() with { Field = field });
        }

        var comma = url.IndexOf(',', StringComparison.Ordinal);
        var head = comma < 0 ? "" : url[5..comma];
        if (!head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
        {
            throw new FieldException(field, $"{field}: a data: URL must be base64, as in data:image/png;base64,....");
        }

        return new IncomingFile(file, Decode(url.AsSpan(comma + 1), field), head[..head.IndexOf(';', StringComparison.Ordinal)]);
    }

    private static IncomingFile ReadAudio(JsonElement part, string file, string field)
    {
        if (new JsonFields(part).Get("input_audio") is not { ValueKind: JsonValueKind.Object } audio
            || new JsonFields(audio).Text("data") is not { } data)
        {
            throw new FieldException(field, $"{field}: input_audio must have data and format.");
        }

        var format = new JsonFields(audio).Text("format");
        return new IncomingFile(
            format is { Length: > 0 and <= 10 } ? $"{file}.{format}" : file, Decode(data, field),
            format is { Length: > 0 and <= 10 } ? $"audio/{format}" : null);
    }

    private static byte[] Decode(ReadOnlySpan<char> text, string field)
    {
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Convert.TryFromBase64Chars(text, buffer, out var length)
            ? buffer.AsSpan(0, length).ToArray()
            : throw new FieldException(field, $"{field}: the base64 of a file is damaged; send all of it.");
    }
}

/// <summary>A request is refused with an error of the catalogue.</summary>
/// <param name="error">Which.</param>
internal sealed class RefusedException(TurnError error) : Exception(error.Sentence)
{
    /// <summary>The error.</summary>
    public TurnError Error => error;
}
