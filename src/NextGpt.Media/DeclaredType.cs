using NextGpt.Media.Decoding;

namespace NextGpt.Media;

/// <summary>Compares what a sender says a file is with what its bytes are (<c>media_mismatch</c>, THR-8).</summary>
public static class DeclaredType
{
    /// <summary>
    /// Refuses a file whose name or stated type promises one kind of media while its bytes are another kind, or none that
    /// is known. A JPEG that calls itself PNG is read as what it is; MP4, M4A and WebM may hold sound or pictures.
    /// </summary>
    /// <param name="file">The file, or at least its first 64 bytes.</param>
    /// <param name="mediaType">What the sender says, for example <c>image/png</c>; parameters are ignored. Null is nothing.</param>
    /// <param name="name">What the sender calls it; used where there is no type. Null is nothing.</param>
    /// <exception cref="MediaException"><see cref="MediaProblem.Mismatch"/>: the sentence says both.</exception>
    public static void Check(ReadOnlySpan<byte> file, string? mediaType, string? name)
    {
        if (Declared(mediaType, name) is not { } declared)
        {
            return;
        }

        var actual = MediaFormat.Sniff(file);
        if (actual is not null && (actual.Kind == declared.Kind || (IsContainer(actual) && declared.Kind != MediaKind.Image)))
        {
            return;
        }

        throw new MediaException(
            MediaProblem.Mismatch,
            $"{Refusal.Subject(name, null)} says {Name(declared)} but its bytes are {Describe(file)}; send the real {Noun(declared.Kind)}.");
    }

    /// <summary>What a file is, in words, also where it is nothing that is read.</summary>
    internal static string Describe(ReadOnlySpan<byte> file) => MediaFormat.Sniff(file) is { } known ? $"{Name(known)}" : file switch
    {
        [] => "nothing",
        _ when file.StartsWith("PK"u8) => "a ZIP file",
        _ when file.StartsWith("%PDF"u8) => "a PDF file",
        _ when file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8) => "image/tiff",
        _ when file.StartsWith("BM"u8) => "image/bmp",
        _ when file.StartsWith("MZ"u8) || file.StartsWith("\x7f"u8) => "a program",
        _ when file.StartsWith("Rar!"u8) || file.StartsWith("7z"u8) || file is [0x1F, 0x8B, ..] => "an archive",
        _ when file.StartsWith("RIFF"u8) => "a RIFF file of another kind",
        _ when file.Length >= 12 && file[4..8].SequenceEqual("ftyp"u8) => IsoBrand(file[8..12]),
        _ when file is [0x1A, 0x45, 0xDF, 0xA3, ..] => "video/x-matroska",
        _ when IsText(file) => file.TrimStart(" \t\r\n"u8) is [(byte)'<', ..] ? "markup (HTML, SVG or XML)" : "text",
        _ => "a file of an unknown kind",
    };

    private static string IsoBrand(ReadOnlySpan<byte> brand) =>
        brand.StartsWith("heic"u8) || brand.StartsWith("heix"u8) || brand.StartsWith("mif1"u8) ? "image/heic"
        : brand.StartsWith("avif"u8) ? "image/avif"
        : brand.StartsWith("qt"u8) ? "video/quicktime"
        : "an MP4 file of another kind";

    private static bool IsText(ReadOnlySpan<byte> file)
    {
        foreach (var letter in file[..Math.Min(file.Length, 64)])
        {
            if (letter is < 9 or (> 13 and < 32))
            {
                return false;
            }
        }

        return true;
    }

    private static MediaFormat? Declared(string? mediaType, string? name)
    {
        var type = mediaType?.Split(';')[0].Trim();
        var extension = Path.GetExtension(name)?.TrimStart('.');
        return MediaFormat.All.FirstOrDefault(format => Same(format.MediaType, Usual(type)))
            ?? (string.IsNullOrEmpty(type) || Same(type, "application/octet-stream")
                ? MediaFormat.All.FirstOrDefault(format => Same(format.Extension, Same(extension, "jpeg") ? "jpg" : extension))
                : null);
    }

    private static string? Usual(string? type) => type?.ToLowerInvariant() switch
    {
        "image/jpg" or "image/pjpeg" => "image/jpeg",
        "audio/wave" or "audio/x-wav" or "audio/vnd.wave" => "audio/wav",
        "audio/mp3" => "audio/mpeg",
        "audio/x-m4a" or "audio/m4a" => "audio/mp4",
        "audio/x-flac" => "audio/flac",
        "audio/opus" or "application/ogg" => "audio/ogg",
        "audio/webm" => "video/webm",
        { } other => other,
        null => null,
    };

    private static bool Same(string? a, string? b) => a is not null && string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static bool IsContainer(MediaFormat format) =>
        format == MediaFormat.Mp4 || format == MediaFormat.M4a || format == MediaFormat.WebM;

    private static string Name(MediaFormat format) => format == MediaFormat.Jpeg ? "JPEG"
        : format == MediaFormat.WebP || format == MediaFormat.WebM ? format.MediaType.EndsWith("webp", StringComparison.Ordinal) ? "WebP" : "WebM"
        : format.Extension.ToUpperInvariant();

    private static string Noun(MediaKind kind) => kind switch
    {
        MediaKind.Image => "image",
        MediaKind.Audio => "sound",
        _ => "clip",
    };
}
