using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NextGpt.Conversations.Retention;

/// <summary>Removes daily what is past its time (PRI-8); the first run follows a minute after the start.</summary>
internal sealed partial class RetentionJob(ConversationLog conversations, TimeProvider time, ILogger<RetentionJob> log)
    : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan FirstRun = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Every = TimeSpan.FromDays(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(15);
    private readonly CancellationTokenSource _stop = new();
    private ITimer? _timer;
    private bool _disposed;

    /// <summary>The run under way, or the last one.</summary>
    internal Task Running { get; private set; } = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(_ => Running = RunAsync(), null, FirstRun, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_disposed)
        {
            return;   // a container that was torn down first has stopped it
        }

        await _stop.CancelAsync();
        await Running.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync();
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }

        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var next = AfterFailure;
        try
        {
            var removed = await conversations.RetainAsync(_stop.Token);
            next = Every;
            LogDone(removed.Turns, removed.Media, removed.AuditEntries, removed.Messages, removed.Exports, removed.Backups);
        }
        catch (LogUnavailableException failure)
        {
            LogPutOff(failure.Message);
        }
        catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
        {
            return;   // the host stops
        }

        _timer?.Change(next, Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(EventId = 330, Level = LogLevel.Information, Message = "Retention removed {Turns} turns, {Media} media, {Audit} audit entries, {Messages} message keys, {Exports} exports, {Backups} backups.")]
    private partial void LogDone(int turns, int media, int audit, int messages, int exports, int backups);

    [LoggerMessage(EventId = 331, Level = LogLevel.Warning, Message = "Retention was put off: {Because}")]
    private partial void LogPutOff(string because);
}
