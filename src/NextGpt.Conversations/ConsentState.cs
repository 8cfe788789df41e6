namespace NextGpt.Conversations;

/// <summary>What a person has allowed. Silence is no: both switches start off.</summary>
/// <param name="Keep">Whether their conversations may be kept.</param>
/// <param name="Train">Whether kept turns may improve the model; never without <paramref name="Keep"/>.</param>
/// <param name="TextVersion">The version of the consent text they saw, or null before any act of theirs.</param>
/// <param name="Since">When they last changed it, or null.</param>
public sealed record ConsentState(bool Keep, bool Train, string? TextVersion, DateTimeOffset? Since)
{
    /// <summary>
    /// True if they agreed to an older consent text than the one in force: both switches read off until they are asked again.
    /// </summary>
    public bool NeedsRenewal { get; init; }

    /// <summary>Nothing allowed, nothing asked.</summary>
    public static ConsentState None { get; } = new(false, false, null, null);
}
