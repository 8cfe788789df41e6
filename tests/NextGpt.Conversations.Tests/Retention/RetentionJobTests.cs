using System.Text;
using Microsoft.Extensions.Logging;
using NextGpt.Conversations.Retention;

namespace NextGpt.Conversations.Tests.Retention;

public sealed class RetentionJobTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "PRI-8")]
    public async Task Turns_media_exports_and_backups_go_when_their_time_is_over_and_not_before()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        var drafts = new[] { "oldest words", "in a dataset" }.Select(word => _folder.Draft(person, word) with
        {
            Media = [new(true, "image/png", Encoding.UTF8.GetBytes("medium " + word), null)],
        }).ToArray();
        await log.AppendAsync(drafts[0]);
        await log.AppendAsync(drafts[1]);
        await log.RecordDatasetAsync("set-1", [drafts[1].TurnId]);
        await log.BackupAsync();

        _folder.Time.Advance(TimeSpan.FromDays(29));
        Assert.Equal(new RetentionReport(0, 0, 0, 0, 0, 0), await log.RetainAsync());
        _folder.Time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(new RetentionReport(0, 1, 0, 0, 0, 1), await log.RetainAsync());
        Assert.Equal(2, (await log.ReadAsync(person)).Count);
        Assert.Empty(_folder.FilesWith("medium oldest"));
        Assert.NotEmpty(_folder.FilesWith("medium in a dataset"));
        Assert.True((await log.VerifyAsync()).IsSound);   // expired is not damaged

        _folder.Time.Advance(TimeSpan.FromDays(150));
        Assert.Equal(2, (await log.RetainAsync()).Turns);
        Assert.Empty(await log.ReadAsync(person));
        Assert.Empty(_folder.FilesWith("oldest words"));
        Assert.Equal(0, log.GetStats().MediaFiles);
    }

    [Fact]
    [Trait("Product", "PRI-8")]
    public async Task The_job_runs_a_minute_after_the_start_and_then_daily()
    {
        await using var log = await _folder.OpenAsync();
        var runs = new RunsLogger();
        await using var job = new RetentionJob(log, _folder.Time, runs);
        await job.StartAsync(TestContext.Current.CancellationToken);
        for (var run = 1; run <= 3; run++)
        {
            var done = runs.Next();
            _folder.Time.Advance(run == 1 ? TimeSpan.FromMinutes(1) : TimeSpan.FromDays(1));
            await done.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            await job.Running;
        }

        await job.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, runs.Count);
    }

    private sealed class RunsLogger : ILogger<RetentionJob>
    {
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count { get; private set; }

        public Task Next() => (_next = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Count++;
            _next.TrySetResult();
        }
    }
}
