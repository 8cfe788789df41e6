using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NextGpt.Conversations.Retention;

/// <summary>Removes daily what is past its time (PRI-8); the first run follows a minute after the start.</summary>
internal sealed partial class RetentionJob(ConversationLog conversations, TimeProvider time, ILogger<RetentionJob> log)
    : BackgroundService
{
    private static readonly TimeSpan FirstRun = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Every = TimeSpan.FromDays(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.Delay(FirstRun, time, stoppingToken);
            while (true)
            {
                await Task.Delay(await RunAsync(stoppingToken) ? Every : AfterFailure, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var removed = await conversations.RetainAsync(cancellationToken);
            LogDone(removed.Turns, removed.Media, removed.AuditEntries, removed.Messages, removed.Exports, removed.Backups);
            return true;
        }
        catch (LogUnavailableException failure)
        {
            LogPutOff(failure.Message);
            return false;
        }
    }

    [LoggerMessage(EventId = 330, Level = LogLevel.Information, Message = "Retention removed {Turns} turns, {Media} media, {Audit} audit entries, {Messages} message keys, {Exports} exports, {Backups} backups.")]
    private partial void LogDone(int turns, int media, int audit, int messages, int exports, int backups);

    [LoggerMessage(EventId = 331, Level = LogLevel.Warning, Message = "Retention was put off: {Because}")]
    private partial void LogPutOff(string because);
}
