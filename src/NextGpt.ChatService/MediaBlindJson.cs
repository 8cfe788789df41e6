using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace NextGpt.ChatService;

/// <summary>Messages as JSON for logs: media appear as type, size and hash, never as their bytes (rule 26).</summary>
internal static class MediaBlindJson
{
    /// <summary>Writes any message of Microsoft.Extensions.AI; a file stands there by a line about it.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    private static JsonSerializerOptions Make()
    {
        var plain = AIJsonUtilities.DefaultOptions;
        var options = new JsonSerializerOptions(plain)
        {
            TypeInfoResolver = plain.TypeInfoResolver!.WithAddedModifier(Blind),   // the default options have one
        };
        options.MakeReadOnly();
        return options;
    }

    private static void Blind(JsonTypeInfo type)
    {
        if (type.Type != typeof(DataContent))
        {
            return;
        }

        foreach (var property in type.Properties.Where(property =>
            property.PropertyType == typeof(string) && property.Name is "uri" or "base64Data" or "data"))
        {
            property.Get = content => Describe((DataContent)content);
        }
    }

    private static string Describe(DataContent content) => string.Create(CultureInfo.InvariantCulture,
        $"{content.MediaType}, {content.Data.Length} bytes, sha256 {Convert.ToHexStringLower(SHA256.HashData(content.Data.Span))}");
}
