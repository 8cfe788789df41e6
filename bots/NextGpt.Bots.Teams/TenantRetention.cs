using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Host;

namespace NextGpt.Bots.Teams;

/// <summary>Removes each day what is older than a tenant's own time of keeping (TEA-4, PRI-8).</summary>
internal sealed partial class TenantRetention(
    IOptions<TeamsOptions> options, KeptTurns kept, TimeProvider time, ILogger<TenantRetention> logger) : BackgroundService
{
    private const int Longest = 366;   // days; the log itself removes what is older than its own time

    /// <summary>Removes what is too old today; returns how many turns.</summary>
    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        foreach (var tenant in options.Value.Tenants)
        {
            for (var age = tenant.RetentionDays ?? Longest; age < Longest; age++)
            {
                removed += await kept.RemoveLinkedAsync(
                    TeamsBot.Surface, TurnLinks.TenantDay(tenant.Id, today.AddDays(-age)), cancellationToken);
            }
        }

        return removed;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled || options.Value.Tenants.All(static tenant => tenant.RetentionDays is null))
        {
            return;
        }

        using var timer = new PeriodicTimer(TimeSpan.FromHours(12), time);
        do
        {
            try
            {
                LogRemoved(await RunAsync(stoppingToken));
            }
            catch (Exception failure) when (failure is not OperationCanceledException)   // a background loop
            {
                LogFailure(failure.GetType().FullName);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(6060, LogLevel.Information, "{Count} turns were older than their Teams tenants keep them")]
    private partial void LogRemoved(int count);

    [LoggerMessage(6061, LogLevel.Error, "Turns that are older than their Teams tenants keep them could not be removed: {ExceptionType}")]
    private partial void LogFailure(string? exceptionType);
}
