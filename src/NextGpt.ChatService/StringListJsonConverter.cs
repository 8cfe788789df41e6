using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.ChatService;

/// <summary>Reads a string as a list of one, beside an ordinary list of strings.</summary>
internal sealed class StringListJsonConverter : JsonConverter<IList<string>?>
{
    public override IList<string>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                return [reader.GetString() ?? ""];
            case JsonTokenType.StartArray:
                List<string> list = [];
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Add(reader.TokenType == JsonTokenType.String && reader.GetString() is { } text
                        ? text
                        : throw new JsonException());
                }

                return list;
            default:
                throw new JsonException();
        }
    }

    public override void Write(Utf8JsonWriter writer, IList<string>? value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var text in value ?? [])
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
