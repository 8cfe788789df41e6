using NextGpt.Host;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>The pages that the app package names, as plain text.</summary>
internal static class PublicPages
{
    /// <summary>What is kept, for how long, and how to end it.</summary>
    /// <param name="options">The bot.</param>
    /// <param name="days">How long kept turns stay.</param>
    public static string Privacy(TeamsOptions options, int days) => $"""
        {options.Name} is an AI that runs on its operator's own machine. What you write is not sent to anybody else.

        Nothing is kept unless you allow it and your organisation does; until then a conversation is remembered for at most
        an hour, in memory. Two switches, both off at first (write /consent in the personal chat):

        1. {ConsentText.KeepFor(days)}

        2. {ConsentText.Train}

        /privacy says what is so for you, /export gives you everything, /forget erases it. Removing the app erases the
        conversation it is removed from.
        """;

    /// <summary>What can be expected.</summary>
    /// <param name="options">The bot.</param>
    public static string Terms(TeamsOptions options) => $"""
        {options.Name} is a research model that errs: check what it says before you rely on it. It neither speaks nor transcribes
        speech. Its weights are licensed for non-commercial use. Do not ask it to depict named private persons.
        """;
}
