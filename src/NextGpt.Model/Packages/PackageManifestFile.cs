using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.Model.Packages;

/// <summary>Reads and writes <c>nextgpt.json</c>.</summary>
internal static class PackageManifestFile
{
    private const int MaxBytes = 4 << 20;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,   // a file for people, never part of a page
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        MaxDepth = 32,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Reads a manifest and checks it by itself.</summary>
    /// <exception cref="InvalidDataException">Says what is wrong, in sentences.</exception>
    public static PackageManifest Read(string file)
    {
        var size = new FileInfo(file).Length;
        if (size > MaxBytes)
        {
            throw new InvalidDataException($"{file}: {size} bytes, at most {MaxBytes} are accepted for a manifest.");
        }

        try
        {
            var bytes = File.ReadAllBytes(file);
            RefuseOtherFormat(bytes, file);
            var manifest = JsonSerializer.Deserialize<PackageManifest>(bytes, Options)
                ?? throw new InvalidDataException($"{file}: not a manifest of a model package; it says null.");
            Check(manifest, file);
            return manifest;
        }
        catch (Exception broken) when (broken is JsonException or NotSupportedException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{file}: not a manifest of a model package ({broken.Message.ReplaceLineEndings(" ")}).", broken);
        }
    }

    /// <summary>The manifest as text.</summary>
    public static byte[] Write(PackageManifest manifest) => [.. JsonSerializer.SerializeToUtf8Bytes(manifest, Options), (byte)'\n'];

    /// <summary>A later layout may have entries that this program does not know: its number is looked at before them.</summary>
    private static void RefuseOtherFormat(byte[] bytes, string file)
    {
        using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
        if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("format", out var format)
            && !(format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out var number) && number == PackageManifest.CurrentFormat))
        {
            throw new InvalidDataException(
                $"{file}: the format is {format.GetRawText()}; this program reads {PackageManifest.CurrentFormat}. Use a program of the package's age.");
        }
    }

    /// <summary>Refuses a manifest that breaks a rule.</summary>
    /// <exception cref="InvalidDataException">Lists every broken rule.</exception>
    public static void Check(PackageManifest manifest, string file)
    {
        List<string> problems = [.. PackageRules.Problems(manifest)];
        if (problems.Count > 0)
        {
            throw new InvalidDataException($"{file}: {string.Join(' ', problems)}");
        }
    }
}
