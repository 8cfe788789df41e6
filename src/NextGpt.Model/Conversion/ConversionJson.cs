using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Model.Conversion;

/// <summary>The configurations that travel with weights.</summary>
internal static class ConversionJson
{
    private const int MaxBytes = 1 << 20;

    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="InvalidDataException">It is too large or not a JSON object.</exception>
    public static JsonObject Read(string file)
    {
        if (new FileInfo(file).Length > MaxBytes)
        {
            throw new InvalidDataException($"{file}: more than {MaxBytes} bytes; a configuration was expected.");
        }

        try
        {
            return JsonNode.Parse(File.ReadAllBytes(file), null, new JsonDocumentOptions { MaxDepth = 32 }) as JsonObject
                ?? throw new InvalidDataException($"{file} is not a JSON object.");
        }
        catch (Exception broken) when (broken is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{file} is damaged: {broken.Message.ReplaceLineEndings(" ")}", broken);
        }
    }
}
