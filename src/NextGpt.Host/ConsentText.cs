using System.Globalization;

namespace NextGpt.Host;

/// <summary>What a person is told before they allow anything (PRI-2); a new text has a new version and is asked again.</summary>
public static class ConsentText
{
    /// <summary>Days that the text of <see cref="Version"/> names.</summary>
    public const int UsualDays = 180;

    /// <summary>Stored with the act of consent, where turns are kept for <see cref="UsualDays"/>.</summary>
    public const string Version = "2026-1";

    /// <summary>The version of the text with this many days: other days are another text, and it is asked again.</summary>
    /// <param name="days">How long a kept turn stays.</param>
    public static string VersionFor(int days) => days == UsualDays
        ? Version
        : string.Create(CultureInfo.InvariantCulture, $"{Version}-{days}d");

    /// <summary>The first switch.</summary>
    /// <param name="days">How long a kept turn stays.</param>
    public static string KeepFor(int days) => string.Create(
        CultureInfo.InvariantCulture,
        $"Keep my conversations: what you write and send and the answers are stored on this machine for up to {days} days, "
        + $"with addresses, numbers and secrets removed. Its operator and reviewers can read them. You can export or erase "
        + $"them at any time; switching this off erases them.");

    /// <summary>The second switch.</summary>
    public const string Train =
        "Use them to improve the model: kept conversations that a reviewer approved may become examples the model is "
        + "tuned on. You can withdraw this at any time.";
}
