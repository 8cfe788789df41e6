using NextGpt.Model.Language.Quantized;

namespace NextGpt.Model.Tests.Language.Quantized;

public sealed class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_part_runs_once_and_meetings_let_nobody_ahead(int threads)
    {
        using var team = new WorkerTeam(threads);
        var work = new Relay(team);
        for (var piece = 0; piece < 200; piece++)
        {
            team.Run(work);
        }

        Assert.Equal(0, work.Torn);
        Assert.Equal(200 * threads, work.Runs);
    }

    [Fact]
    public void Helpers_sleep_when_there_is_nothing_to_do_and_wake_for_the_next_piece()
    {
        using var team = new WorkerTeam(3);
        var work = new Relay(team);
        for (var piece = 0; piece < 3; piece++)
        {
            team.Run(work);
            Assert.True(SpinWait.SpinUntil(() => team.Sleeping == 2, TimeSpan.FromSeconds(30)));
        }

        Assert.Equal(9, work.Runs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_part_that_fails_reaches_the_caller_and_the_team_goes_on(int part)
    {
        using var team = new WorkerTeam(2);
        var failure = Assert.Throws<InvalidOperationException>(() => team.Run(new Failing(team, part)));
        Assert.Equal("broken", failure.InnerException?.Message);

        var work = new Relay(team);
        team.Run(work);
        Assert.Equal((0, 2), (work.Torn, work.Runs));
    }

    [Fact]
    public void Shares_cover_everything_once()
    {
        using var team = new WorkerTeam(3);
        for (var items = 0; items < 20; items++)
        {
            var next = 0;
            for (var part = 0; part < 3; part++)
            {
                var (from, to) = team.Share(part, items);
                Assert.Equal(next, from);
                next = to;
            }

            Assert.Equal(items, next);
        }
    }

    [Fact]
    public void A_closed_team_takes_no_work()
    {
        var team = new WorkerTeam(2);
        team.Dispose();
        team.Dispose();

        Assert.Throws<ObjectDisposedException>(() => team.Run(new Relay(team)));
    }

    /// <summary>Each part writes its round, and after the meeting sees that of every other.</summary>
    private sealed class Relay(WorkerTeam team) : ITeamWork
    {
        private readonly int[] _rounds = new int[team.Threads * 64];
        private int _torn;
        private int _runs;

        public int Torn => _torn;

        public int Runs => _runs;

        public void Do(int part)
        {
            var start = _rounds[part * 64];
            for (var round = start + 1; round <= start + 20; round++)
            {
                Volatile.Write(ref _rounds[part * 64], round);
                team.Meet();
                for (var other = 0; other < team.Threads; other++)
                {
                    if (Volatile.Read(ref _rounds[other * 64]) != round)
                    {
                        Interlocked.Increment(ref _torn);
                    }
                }

                team.Meet();
            }

            Interlocked.Increment(ref _runs);
        }
    }

    private sealed class Failing(WorkerTeam team, int failingPart) : ITeamWork
    {
        public void Do(int part)
        {
            if (part == failingPart)
            {
                throw new InvalidDataException("broken");
            }

            team.Meet();
        }
    }
}
