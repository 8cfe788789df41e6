using System.Globalization;

namespace NextGpt.Conversations;

/// <summary>The log was written by a later version of this program; nothing was changed.</summary>
/// <param name="message">What was found, what is understood, what to do.</param>
public sealed class LogTooNewException(string message) : Exception(message)
{
    internal static LogTooNewException Of(string file, int found, int understood) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{file} has schema version {found}, this program understands up to {understood}; install the newer program or restore a backup."));
}
