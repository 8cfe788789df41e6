using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests.Gateway;

/// <summary>A gateway client at the simulator, with waits short enough for real sockets.</summary>
internal sealed class GatewayBench : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();

    private GatewayBench(DiscordSimulator simulator) => Simulator = simulator;

    public DiscordSimulator Simulator { get; }

    public required GatewayClient Client { get; init; }

    public Task Running { get; private set; } = Task.CompletedTask;

    public ConcurrentQueue<GatewayEvent> Events { get; } = new();

    /// <summary>Waits before an event is taken.</summary>
    public Func<GatewayEvent, CancellationToken, Task>? Taking { get; set; }

    public GatewayShard Shard => Client.Shards[0];

    public static GatewayTiming Quick { get; } = new()
    {
        HelloWithin = TimeSpan.FromSeconds(2),
        FirstPause = TimeSpan.FromMilliseconds(20),
        LongestPause = TimeSpan.FromMilliseconds(100),
        AfterInvalidSession = (TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200)),
        AfterRateLimit = TimeSpan.FromMilliseconds(300),
        IdentifyWindow = TimeSpan.FromMilliseconds(50),
        CloseWithin = TimeSpan.FromSeconds(2),
    };

    public static async Task<GatewayBench> StartAsync(
        Action<DiscordSimulator>? prepare = null, GatewayTiming? timing = null, GatewayIdentity? identity = null, int? shards = null,
        bool run = true)
    {
        var simulator = await DiscordSimulator.StartAsync();
        prepare?.Invoke(simulator);
        GatewayBench? bench = null;
        bench = new GatewayBench(simulator)
        {
            Client = new GatewayClient(
                identity ?? Identity,
                _ => Task.FromResult(new GatewayAddress(
                    simulator.GatewayAddress, simulator.Gateway.Shards,
                    new SessionStarts(1_000, simulator.Gateway.RemainingStarts, TimeSpan.FromHours(1), simulator.Gateway.MaxConcurrency))),
                shards, (happened, stop) => bench!.TakeAsync(happened, stop), timing ?? Quick, TimeProvider.System, NullLogger.Instance),
        };
        bench.Running = run ? bench.Client.RunAsync(bench._stop.Token) : Task.CompletedTask;
        return bench;
    }

    public static GatewayIdentity Identity { get; } = new()
    {
        Token = DiscordSimulator.Token,
        Intents = GatewayIntents.Unprivileged,
        UserAgent = "DiscordBot (https://example.org, 1)",
    };

    public Task ReadyAsync() => DiscordSimulator.UntilAsync(() => Client.IsReady, "the client is ready");

    public Task SeenAsync(string name, int count = 1) => DiscordSimulator.UntilAsync(
        () => Events.Count(happened => happened.Name == name) >= count, $"{count} x {name}");

    public IReadOnlyList<string> Contents =>
        [.. Events.Where(happened => happened.Name == "MESSAGE_CREATE").Select(happened => happened.Data.Id("content"))];

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running.ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(20));
        await Simulator.DisposeAsync();
        _stop.Dispose();
    }

    private async ValueTask TakeAsync(GatewayEvent happened, CancellationToken stop)
    {
        if (Taking is { } taking)
        {
            await taking(happened, stop);
        }

        Events.Enqueue(happened);
    }
}
