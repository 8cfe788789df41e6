namespace NextGpt.Host;

/// <summary>What a person is told before they allow anything (PRI-2); a new text has a new version and is asked again.</summary>
public static class ConsentText
{
    /// <summary>Stored with the act of consent.</summary>
    public const string Version = "2026-1";

    /// <summary>The first switch.</summary>
    public const string Keep =
        "Keep my conversations: what you write and the answers are stored on this machine for up to 180 days, with "
        + "addresses, numbers and secrets removed. Its operator and reviewers can read them. You can export or erase them "
        + "at any time; switching this off erases them.";

    /// <summary>The second switch.</summary>
    public const string Train =
        "Use them to improve the model: kept conversations that a reviewer approved may become examples the model is "
        + "tuned on. You can withdraw this at any time.";
}
