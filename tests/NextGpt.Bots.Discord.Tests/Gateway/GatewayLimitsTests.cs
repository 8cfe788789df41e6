using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Tests.Gateway;

public sealed class GatewayLimitsTests
{
    [Fact]
    public void G9_of_120_frames_a_minute_the_last_three_are_for_heartbeats()
    {
        var time = new FakeTimeProvider();
        var budget = new SendBudget(time);

        for (var i = 0; i < 117; i++)
        {
            Assert.Null(budget.TryTake(isHeartbeat: false));
        }

        Assert.NotNull(budget.TryTake(isHeartbeat: false));
        Assert.All(Enumerable.Range(0, 3), _ => Assert.Null(budget.TryTake(isHeartbeat: true)));
        Assert.Equal(TimeSpan.FromSeconds(60), budget.TryTake(isHeartbeat: true));

        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(budget.TryTake(isHeartbeat: false));
    }

    [Fact]
    public async Task G9_a_payload_above_4096_bytes_is_never_sent()
    {
        using var socket = new GatewaySocket(GatewayBench.Identity, new GatewayTiming(), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<ArgumentException>(
            () => socket.SendAsync(GatewayOpcode.Identify, new string('x', 4_096), CancellationToken.None));

        Assert.Contains("Discord takes 4,096", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G8_identifies_of_one_key_are_five_seconds_apart_and_none_happens_when_none_is_left()
    {
        var time = new FakeTimeProvider();
        var gate = new IdentifyGate(TimeSpan.FromSeconds(5), time);
        gate.Update(new SessionStarts(1_000, 3, TimeSpan.FromMinutes(10), 2));

        await gate.EnterAsync(0, CancellationToken.None);
        await gate.EnterAsync(1, CancellationToken.None);   // another key: at once
        var third = gate.EnterAsync(2, CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        await third.WaitAsync(TimeSpan.FromSeconds(10));

        var fourth = gate.EnterAsync(3, CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(1));
        await fourth.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task G11_the_queue_keeps_order_within_a_place_and_handles_an_event_once()
    {
        var handled = new List<string>();
        var release = new TaskCompletionSource();
        await using var queue = new EventQueue(
            async (happened, _) =>
            {
                if (happened.Place == "slow")
                {
                    await release.Task;
                }

                lock (handled)
                {
                    handled.Add(happened.Data.Id("id"));
                }
            },
            3, NullLogger.Instance);

        await queue.AddAsync(Message("1", "slow"), CancellationToken.None);
        await queue.AddAsync(Message("1", "slow"), CancellationToken.None);
        await queue.AddAsync(Message("2", "slow"), CancellationToken.None);
        await queue.AddAsync(Message("3", "quick"), CancellationToken.None);
        await Simulator.DiscordSimulator.UntilAsync(() => Handled() is ["3"], "the quick place is not held up");
        await queue.AddAsync(Message("4", "slow"), CancellationToken.None);
        var full = queue.AddAsync(Message("5", "slow"), CancellationToken.None);
        Assert.False(full.IsCompleted);
        Assert.Equal(1, queue.TimesFull);
        release.SetResult();
        await full;

        await Simulator.DiscordSimulator.UntilAsync(() => Handled().Count == 5, "all are handled");
        Assert.Equal(["3", "1", "2", "4", "5"], Handled());
        Assert.Equal(1, queue.Repeated);

        IReadOnlyList<string> Handled()
        {
            lock (handled)
            {
                return [.. handled];
            }
        }
    }

    [Fact]
    public async Task G11_a_handler_that_fails_does_not_end_the_next_one()
    {
        var handled = new TaskCompletionSource();
        await using var queue = new EventQueue(
            (happened, _) =>
            {
                if (happened.Data.Id("id") == "1")
                {
                    throw new InvalidOperationException("broken");
                }

                handled.SetResult();
                return Task.CompletedTask;
            },
            3, NullLogger.Instance);

        await queue.AddAsync(Message("1", "a"), CancellationToken.None);
        await queue.AddAsync(Message("2", "a"), CancellationToken.None);

        await handled.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("175928847299117063", 2016, 4, 30)]
    public void Ids_carry_their_time(string id, int year, int month, int day) =>
        Assert.Equal(new DateOnly(year, month, day), DateOnly.FromDateTime(Snowflake.TimeOf(id)!.Value.UtcDateTime));

    [Fact]
    public void A_stream_that_blows_up_is_refused()
    {
        using var packed = new MemoryStream();
        using (var zlib = new System.IO.Compression.ZLibStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(new byte[80 * 1024 * 1024]);
            zlib.Flush();
        }

        using var inflated = new InflatedStream();
        Assert.Throws<InvalidDataException>(() => inflated.Inflate(packed.ToArray()));
    }

    private static GatewayEvent Message(string id, string place) => new(
        "MESSAGE_CREATE", WireObject.Parse(JsonSerializer.SerializeToUtf8Bytes(new { id, channel_id = place })));
}
