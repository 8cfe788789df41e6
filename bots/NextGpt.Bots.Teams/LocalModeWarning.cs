using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Teams;

/// <summary>Says each minute that everybody is believed, and at start why the bot is off.</summary>
internal static partial class LocalModeWarning
{
    /// <summary>Begins to warn, until the program ends.</summary>
    public static void Begin(IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger("NextGpt.Bots.Teams");
        var timer = time.CreateTimer(_ => LogLocalMode(logger), null, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        lifetime.ApplicationStopping.Register(timer.Dispose);
    }

    /// <summary>Says why the bot is off.</summary>
    public static void LogOff(ILoggerFactory loggers, string because) =>
        LogOff(loggers.CreateLogger("NextGpt.Bots.Teams"), because);

    [LoggerMessage(6040, LogLevel.Warning, "NextGpt:Teams:LocalMode is on: whoever reaches this machine's port is believed")]
    private static partial void LogLocalMode(ILogger logger);

    [LoggerMessage(6041, LogLevel.Error, "The Teams bot is off, everything else goes on: {Because}")]
    private static partial void LogOff(ILogger logger, string because);
}
