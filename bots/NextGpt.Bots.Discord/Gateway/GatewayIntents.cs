namespace NextGpt.Bots.Discord.Gateway;

/// <summary>Groups of events a bot asks for; bits as documented.</summary>
[Flags]
internal enum GatewayIntents
{
    None = 0,
    Guilds = 1 << 0,
    GuildMessages = 1 << 9,
    GuildMessageReactions = 1 << 10,
    DirectMessages = 1 << 12,
    DirectMessageReactions = 1 << 13,

    /// <summary>Privileged: the text of messages that do not address the bot.</summary>
    MessageContent = 1 << 15,

    /// <summary>All that answering mentions, direct messages and commands needs: 13,825, none of it privileged.</summary>
    Unprivileged = Guilds | GuildMessages | GuildMessageReactions | DirectMessages | DirectMessageReactions,
}
