namespace NextGpt.Host.Tests;

/// <summary>The queue as a person sees it.</summary>
public sealed class QueueingTests
{
    [Fact]
    public async Task QUE_2_after_5_seconds_the_person_sees_place_and_estimate_and_again_each_5_seconds()
    {
        await using var bench = new RouterBench(new TurnOptions { FirstTokenTimeout = TimeSpan.FromHours(1) });
        _ = bench.AskAsync("first", "ana", "c1");
        await bench.Client.NextCallAsync();
        await using var parts = bench.Router.AskAsync(bench.Turn("second", "bo", "c2")).GetAsyncEnumerator();
        await parts.MoveNextAsync();

        bench.Time.Advance(TimeSpan.FromSeconds(4));
        var next = parts.MoveNextAsync();
        Assert.False(next.IsCompleted);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await next);
        var queued = Assert.IsType<TurnQueued>(parts.Current);

        Assert.Equal(1, queued.Position);
        Assert.True(queued.Estimate > TimeSpan.Zero);
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        await parts.MoveNextAsync();
        Assert.IsType<TurnQueued>(parts.Current);
    }

    [Fact]
    public async Task QUE_2_after_5_minutes_the_turn_is_given_back_and_its_place_is_free()
    {
        await using var bench = new RouterBench(new TurnOptions { FirstTokenTimeout = TimeSpan.FromHours(1) });
        _ = bench.AskAsync("first", "ana", "c1");
        await bench.Client.NextCallAsync();
        var waiting = bench.AskAsync("second", "bo", "c2");

        bench.Time.Advance(TimeSpan.FromMinutes(5));

        var error = Assert.IsType<TurnFailed>((await waiting)[^1]).Error;
        Assert.Equal(("queue_timeout", 503), (error.Code, error.HttpStatus));
        Assert.NotNull(error.RetryAfter);
        Assert.Equal(0, bench.Queue.Waiting);
    }

    [Fact]
    public async Task QUE_3_a_refused_turn_has_one_part_and_never_reaches_the_model()
    {
        await using var bench = new RouterBench(new TurnOptions { MaxWaiting = 0 });
        _ = bench.AskAsync("first", "ana", "c1");
        await bench.Client.NextCallAsync();

        var parts = await bench.AskAsync("second", "bo", "c2");

        Assert.Equal("busy", Assert.IsType<TurnFailed>(Assert.Single(parts)).Error.Code);
        Assert.Single(bench.Client.Calls);
    }
}
