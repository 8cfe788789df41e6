using System.Globalization;

namespace NextGpt.Media.Decoding;

/// <summary>The sentences with which files are refused: what was wrong, what was expected, what to do.</summary>
internal static class Refusal
{
    private const int LongestName = 80;

    /// <summary>What a sentence calls the file: its name without anything that could disturb a line, else its kind.</summary>
    public static string Subject(string? name, MediaFormat? format)
    {
        var clean = new string([.. (name ?? "").Where(letter => !char.IsControl(letter)
            && char.GetUnicodeCategory(letter) is not (UnicodeCategory.Format or UnicodeCategory.Surrogate))]).Trim();
        return clean.Length > LongestName ? $"{clean[..LongestName]}…"
            : clean.Length > 0 ? clean
            : format?.Kind switch
            {
                MediaKind.Image => "The image",
                MediaKind.Audio => "The sound",
                MediaKind.Video => "The clip",
                _ => "The file",
            };
    }

    public static MediaException Corrupt(string subject, string why) =>
        new(MediaProblem.Corrupt, $"{subject} is damaged: {why}; upload it again.");

    public static MediaException EndsEarly(string subject, long there, long announced) => new(
        MediaProblem.Corrupt,
        announced > there
            ? $"{subject} ends after {Bytes(there)} of {Bytes(announced)}; upload it again."
            : $"{subject} ends too early, after {Bytes(there)}; upload it again.");

    public static MediaException Unsupported(string what, string instead) =>
        new(MediaProblem.Unsupported, $"{what} is not supported; send {instead}.");

    /// <summary>Checks the size of a picture, before anything is decoded.</summary>
    /// <exception cref="MediaException">It is too small or too large.</exception>
    public static void CheckSize(string subject, long width, long height, MediaFileOptions limits)
    {
        if (width > limits.MaxSide || height > limits.MaxSide || width * height > limits.MaxMegapixels * 1_000_000L)
        {
            throw new MediaException(MediaProblem.TooLarge, string.Create(CultureInfo.InvariantCulture,
                $"{subject} is {width:N0} x {height:N0} px ({width * height / 1e6:0.#} megapixels), the limit is {limits.MaxMegapixels} megapixels and {limits.MaxSide:N0} px a side; send a smaller one."));
        }

        if (width < limits.MinSide || height < limits.MinSide)
        {
            throw new MediaException(MediaProblem.TooLarge, string.Create(CultureInfo.InvariantCulture,
                $"{subject} is {width:N0} x {height:N0} px, each side must have {limits.MinSide} to {limits.MaxSide:N0} px; send another size."));
        }
    }

    /// <summary>Checks size, length and pace of a clip, before a frame is decoded.</summary>
    /// <exception cref="MediaException">It is too large, too long or too fast.</exception>
    public static void CheckClip(
        string subject, long width, long height, TimeSpan duration, double framesPerSecond, MediaFileOptions limits)
    {
        if (Math.Max(width, height) > limits.MaxClipSide || Math.Min(width, height) < limits.MinSide)
        {
            throw new MediaException(MediaProblem.TooLarge, string.Create(CultureInfo.InvariantCulture,
                $"{subject} is {width:N0} x {height:N0} px, a clip must have {limits.MinSide} to {limits.MaxClipSide:N0} px a side; send another size."));
        }

        if (duration > limits.MaxClip)
        {
            throw new MediaException(MediaProblem.TooLong, string.Create(CultureInfo.InvariantCulture,
                $"{subject} lasts {duration.TotalSeconds:0.#} s, the limit is {limits.MaxClip.TotalSeconds:0.#} s; send a part of it."));
        }

        if (framesPerSecond > limits.MaxFramesPerSecond * 1.01)
        {
            throw new MediaException(MediaProblem.TooLong, string.Create(CultureInfo.InvariantCulture,
                $"{subject} has {framesPerSecond:0.#} frames a second, the limit is {limits.MaxFramesPerSecond}; send a slower one."));
        }
    }

    /// <summary>Checks how long a sound lasts.</summary>
    /// <exception cref="MediaException">It is too short or too long.</exception>
    public static void CheckSound(string subject, TimeSpan duration, MediaFileOptions limits)
    {
        if (duration < limits.MinSound || duration > limits.MaxSound)
        {
            throw new MediaException(MediaProblem.TooLong, string.Create(CultureInfo.InvariantCulture,
                $"{subject} lasts {duration.TotalSeconds:0.##} s, {limits.MinSound.TotalSeconds:0.##} to {limits.MaxSound.TotalSeconds:0.##} s are accepted; send a part of it."));
        }
    }

    private static string Bytes(long count) => count switch
    {
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.0} MB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{count / 1e3:0.0} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} bytes"),
    };
}
