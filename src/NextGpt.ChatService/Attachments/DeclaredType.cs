using NextGpt.Media;

namespace NextGpt.ChatService.Attachments;

/// <summary>What a sender says a file is: a hint, unless the bytes are plainly something else (THR-8).</summary>
internal static class DeclaredType
{
    /// <summary>Names in use for formats beside the ones of <see cref="MediaFormat.MediaType"/>.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["image/jpg"] = "image/jpeg",
        ["image/pjpeg"] = "image/jpeg",
        ["image/x-png"] = "image/png",
        ["image/apng"] = "image/png",
        ["audio/x-wav"] = "audio/wav",
        ["audio/wave"] = "audio/wav",
        ["audio/vnd.wave"] = "audio/wav",
        ["audio/mp3"] = "audio/mpeg",
        ["audio/x-mp3"] = "audio/mpeg",
        ["audio/x-mpeg"] = "audio/mpeg",
        ["audio/x-flac"] = "audio/flac",
        ["audio/opus"] = "audio/ogg",
        ["audio/vorbis"] = "audio/ogg",
        ["application/ogg"] = "audio/ogg",
        ["audio/x-m4a"] = "audio/mp4",
        ["audio/m4a"] = "audio/mp4",
        ["video/x-m4v"] = "video/mp4",
    };

    /// <summary>Whether a file's bytes are something else than its sender says.</summary>
    /// <param name="declared">The media type that came with the file, or null.</param>
    /// <param name="format">What the bytes are.</param>
    public static bool Contradicts(string? declared, MediaFormat format)
    {
        if (IsSilent(declared))
        {
            return false;
        }

        var plain = Plain(declared);
        var type = Aliases.GetValueOrDefault(plain, plain);
        if (type.Equals(format.MediaType, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        // "image/*" is a claim of kind only; a container for clips may well hold a sound alone, and the reverse.
        var top = type.Split('/')[0];
        return !(type.EndsWith("/*", StringComparison.Ordinal) &&
                format.MediaType.StartsWith(top + "/", StringComparison.OrdinalIgnoreCase)) &&
            !(type.Split('/') is [_, var container] && format.MediaType.Split('/')[1] == container);
    }

    /// <summary>Whether nothing was said about a file.</summary>
    public static bool IsSilent(string? declared) =>
        string.IsNullOrWhiteSpace(declared) || Plain(declared) is "application/octet-stream" or "binary/octet-stream" or "*/*";

    /// <summary>The type without parameters, in lower case.</summary>
    public static string Plain(string? declared) => (declared ?? "").Split(';')[0].Trim().ToLowerInvariant();
}
