using NextGpt.Host.Memory;
using NextGpt.Media;

namespace NextGpt.Host.Files;

/// <summary>What became of a turn's files.</summary>
/// <param name="Media">Those that were read, clean, in order.</param>
/// <param name="Notices">What to say under the answer: what was left out and why, what was used only in part (TRN-6).</param>
/// <param name="Refusal">Why nothing was left, or null.</param>
internal sealed record FilesRead(
    IReadOnlyList<RememberedMedium> Media, IReadOnlyList<string> Notices, TurnError? Refusal);

/// <summary>
/// Turns a person's files into clean ones: decoded, reduced to what the model can use, and encoded anew, so that nothing a
/// stranger put into a file beside its pixels or samples (EXIF, location, foreign bytes) goes any further (THR-8, PRI-6).
/// </summary>
/// <param name="reader">Decodes; null reads no files.</param>
/// <param name="writer">Encodes; null reads no files.</param>
/// <param name="options">The limits.</param>
/// <param name="senses">What the model reads.</param>
internal sealed class FileReading(IMediaReader? reader, IMediaWriter? writer, TurnOptions options, ModelSenses senses)
{
    /// <summary>Longest side of a picture that is passed on, in pixels; the encoders look at 224.</summary>
    private const int LongestPictureSide = 1_024;

    /// <summary>Longest side of a clip's frames.</summary>
    private const int LongestFrameSide = 512;

    /// <summary>The rate at which the encoders listen.</summary>
    private const int SampleRateHz = 16_000;

    /// <summary>What the model reads, as far as there is something to read it with.</summary>
    public ModelSenses Senses { get; } = reader is null || writer is null ? senses with { Reads = [] } : senses;

    /// <summary>Reads files in order.</summary>
    public async Task<FilesRead> ReadAsync(
        string turnId, IReadOnlyList<IncomingFile> files, CancellationToken cancellationToken)
    {
        var media = new List<RememberedMedium>();
        var (left, used) = (new List<string>(), new List<string>());
        TurnError? first = null;
        foreach (var file in files)
        {
            var name = FileCheck.NameOf(file);
            var (clean, medium, notice, error) = await ReadAsync(file, name, cancellationToken);
            if (clean is null)
            {
                first ??= error;
                left.Add($"{name}: {error?.Sentence}");
                continue;
            }

            media.Add(RememberedMedium.OfPerson(turnId, media.Count, clean, name) with { Decoded = medium });
            if (notice is not null)
            {
                used.Add($"{name}: {notice.TrimEnd('.')}.");
            }
        }

        if (media.Count == 0 && first is not null)
        {
            return new FilesRead([], [], first);
        }

        return new FilesRead(
            media,
            left.Count == 0 ? used : [$"Read {media.Count} of {files.Count} files. {string.Join(' ', left)}", .. used],
            null);
    }

    private async Task<(MediaFile? File, Medium? Medium, string? Notice, TurnError? Error)> ReadAsync(
        IncomingFile file, string name, CancellationToken cancellationToken)
    {
        if (FileCheck.Problem(file, options, Senses) is { } problem)
        {
            return (null, null, null, problem);
        }

        if (reader is null || writer is null)
        {
            return (null, null, null, ErrorCatalogue.UnsupportedMedia.With(name, Senses.Sendable));
        }

        try
        {
            var read = await reader.ReadAsync(file.Bytes, name, cancellationToken);
            var (medium, notice) = Fit(read);
            return medium is null
                ? (null, null, null, ErrorCatalogue.UnsupportedMedia.With(WordOf(read.Medium.Kind), Senses.Sendable))
                : (await writer.WriteAsync(medium, mark: null, cancellationToken), medium, notice, null);
        }
        catch (MediaException unusable)
        {
            return (null, null, null, ErrorOf(unusable));
        }
    }

    /// <summary>The medium as the model takes it, no larger than it can use; null if it takes none of this kind.</summary>
    private (Medium? Medium, string? Notice) Fit(ReadMedium read) => read.Medium switch
    {
        Picture picture when Senses.Reads.Contains(MediaKind.Image) => (Reduce(picture, LongestPictureSide), read.Notice),
        AudioClip sound when Senses.Reads.Contains(MediaKind.Audio) => (Reduce(sound), read.Notice),
        VideoClip clip when Senses.Reads.Contains(MediaKind.Video) =>
            (clip with { Frames = [.. clip.Frames.Select(frame => Reduce(frame, LongestFrameSide))] }, read.Notice),
        VideoClip clip when Senses.Reads.Contains(MediaKind.Image) =>
            (Reduce(clip.Frames[0], LongestPictureSide), "only its first picture was used"),
        _ => (null, null),
    };

    private static AudioClip Reduce(AudioClip sound)
    {
        var mono = sound.ToMono();
        return mono.SampleRateHz > SampleRateHz ? mono.Resample(SampleRateHz) : mono;
    }

    /// <summary>The picture with each side divided by the least whole number that makes it fit; each pixel the mean of those it stands for.</summary>
    internal static Picture Reduce(Picture picture, int longestSide)
    {
        var factor = (Math.Max(picture.Width, picture.Height) + longestSide - 1) / longestSide;
        if (factor <= 1)
        {
            return picture;
        }

        // A strip thinner than the factor keeps one row or column.
        var (width, height) = (Math.Max(1, picture.Width / factor), Math.Max(1, picture.Height / factor));
        var (across, down) = (picture.Width / width, picture.Height / height);
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                {
                    var sum = 0;
                    for (var row = 0; row < down; row++)
                    {
                        var at = (((((y * down) + row) * picture.Width) + (x * across)) * 3) + channel;
                        for (var column = 0; column < across; column++, at += 3)
                        {
                            sum += picture.Pixels[at];
                        }
                    }

                    pixels[(((y * width) + x) * 3) + channel] = (byte)((sum + (across * down / 2)) / (across * down));
                }
            }
        }

        return new Picture(width, height, pixels);
    }

    private static string WordOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "A picture",
        MediaKind.Audio => "A sound",
        _ => "A clip",
    };

    private static TurnError ErrorOf(MediaException unusable) => (unusable.Problem switch
    {
        MediaProblem.Unsupported => ErrorCatalogue.UnreadableMedia,
        MediaProblem.Mismatch => ErrorCatalogue.ContradictoryMedia,
        MediaProblem.TooLarge => ErrorCatalogue.ImageTooLarge,
        MediaProblem.TooLong => ErrorCatalogue.MediaTooLong,
        MediaProblem.TooManyBytes => ErrorCatalogue.FileCannotBeTaken,
        _ => ErrorCatalogue.CorruptMedia,
    }).With(unusable.Message);
}
