namespace NextGpt.Bots.Discord;

/// <summary>Finds the bot's token: in the environment, else in a key file that only its owner can read (THR-11).</summary>
internal static class DiscordToken
{
    /// <summary>The token, or the sentence that says why there is none.</summary>
    public static (string? Token, string Problem) Read(DiscordOptions options, Func<string, string?> environment)
    {
        if (environment(options.TokenVariable) is { Length: > 0 } token)
        {
            return (token.Trim(), "");
        }

        if (string.IsNullOrEmpty(options.TokenFile))
        {
            return (null, $"There is no bot token: set the environment variable {options.TokenVariable}, or write it to a file and "
                + $"name that in {DiscordOptions.SectionName}:{nameof(DiscordOptions.TokenFile)}.");
        }

        if (!File.Exists(options.TokenFile))
        {
            return (null, $"The token file {options.TokenFile} is not there; write the bot's token to it and run chmod 600 on it.");
        }

        if (!OperatingSystem.IsWindows()
            && (File.GetUnixFileMode(options.TokenFile) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead
                | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            return (null, $"Others can read the token file {options.TokenFile}; run chmod 600 on it.");
        }

        return File.ReadAllText(options.TokenFile).Trim() is { Length: > 0 } written
            ? (written, "")
            : (null, $"The token file {options.TokenFile} is empty; write the bot's token to it.");
    }
}
