using NextGpt.Host.Turns;
using NextGpt.Media;

namespace NextGpt.Host.Files;

/// <summary>What can be said of attached files without decoding them: their number, size and type (THR-8).</summary>
internal static class FileCheck
{
    private const int LongestName = 80;

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

        if (DeclaredType.Contradiction(file.Bytes.Span, file.DeclaredType, NameOf(file)) is { } contradiction)
        {
            return ErrorCatalogue.ContradictoryMedia.With(contradiction);
        }

        var format = MediaFormat.Sniff(file.Bytes.Span);
        return format is null
            ? ErrorCatalogue.UnsupportedMedia.With(DeclaredType.Describe(file.Bytes.Span, file.DeclaredType), senses.Sendable)
            : senses.MayRead(format) ? null
            : ErrorCatalogue.UnsupportedMedia.With(format.MediaType, senses.Sendable);
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
}
