using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams;

/// <summary>Looks at the settings of the bot as <c>doctor</c> does; asks nobody outside.</summary>
public static class TeamsCheck
{
    /// <summary>Whether the bot could start, and a sentence.</summary>
    /// <param name="options">The settings, valid by themselves.</param>
    /// <param name="listensOnlyHere">Whether nobody but this machine can reach the server.</param>
    public static (bool IsOk, string Sentence) Run(TeamsOptions options, bool listensOnlyHere)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Enabled)
        {
            return (true, "off (NextGpt:Teams:Enabled)");
        }

        if (options.LocalMode)
        {
            return listensOnlyHere
                ? (true, "local mode: believes everybody on this machine")
                : (false, "NextGpt:Teams:LocalMode believes everybody, but others can reach this server; switch it off.");
        }

        try
        {
            _ = new ServiceTokens(options);
            return (true, options.PublicAddress is null
                ? $"bot {options.AppId}; without NextGpt:Teams:PublicAddress no links to sounds and clips in groups"
                : $"bot {options.AppId} at {options.PublicAddress}");
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException
            or ArgumentException or Microsoft.Identity.Client.MsalException)
        {
            return (false, failure is InvalidDataException
                ? failure.Message
                : "The Teams bot's credential cannot be used; check the section NextGpt:Teams.");
        }
    }
}
