namespace NextGpt.Bots.Discord.Questions;

/// <summary>Who asks, and where.</summary>
/// <param name="Person">Their id.</param>
/// <param name="Channel">The channel or thread.</param>
/// <param name="Parent">The channel of the thread, or null.</param>
/// <param name="Server">The server; null in direct messages.</param>
/// <param name="Roles">Their roles in the server.</param>
internal sealed record Asker(string Person, string Channel, string? Parent, string? Server, IReadOnlyList<string> Roles);

/// <summary>The allow and block lists of the settings; a block beats an allowance (DIS-3).</summary>
internal static class AccessRules
{
    /// <summary>Why this person is not answered here, as a sentence; null if they are.</summary>
    public static string? Refusal(DiscordOptions options, Asker asker)
    {
        if (options.BlockedPeople.Contains(asker.Person) || !Allows(options.AllowedPeople, asker.Person))
        {
            return "I am not set up to answer you; ask whoever runs me.";
        }

        if (asker.Server is null)
        {
            return options.AllowDirectMessages ? null : "I do not answer direct messages; ask me in a server.";
        }

        if (options.BlockedServers.Contains(asker.Server) || !Allows(options.AllowedServers, asker.Server))
        {
            return "I am not set up to answer in this server; ask whoever runs me.";
        }

        if (IsIn(options.BlockedChannels, asker) || (options.AllowedChannels.Length > 0 && !IsIn(options.AllowedChannels, asker)))
        {
            return "I do not answer in that channel; try another one or write to me directly.";
        }

        return asker.Roles.Any(options.BlockedRoles.Contains)
            || (options.AllowedRoles.Length > 0 && !asker.Roles.Any(options.AllowedRoles.Contains))
                ? "Your role in that server does not let you ask me; ask its moderators."
                : null;
    }

    private static bool Allows(string[] list, string id) => list.Length == 0 || list.Contains(id);

    private static bool IsIn(string[] list, Asker asker) =>
        list.Contains(asker.Channel) || (asker.Parent is not null && list.Contains(asker.Parent));
}
