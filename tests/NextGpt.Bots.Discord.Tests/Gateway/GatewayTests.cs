using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests.Gateway;

public sealed class GatewayTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task G1_connects_identifies_becomes_ready_and_counts_events(bool compress)
    {
        await using var bench = await GatewayBench.StartAsync(identity: GatewayBench.Identity with { Compress = compress, Presence = "ask me" });

        await bench.SeenAsync("GUILD_CREATE");
        await bench.Simulator.SayAsync("one");
        await bench.SeenAsync("MESSAGE_CREATE");

        var connection = Assert.Single(bench.Simulator.Gateway.Connections);
        Assert.Equal(compress, connection.Query.Contains("compress=zlib-stream", StringComparison.Ordinal));
        Assert.Contains("v=10&encoding=json", connection.Query, StringComparison.Ordinal);
        Assert.StartsWith("DiscordBot (", connection.Headers["User-Agent"], StringComparison.Ordinal);
        var identify = Assert.Single(bench.Simulator.Gateway.Frames(2)).Data!;
        Assert.Equal(13_825, (int)identify["intents"]!);
        Assert.Equal("ask me", (string?)identify["presence"]!["activities"]![0]!["state"]);
        await DiscordSimulator.UntilAsync(() => bench.Shard.Sequence == 3, "READY, GUILD_CREATE and a message are counted");
        Assert.Equal("session-1", bench.Shard.Session?.Id);
        Assert.Equal(["READY", "GUILD_CREATE", "MESSAGE_CREATE"], bench.Events.Select(happened => happened.Name));
    }

    [Fact]
    public async Task G2_heartbeats_come_each_interval_with_the_last_sequence_and_at_once_when_asked()
    {
        var begun = DateTimeOffset.UtcNow;
        await using var bench = await GatewayBench.StartAsync(
            simulator => simulator.Gateway.HeartbeatInterval = TimeSpan.FromMilliseconds(400));

        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Frames(1).Count >= 3, "three heartbeats");
        var beats = bench.Simulator.Gateway.Frames(1);
        Assert.All(
            beats.Zip(beats.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At > TimeSpan.FromMilliseconds(200)));
        Assert.Equal(2, (long?)beats[^1].Data);
        Assert.True(beats[0].Data is null || (long)beats[0].Data! <= 2);
        Assert.NotNull(bench.Shard.Latency);
        Assert.True(beats[0].At - begun < TimeSpan.FromSeconds(20));

        var before = bench.Simulator.Gateway.Frames(1).Count;
        await bench.Simulator.Gateway.Connections[0].SendAsync(1, null);
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Frames(1).Count > before, "an answer to op 1");
        Assert.Single(bench.Simulator.Gateway.Connections);
    }

    [Fact]
    public async Task G3_a_missing_acknowledgement_leaves_the_connection_and_resumes_on_a_new_one()
    {
        await using var bench = await GatewayBench.StartAsync(
            simulator => simulator.Gateway.HeartbeatInterval = TimeSpan.FromMilliseconds(150));
        await bench.ReadyAsync();

        bench.Simulator.Gateway.AnswersHeartbeats = false;
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Connections.Count > 1, "a second connection");
        bench.Simulator.Gateway.AnswersHeartbeats = true;

        await bench.SeenAsync("RESUMED");
        Assert.Equal(CloseCode.LeavingToResume, bench.Simulator.Gateway.Connections[0].ClosedByClientWith);
        Assert.Equal("session-1", (string?)bench.Simulator.Gateway.Frames(6)[0].Data!["session_id"]);
        Assert.Single(bench.Simulator.Gateway.Frames(2));
    }

    [Fact]
    public async Task G4_after_a_reconnect_missed_events_come_once_and_in_order()
    {
        await using var bench = await GatewayBench.StartAsync();
        await bench.SeenAsync("GUILD_CREATE");
        await bench.Simulator.SayAsync("before");
        await bench.SeenAsync("MESSAGE_CREATE");

        var session = bench.Simulator.Gateway.Sessions.Single();
        var connection = session.Connection!;
        session.Connection = null;   // from here on events are kept, not sent
        await bench.Simulator.SayAsync("missed 1");
        await bench.Simulator.SayAsync("missed 2");
        await connection.SendAsync(7, null);

        await bench.SeenAsync("RESUMED");
        await bench.Simulator.SayAsync("after");
        await bench.SeenAsync("MESSAGE_CREATE", 4);
        Assert.Equal(["before", "missed 1", "missed 2", "after"], bench.Contents);
        Assert.Equal(3, (long)bench.Simulator.Gateway.Frames(6).Single().Data!["seq"]!);
        Assert.NotEqual(1000, connection.ClosedByClientWith);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task G5_an_invalid_session_is_resumed_or_begun_anew_after_a_wait(bool canResume)
    {
        await using var bench = await GatewayBench.StartAsync();
        await bench.ReadyAsync();

        bench.Simulator.Gateway.ResumeRefusal = canResume;
        bench.Simulator.Gateway.Connections[0].Cut();

        await DiscordSimulator.UntilAsync(
            () => bench.Client.IsReady && bench.Simulator.Gateway.Connections.Count == 3, "a third connection is ready");
        Assert.Equal(canResume ? 1 : 2, bench.Simulator.Gateway.Frames(2).Count);
        Assert.Equal(canResume ? 2 : 1, bench.Simulator.Gateway.Frames(6).Count);
        var refused = bench.Simulator.Gateway.Frames(6)[0].At;
        var next = canResume ? bench.Simulator.Gateway.Frames(6)[1].At : bench.Simulator.Gateway.Frames(2)[1].At;
        Assert.True(next - refused >= TimeSpan.FromMilliseconds(95), $"only {next - refused} after the refusal");
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)), new GatewayTiming().AfterInvalidSession);
    }

    [Theory]
    [InlineData(null, "Resume")]
    [InlineData(1006, "Resume")]
    [InlineData(4000, "Resume")]
    [InlineData(4001, "Resume")]
    [InlineData(4002, "Resume")]
    [InlineData(4003, "NewSession")]
    [InlineData(4004, "Stop")]
    [InlineData(4005, "NewSession")]
    [InlineData(4007, "NewSession")]
    [InlineData(4008, "NewSessionAfterPause")]
    [InlineData(4009, "Resume")]
    [InlineData(4010, "Stop")]
    [InlineData(4011, "Stop")]
    [InlineData(4012, "Stop")]
    [InlineData(4013, "Stop")]
    [InlineData(4014, "Stop")]
    [InlineData(4242, "Resume")]
    public void G6_every_close_code_has_its_class(int? code, string verdict) =>
        Assert.Equal(verdict, CloseCode.VerdictOf(code).ToString());

    [Theory]
    [InlineData(4000, 1)]
    [InlineData(4007, 2)]
    [InlineData(4008, 2)]
    public async Task G6_after_a_close_code_the_client_resumes_or_begins_anew(int code, int identifies)
    {
        await using var bench = await GatewayBench.StartAsync();
        await bench.ReadyAsync();

        await bench.Simulator.Gateway.Connections[0].CloseAsync(code);

        await DiscordSimulator.UntilAsync(
            () => bench.Client.IsReady && bench.Simulator.Gateway.Connections.Count == 2, "ready again");
        Assert.Equal(identifies, bench.Simulator.Gateway.Frames(2).Count);
        Assert.Equal(2 - identifies, bench.Simulator.Gateway.Frames(6).Count);
    }

    [Theory]
    [InlineData(4004, "token")]
    [InlineData(4014, "Message Content Intent")]
    [InlineData(4011, "Shards")]
    public async Task G6_after_a_fatal_code_nobody_connects_again_and_the_setting_is_named(int code, string word)
    {
        await using var bench = await GatewayBench.StartAsync(simulator => simulator.Gateway.IdentifyCloseCode = code);

        var refused = await Assert.ThrowsAsync<GatewayRefusedException>(() => bench.Running.WaitAsync(TimeSpan.FromSeconds(20)));

        Assert.Contains(word, refused.Message, StringComparison.Ordinal);
        Assert.Equal(code, refused.CloseCode);
        Assert.Single(bench.Simulator.Gateway.Connections);
    }

    [Fact]
    public async Task G6_nonsense_of_ours_ends_the_attempts_after_three_in_a_row()
    {
        await using var bench = await GatewayBench.StartAsync(simulator => simulator.Gateway.IdentifyCloseCode = 4002);

        await Assert.ThrowsAsync<GatewayRefusedException>(() => bench.Running.WaitAsync(TimeSpan.FromSeconds(20)));

        Assert.Equal(3, bench.Simulator.Gateway.Connections.Count);
    }

    [Fact]
    public async Task G7_refused_and_silent_connections_are_tried_again_until_they_work()
    {
        await using var bench = await GatewayBench.StartAsync(
            simulator => simulator.Gateway.RefuseWith = 503,
            GatewayBench.Quick with { HelloWithin = TimeSpan.FromMilliseconds(300) });
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.False(bench.Client.IsReady);

        bench.Simulator.Gateway.IsSilent = true;
        bench.Simulator.Gateway.RefuseWith = null;
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Connections.Count >= 2, "silent connections are left");
        bench.Simulator.Gateway.IsSilent = false;

        await bench.ReadyAsync();
    }

    [Fact]
    public async Task G7_where_no_TLS_is_spoken_the_client_tries_again_with_pauses_and_says_nothing_in_clear()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var first = new System.Collections.Concurrent.ConcurrentQueue<byte[]>();
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var client = new GatewayClient(
            GatewayBench.Identity,
            _ => Task.FromResult(new GatewayAddress(
                new Uri($"wss://127.0.0.1:{port}/gateway"), 1, new SessionStarts(1_000, 1_000, TimeSpan.FromHours(1), 1))),
            null, (_, _) => default, GatewayBench.Quick, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var running = client.RunAsync(stop.Token);

        await DiscordSimulator.UntilAsync(() => first.Count >= 4, "four attempts");

        Assert.False(client.IsReady);
        Assert.False(running.IsCompleted);
        Assert.All(first, bytes => Assert.Equal(0x16, bytes[0]));   // a TLS handshake, never a request
        Assert.All(first, bytes => Assert.True(bytes.AsSpan().IndexOf("planted-secret"u8) < 0));
        await stop.CancelAsync();
        listener.Stop();
        await Task.WhenAll(running, serving).ContinueWith(static _ => { }, TaskScheduler.Default);

        async Task ServeAsync()
        {
            while (true)
            {
                using var connection = await listener.AcceptTcpClientAsync(stop.Token);
                var bytes = new byte[4_096];
                var length = await connection.GetStream().ReadAsync(bytes, stop.Token);
                first.Enqueue(bytes[..length]);
                await connection.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), stop.Token);
            }
        }
    }

    [Fact]
    public void G7_the_pause_doubles_from_a_second_to_a_minute_with_full_jitter()
    {
        var timing = new GatewayTiming();

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], Enumerable.Range(1, 8).Select(failures =>
            GatewayShard.BackoffOf(failures, timing, 1).TotalSeconds));
        Assert.Equal(TimeSpan.Zero, GatewayShard.BackoffOf(5, timing, 0));
        Assert.Equal(TimeSpan.FromSeconds(60), GatewayShard.BackoffOf(int.MaxValue, timing, 1));
    }

    [Fact]
    public async Task G7_if_the_address_to_resume_at_is_gone_a_new_session_begins_at_the_first_one()
    {
        await using var bench = await GatewayBench.StartAsync(timing: GatewayBench.Quick with { HelloWithin = TimeSpan.FromMilliseconds(500) });
        await bench.ReadyAsync();

        bench.Simulator.Gateway.RefuseWith = 500;
        bench.Simulator.Gateway.Connections[0].Cut();
        await DiscordSimulator.UntilAsync(() => bench.Shard.Session is null, "the session is given up");
        bench.Simulator.Gateway.RefuseWith = null;

        await DiscordSimulator.UntilAsync(() => bench.Client.IsReady && bench.Simulator.Gateway.Frames(2).Count == 2, "a new session");
    }

    [Fact]
    public async Task G8_two_shards_identify_a_window_apart_and_carry_their_number()
    {
        await using var bench = await GatewayBench.StartAsync(
            simulator => simulator.Gateway.Shards = 2, GatewayBench.Quick with { IdentifyWindow = TimeSpan.FromMilliseconds(200) });
        await bench.ReadyAsync();

        var identifies = bench.Simulator.Gateway.Frames(2);
        // How far apart they are is measured where time is ours: GatewayLimitsTests.
        Assert.Equal([0, 1], identifies.Select(frame => (int)frame.Data!["shard"]![0]!).Order());
        Assert.All(identifies, frame => Assert.Equal(2, (int)frame.Data!["shard"]![1]!));
        Assert.Equal(TimeSpan.FromSeconds(5), new GatewayTiming().IdentifyWindow);
    }

    [Fact]
    public async Task G8_fewer_shards_than_Discord_asks_for_are_refused_in_words()
    {
        await using var bench = await GatewayBench.StartAsync(simulator => simulator.Gateway.Shards = 3, shards: 2);

        var refused = await Assert.ThrowsAsync<GatewayRefusedException>(() => bench.Running);

        Assert.Contains("asks for 3 shards, NextGpt:Discord:Shards is 2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G10_pieces_large_frames_unknown_things_and_nulls_do_no_harm()
    {
        await using var bench = await GatewayBench.StartAsync(simulator => simulator.Gateway.PieceBytes = 1_000);
        await bench.SeenAsync("GUILD_CREATE");
        var connection = bench.Simulator.Gateway.Connections[0];

        await connection.SendAsync(42, new JsonObject { ["new"] = true });
        await bench.Simulator.Gateway.PublishAsync("SOMETHING_NEW", new JsonObject { ["id"] = 12 });
        await bench.Simulator.Gateway.PublishAsync("MESSAGE_CREATE", new JsonObject
        {
            ["id"] = 1_234_567_890_123,
            ["channel_id"] = "1",
            ["guild_id"] = null,
            ["thread"] = null,
            ["unheard"] = new JsonArray(1, null),
            ["content"] = new string('x', 1 << 20),
        });

        await bench.SeenAsync("MESSAGE_CREATE");
        var message = bench.Events.Single(happened => happened.Name == "MESSAGE_CREATE").Data;
        Assert.Equal("1234567890123", message.Id("id"));
        Assert.False(message.Has("guild_id"));
        Assert.Equal(1 << 20, message.Id("content").Length);
        Assert.Equal(1, bench.Shard.Unknown);
        Assert.Single(bench.Simulator.Gateway.Connections);
    }

    [Fact]
    public async Task G11_a_slow_taker_neither_delays_heartbeats_nor_loses_events()
    {
        var release = new TaskCompletionSource();
        await using var bench = await GatewayBench.StartAsync(
            simulator => simulator.Gateway.HeartbeatInterval = TimeSpan.FromMilliseconds(100));
        await bench.ReadyAsync();
        await bench.SeenAsync("GUILD_CREATE");
        bench.Taking = (_, _) => release.Task;

        await bench.Simulator.SayAsync("one");
        await bench.Simulator.SayAsync("two");
        var before = bench.Simulator.Gateway.Frames(1).Count;
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Frames(1).Count >= before + 5, "five heartbeats meanwhile");
        release.SetResult();

        await bench.SeenAsync("MESSAGE_CREATE", 2);
        Assert.Equal(["one", "two"], bench.Contents);
        Assert.Single(bench.Simulator.Gateway.Connections);
    }

    [Fact]
    public async Task Shutdown_ends_the_session_so_that_the_bot_is_shown_as_offline()
    {
        await using var bench = await GatewayBench.StartAsync();
        await bench.ReadyAsync();

        await bench.StopAsync();

        await DiscordSimulator.UntilAsync(
            () => bench.Simulator.Gateway.Connections[0].ClosedByClientWith == 1000, "goodbye with 1000");
    }
}
