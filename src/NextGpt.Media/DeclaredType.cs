using NextGpt.Media.Decoding;

namespace NextGpt.Media;

/// <summary>
/// Compares what a sender says a file is with what its bytes are (<c>media_mismatch</c>, THR-8). The one rule for every way in:
/// web page, HTTP, bots, console, chat service.
/// </summary>
public static class DeclaredType
{
    private const int LongestType = 80;

    /// <summary>Other names under which senders know our formats.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["application/mp4"] = "video/mp4",
        ["application/ogg"] = "audio/ogg",
        ["audio/m4a"] = "audio/mp4",
        ["audio/mp3"] = "audio/mpeg",
        ["audio/opus"] = "audio/ogg",
        ["audio/vnd.wave"] = "audio/wav",
        ["audio/vorbis"] = "audio/ogg",
        ["audio/wave"] = "audio/wav",
        ["audio/webm"] = "video/webm",
        ["audio/x-flac"] = "audio/flac",
        ["audio/x-m4a"] = "audio/mp4",
        ["audio/x-mp3"] = "audio/mpeg",
        ["audio/x-wav"] = "audio/wav",
        ["image/apng"] = "image/png",
        ["image/jpg"] = "image/jpeg",
        ["image/pjpeg"] = "image/jpeg",
        ["image/x-png"] = "image/png",
        ["video/ogg"] = "audio/ogg",
        ["video/quicktime"] = "video/mp4",
        ["video/x-m4v"] = "video/mp4",
    };

    /// <summary>
    /// How a file contradicts what its sender says, as a sentence; null if it does not. A name or stated type that promises a
    /// picture, sound or clip is contradicted by bytes of another kind and by bytes that are no medium; a type that promises no
    /// medium, by bytes that are one. A JPEG that calls itself PNG is read as what it is; MP4, M4A, WebM and Ogg may hold sound
    /// or pictures.
    /// </summary>
    /// <param name="file">The file, or at least its first 64 bytes.</param>
    /// <param name="mediaType">What the sender says, for example <c>image/png</c>; parameters are ignored. Null is nothing.</param>
    /// <param name="name">What the sender calls it; its ending counts where there is no type. Null is nothing.</param>
    public static string? Contradiction(ReadOnlySpan<byte> file, string? mediaType, string? name)
    {
        if (ClaimOf(mediaType, name) is not { } claim)
        {
            return null;
        }

        var actual = MediaFormat.Sniff(file);
        var holds = actual is null
            ? !claim.IsKnown   // nothing that is read, and nothing that was promised
            : actual.Kind == claim.Kind || (IsContainer(actual) && claim.Kind is MediaKind.Audio or MediaKind.Video);
        return holds ? null
            : $"{Refusal.Subject(name, null)} says {claim.Name} but its bytes are {WordsFor(file)}; send the real {Noun(claim.Kind)}.";
    }

    /// <summary>Refuses a file that contradicts what its sender says (<see cref="Contradiction"/>).</summary>
    /// <param name="file">The file, or at least its first 64 bytes.</param>
    /// <param name="mediaType">What the sender says; null is nothing.</param>
    /// <param name="name">What the sender calls it; null is nothing.</param>
    /// <exception cref="MediaException"><see cref="MediaProblem.Mismatch"/>: the sentence says both.</exception>
    public static void Check(ReadOnlySpan<byte> file, string? mediaType, string? name)
    {
        if (Contradiction(file, mediaType, name) is { } sentence)
        {
            throw new MediaException(MediaProblem.Mismatch, sentence);
        }
    }

    /// <summary>What to call a file that is nothing that is read: the type that was stated, else what its bytes look like.</summary>
    /// <param name="file">The file, or at least its first 64 bytes.</param>
    /// <param name="mediaType">What the sender says; null is nothing.</param>
    public static string Describe(ReadOnlySpan<byte> file, string? mediaType = null) => TypeOf(mediaType) ?? WordsFor(file);

    private static string WordsFor(ReadOnlySpan<byte> file) => MediaFormat.Sniff(file) is { } known ? known.DisplayName : file switch
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

    private static Claim? ClaimOf(string? mediaType, string? name)
    {
        if (TypeOf(mediaType) is not { } type)
        {
            var extension = Path.GetExtension(name)?.TrimStart('.').ToLowerInvariant();
            return MediaFormat.All.FirstOrDefault(format => format.Extension == (extension == "jpeg" ? "jpg" : extension)) is { } named
                ? new Claim(named.DisplayName, named.Kind, IsKnown: true)
                : null;
        }

        return MediaFormat.All.FirstOrDefault(format => format.MediaType == type) is { } stated
            ? new Claim(stated.DisplayName, stated.Kind, IsKnown: true)
            : new Claim(type, KindOf(type), IsKnown: false);
    }

    /// <summary>The stated type in our spelling; null if nothing is stated.</summary>
    private static string? TypeOf(string? mediaType)
    {
        var stated = mediaType?.Split(';')[0].ToLowerInvariant() ?? "";
        var type = new string([.. stated.Where(letter => char.IsAsciiLetterOrDigit(letter) || "/-+.*".Contains(letter)).Take(LongestType)]);
        return type is "" or "application/octet-stream" or "binary/octet-stream" ? null : Aliases.GetValueOrDefault(type, type);
    }

    private static MediaKind? KindOf(string type) => type.Split('/')[0] switch
    {
        "image" => MediaKind.Image,
        "audio" => MediaKind.Audio,
        "video" => MediaKind.Video,
        _ => null,
    };

    private static bool IsContainer(MediaFormat format) =>
        format == MediaFormat.Mp4 || format == MediaFormat.M4a || format == MediaFormat.WebM || format == MediaFormat.Ogg;

    private static string Noun(MediaKind? kind) => kind switch
    {
        MediaKind.Image => "image",
        MediaKind.Audio => "sound",
        MediaKind.Video => "clip",
        _ => "file",
    };

    /// <summary>What a sender promises: in words, of which kind, and whether it is a format that is read.</summary>
    private readonly record struct Claim(string Name, MediaKind? Kind, bool IsKnown);
}
