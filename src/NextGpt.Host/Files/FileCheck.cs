using NextGpt.Host.Turns;
using NextGpt.Media;

namespace NextGpt.Host.Files;

/// <summary>What can be said of attached files without decoding them: their number, size and type (THR-8).</summary>
internal static class FileCheck
{
    private const int LongestName = 80;

    /// <summary>Other names under which senders know our formats.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["image/jpg"] = "image/jpeg",
        ["image/pjpeg"] = "image/jpeg",
        ["image/x-png"] = "image/png",
        ["image/apng"] = "image/png",
        ["audio/wave"] = "audio/wav",
        ["audio/x-wav"] = "audio/wav",
        ["audio/vnd.wave"] = "audio/wav",
        ["audio/mp3"] = "audio/mpeg",
        ["audio/x-mp3"] = "audio/mpeg",
        ["audio/m4a"] = "audio/mp4",
        ["audio/x-m4a"] = "audio/mp4",
        ["audio/x-flac"] = "audio/flac",
        ["application/ogg"] = "audio/ogg",
        ["audio/opus"] = "audio/ogg",
        ["audio/vorbis"] = "audio/ogg",
        ["video/x-m4v"] = "video/mp4",
        ["application/mp4"] = "video/mp4",
    };

    /// <summary>Why a turn's files keep it from being admitted, or null: too many, or none that could be read.</summary>
    /// <param name="files">What was attached.</param>
    /// <param name="options">The limits.</param>
    /// <param name="senses">What the model reads.</param>
    public static TurnError? Refusal(IReadOnlyList<IncomingFile> files, TurnOptions options, ModelSenses senses)
    {
        if (files.Count > options.MaxFiles)
        {
            return ErrorCatalogue.TooManyFiles.With(files.Count, options.MaxFiles);
        }

        TurnError? first = null;
        foreach (var file in files)
        {
            if (Problem(file, options, senses) is not { } problem)
            {
                return null;
            }

            first ??= problem;
        }

        return first;
    }

    /// <summary>Why a file cannot be read, or null as far as can be seen from outside.</summary>
    public static TurnError? Problem(IncomingFile file, TurnOptions options, ModelSenses senses)
    {
        if (file.Bytes.IsEmpty)
        {
            return ErrorCatalogue.CorruptMedia.With($"{NameOf(file)} is empty; upload it again.");
        }

        if (file.Bytes.Length > options.MaxFileMegabytes * 1024L * 1024)
        {
            return ErrorCatalogue.FileTooLarge.With(
                NameOf(file), file.Bytes.Length / 1048576.0, options.MaxFileMegabytes);
        }

        var format = MediaFormat.Sniff(file.Bytes.Span);
        var claim = ClaimOf(file);
        var claimed = MediaFormat.All.FirstOrDefault(known => known.MediaType == claim);
        if (format is null)
        {
            return claimed is null
                ? ErrorCatalogue.UnsupportedMedia.With(claim ?? Seen(file.Bytes.Span), senses.Sendable)
                : Mismatch(file, claimed, Seen(file.Bytes.Span));
        }

        if (!senses.MayRead(format))
        {
            return ErrorCatalogue.UnsupportedMedia.With(format.MediaType, senses.Sendable);
        }

        return claim is null || claim == format.MediaType || IsSameContainer(claim, format) ? null
            : claimed is null ? ErrorCatalogue.MediaMismatch.With(NameOf(file), claim, ModelSenses.NameOf(format))
            : Mismatch(file, claimed, ModelSenses.NameOf(format));
    }

    /// <summary>A name as it can be shown: the last part of a path, in one line, at most 80 characters.</summary>
    public static string NameOf(IncomingFile file)
    {
        var name = Question.Clean(file.Name ?? "").ReplaceLineEndings(" ").Replace('\t', ' ');
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..].Trim();
        return name.Length == 0 ? "The file"
            : name.Length <= LongestName ? name
            : $"{name[..(char.IsHighSurrogate(name[LongestName - 2]) ? LongestName - 2 : LongestName - 1)]}…";
    }

    private static TurnError Mismatch(IncomingFile file, MediaFormat claimed, string seen) =>
        ErrorCatalogue.MediaMismatch.With(NameOf(file), ModelSenses.NameOf(claimed), seen);

    /// <summary>The type that the sender claims, in our spelling; null if they claim none.</summary>
    private static string? ClaimOf(IncomingFile file)
    {
        var type = file.DeclaredType?.Split(';')[0].Trim().ToLowerInvariant();
        if (type is null or "" or "application/octet-stream" or "binary/octet-stream")
        {
            return null;
        }

        type = new string([.. type.Where(letter => char.IsAsciiLetterOrDigit(letter) || "/-+.".Contains(letter)).Take(80)]);
        return Aliases.GetValueOrDefault(type, type);
    }

    /// <summary>Containers that hold sound or pictures are called by either name.</summary>
    private static bool IsSameContainer(string claim, MediaFormat format) => format.Extension switch
    {
        "mp4" or "m4a" => claim is "video/mp4" or "audio/mp4" or "video/quicktime",
        "webm" => claim is "audio/webm" or "video/webm",
        "ogg" => claim is "video/ogg" or "audio/ogg",
        _ => false,
    };

    /// <summary>What bytes are that are no medium, in words.</summary>
    private static string Seen(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [(byte)'P', (byte)'K', 3 or 5, 4 or 6, ..] => "a ZIP file",
        [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "PDF",
        [0x1F, 0x8B, ..] => "a gzip file",
        [(byte)'I', (byte)'I', 0x2A, 0, ..] or [(byte)'M', (byte)'M', 0, 0x2A, ..] => "image/tiff",
        [(byte)'B', (byte)'M', ..] => "image/bmp",
        [0x7F, (byte)'E', (byte)'L', (byte)'F', ..] or [(byte)'M', (byte)'Z', ..] => "a program",
        [(byte)'<', ..] => "a page of markup",
        _ => "a file of an unknown kind",
    };
}
