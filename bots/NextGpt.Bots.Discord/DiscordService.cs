using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Gateway;

namespace NextGpt.Bots.Discord;

/// <summary>
/// Runs the bot beside everything else; whatever goes wrong here is said and ends here: other surfaces go on (DEG-1).
/// </summary>
internal sealed partial class DiscordService(
    Func<BotSurroundings> around, Func<DiscordOptions> options, Func<string, string?> environment, TimeProvider time,
    ILogger<DiscordService> logger, GatewayTiming? timing = null) : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    /// <summary>Why the bot does not run, or null.</summary>
    public string? StoppedBecause { get; private set; }

    /// <summary>The bot, while it runs.</summary>
    public DiscordBot? Bot { get; private set; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options().Enabled)
        {
            return;
        }

        await Task.Yield();
        var (token, problem) = DiscordToken.Read(options(), environment);
        if (token is null)
        {
            Stop(problem);
            return;
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var bot = new DiscordBot(around(), token, timing);
                Bot = bot;
                await bot.RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (GatewayRefusedException refused)
            {
                Stop(refused.Message);
                return;
            }
            catch (Exception failure)   // the edge of a background loop (rule 21)
            {
                LogFailed(failure.GetType().Name, failure);
                await Task.Delay(AfterFailure, time, stoppingToken).ContinueWith(
                    static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    private void Stop(string because)
    {
        StoppedBecause = because;
        LogStopped(because);
    }

    [LoggerMessage(5090, LogLevel.Error, "The Discord bot does not run: {Because}")]
    private partial void LogStopped(string because);

    [LoggerMessage(5091, LogLevel.Error, "The Discord bot failed ({Failure}); it begins anew in 30 s")]
    private partial void LogFailed(string failure, Exception exception);
}
