using NextGpt.Host;

namespace NextGpt.Bots.Discord.Commands;

/// <summary>What people are told about the bot and about what is kept of them.</summary>
internal static class PrivacyText
{
    /// <summary>Shown by /help.</summary>
    public const string Help =
        "I am an AI: a small research model that errs. I run on my operator's own machine. Mention me, reply to me, write to me "
        + "directly, or use /chat, /draw, /sound, /video and /describe. I make pictures, sounds of up to ten seconds and clips of a "
        + "few seconds; I neither speak nor understand speech. My weights may not be used commercially.\n"
        + "Edit your question and I offer a new answer; delete it and I forget it. 👍 and 👎 tell my operator how I did.\n"
        + "/privacy, /consent, /export and /forget are about what is kept of you: nothing, unless you say so.";

    /// <summary>Shown by /privacy.</summary>
    public static string Of(DiscordOptions options, bool keeps, int days) =>
        $"**Now:** your conversations with me are {(keeps ? "kept, because you said so" : "not kept")}.\n"
        + "I read only what addresses me, never the history of a channel. What is not kept I remember for an hour at most, in memory, "
        + $"so that we can talk. What is kept stays on my operator's machine for up to {days} days, without addresses, numbers and secrets, "
        + "under a keyed number instead of your name. Nothing goes to third parties. **Nothing from Discord trains a model.**\n"
        + "/consent switches keeping, /export gives you a copy, /forget erases at once. In a thread I remember each person's words apart."
        + (options.PrivacyPolicyAddress is { } address ? $"\nThe whole policy: {address}" : "");

    /// <summary>Shown by /consent.</summary>
    public static string Consent(bool keeps, int days, string? unavailableBecause) =>
        $"**Now:** {(keeps ? "kept" : "not kept")}.\n{ConsentText.KeepFor(days)}\n"
        + "Refusing costs you nothing. Conversations from Discord never train a model."
        + (unavailableBecause is null ? "" : $"\n-# This cannot be changed now: {unavailableBecause}");
}
