namespace NextGpt.Bots.Discord.Gateway;

/// <summary>What a lost connection asks for.</summary>
internal enum CloseVerdict
{
    /// <summary>Connect again and take up the session where it was.</summary>
    Resume,

    /// <summary>Connect again with a new session.</summary>
    NewSession,

    /// <summary>A new session after a pause: we sent too fast.</summary>
    NewSessionAfterPause,

    /// <summary>Do not connect again: the token or a setting is wrong.</summary>
    Stop,
}

/// <summary>The close codes of the gateway and what they ask for.</summary>
internal static class CloseCode
{
    /// <summary>Ours, for a connection we leave in order to resume: any code but 1000 and 1001 keeps the session.</summary>
    public const int LeavingToResume = 4_900;

    /// <summary>Ours, at shutdown: ends the session, the bot is shown as offline.</summary>
    public const int Leaving = 1_000;

    /// <summary>What to do after a code; null is a connection that was lost without one.</summary>
    public static CloseVerdict VerdictOf(int? code) => code switch
    {
        4003 or 4005 or 4007 => CloseVerdict.NewSession,
        4008 => CloseVerdict.NewSessionAfterPause,
        4004 or 4010 or 4011 or 4012 or 4013 or 4014 => CloseVerdict.Stop,
        _ => CloseVerdict.Resume,
    };

    /// <summary>Codes that mean we sent nonsense: three in a row end the attempts.</summary>
    public static bool IsOurFault(int? code) => code is 4001 or 4002;

    /// <summary>Why there is no point in connecting again, and what to do.</summary>
    public static string SentenceOf(int? code) => code switch
    {
        4004 => "Discord refuses the token; make a new one in the developer portal (Bot, Reset Token) and store it.",
        4010 => "Discord calls the shard number invalid; set NextGpt:Discord:Shards to null, so that Discord's number is used.",
        4011 => "The bot is in so many servers that Discord asks for more shards; set NextGpt:Discord:Shards to null.",
        4012 => "Discord no longer speaks version 10 of its gateway; a newer version of this program is needed.",
        4013 => "Discord calls the intents invalid; a newer version of this program is needed.",
        4014 => "An intent is not allowed for this bot; switch on \"Message Content Intent\" in the developer portal (Bot), "
            + "or set NextGpt:Discord:ReadThreadsWithoutMention to false.",
        4001 or 4002 => "Discord could not read what this program sent three times in a row; please report it.",
        _ => $"Discord closed the connection for good (code {code}).",
    };
}
