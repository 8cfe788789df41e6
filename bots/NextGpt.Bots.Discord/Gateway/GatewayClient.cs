using Microsoft.Extensions.Logging;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>All connections of the bot: asks where to connect and how often, then runs one shard each.</summary>
internal sealed partial class GatewayClient(
    GatewayIdentity identity, Func<CancellationToken, Task<GatewayAddress>> lookUp, int? shards,
    Func<GatewayEvent, CancellationToken, ValueTask> sink, GatewayTiming timing, TimeProvider time, ILogger logger)
{
    private volatile IReadOnlyList<GatewayShard> _shards = [];

    /// <summary>The connections; empty before Discord was asked.</summary>
    public IReadOnlyList<GatewayShard> Shards => _shards;

    /// <summary>Whether every connection is up.</summary>
    public bool IsReady => _shards is { Count: > 0 } all && all.All(shard => shard.IsReady);

    /// <summary>Runs until it is stopped.</summary>
    /// <exception cref="GatewayRefusedException">The token or a setting is wrong.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var address = await LookUpAsync(stop);
        if (shards is { } set && set < address.Shards)
        {
            throw new GatewayRefusedException(
                $"Discord asks for {address.Shards} shards, NextGpt:Discord:Shards is {set}; raise it, or set it to null.");
        }

        var count = shards ?? Math.Max(1, address.Shards);
        var gate = new IdentifyGate(timing.IdentifyWindow, time);
        gate.Update(address.Starts);
        var whole = identity with { Shards = count };
        _shards = [.. Enumerable.Range(0, count).Select(number =>
            new GatewayShard(number, whole, gate, sink, timing, time, logger))];
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = _shards.Select(shard => shard.RunAsync(address.Address, any.Token)).ToList();
        try
        {
            await await Task.WhenAny(running);
        }
        finally
        {
            await any.CancelAsync();
            await Task.WhenAll(running).ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task<GatewayAddress> LookUpAsync(CancellationToken stop)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await lookUp(stop);
            }
            catch (Exception failure) when (failure is HttpRequestException or TimeoutException or IOException
                || (failure is OperationCanceledException && !stop.IsCancellationRequested))
            {
                LogNoAddress(failure.GetType().Name);
                await Task.Delay(GatewayShard.BackoffOf(failures, timing, Random.Shared.NextDouble()), time, stop);
            }
        }
    }

    [LoggerMessage(5010, LogLevel.Warning, "Discord cannot be asked for its gateway ({Failure}); trying again")]
    private partial void LogNoAddress(string failure);
}
