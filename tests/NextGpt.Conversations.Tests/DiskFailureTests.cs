using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Conversations.Tests.Files;

namespace NextGpt.Conversations.Tests;

/// <summary>DUR-3 and LOG-5: the disk fails, chat goes on, keeping resumes by itself.</summary>
public sealed class DiskFailureTests : IDisposable
{
    private readonly LogFolder _folder = new();
    private readonly FaultyFileLayer _disk = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("full", "disk is full; free 2 GB")]
    [InlineData("read-only", "folder cannot be written")]
    [InlineData("flush", "disk reports an error")]
    [Trait("Product", "DUR-3")]
    [Trait("Product", "LOG-5")]
    public async Task A_failing_disk_is_said_in_words_and_keeping_resumes_by_itself(string fault, string said)
    {
        await using var log = await OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(_folder.Draft(person, "before")));

        Set(fault, on: true);
        var refused = _folder.Draft(person, "refused");
        Assert.Equal(AppendOutcome.StoreUnavailable, await log.AppendAsync(refused));
        Assert.False(log.IsAvailable);
        Assert.Contains(said, log.UnavailableBecause, StringComparison.Ordinal);
        Assert.True(log.GetConsent(person) == ConsentState.None || !log.IsAvailable);
        Assert.Equal(AppendOutcome.StoreUnavailable, await log.AppendAsync(_folder.Draft(person)));

        await PassAsync(log, TimeSpan.FromSeconds(1));   // tried again, in vain
        Assert.False(log.IsAvailable);
        Set(fault, on: false);
        await PassAsync(log, TimeSpan.FromSeconds(1));   // the pause has grown to two seconds
        Assert.False(log.IsAvailable);
        await PassAsync(log, TimeSpan.FromSeconds(1));

        Assert.True(log.IsAvailable);
        Assert.Null(log.UnavailableBecause);
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(refused with { Question = "after" }));
        Assert.Equal(["before", "after"], (await log.ReadAsync(person)).Select(turn => turn.Turn.Question));
        Assert.True((await log.VerifyAsync()).IsSound);
    }

    [Fact]
    [Trait("Product", "DUR-3")]
    public async Task Without_file_handles_at_start_the_log_opens_later_by_itself()
    {
        _disk.CreateFolder("/disk/log");
        _disk.HasNoHandles = true;
        await using var log = await OpenAsync();
        Assert.False(log.IsAvailable);
        Assert.Contains("no file handles left", log.UnavailableBecause, StringComparison.Ordinal);
        var person = log.KeyOf("web", "ana");   // needs no disk
        Assert.Equal(AppendOutcome.StoreUnavailable, await log.AppendAsync(_folder.Draft(person)));

        _disk.HasNoHandles = false;
        await PassAsync(log, TimeSpan.FromSeconds(1));
        Assert.True(log.IsAvailable);
    }

    [Fact]
    [Trait("Product", "PRI-2")]
    public async Task A_withdrawal_on_a_failing_disk_holds_at_once_and_is_written_when_it_works_again()
    {
        await using var log = await OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        await log.AppendAsync(_folder.Draft(person));
        _disk.FailsToFlush = true;
        await Assert.ThrowsAsync<LogUnavailableException>(
            () => log.SetConsentAsync(person, keep: false, train: false, "1"));
        Assert.False(log.GetConsent(person).Keep);

        _disk.FailsToFlush = false;
        await PassAsync(log, TimeSpan.FromSeconds(1));
        await PassAsync(log, TimeSpan.Zero);   // the withdrawal, written after the reopening
        Assert.False(log.GetConsent(person).Keep);
        Assert.Empty(await log.ReadAsync(person));
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(person)));
    }

    [Fact]
    [Trait("Product", "TRN-1")]
    public async Task On_a_failing_disk_messages_are_still_answered_once()
    {
        await using var log = await OpenAsync();
        _disk.FailsToFlush = true;
        Assert.Equal(
            new MessageBegin(MessageBeginOutcome.Started, 1, Durable: false), await log.TryBeginMessageAsync("web:1:0"));
        Assert.Equal(MessageBeginOutcome.InProgress, (await log.TryBeginMessageAsync("web:1:0")).Outcome);
        await log.CompleteMessageAsync("web:1:0", MessageEnd.Answered);
        Assert.Equal(MessageBeginOutcome.Finished, (await log.TryBeginMessageAsync("web:1:0")).Outcome);

        _disk.FailsToFlush = false;
        _folder.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.True((await log.TryBeginMessageAsync("web:2:0")).Durable);
        await log.DisposeAsync();
        await using var again = await OpenAsync();
        Assert.Equal(MessageBeginOutcome.Finished, (await again.TryBeginMessageAsync("web:1:0")).Outcome);
    }

    private void Set(string fault, bool on)
    {
        _disk.SpaceLeft = fault is "full" && on ? 100 : null;
        _disk.IsReadOnly = fault is "read-only" && on;
        _disk.FailsToFlush = fault is "flush" && on;
    }

    private async Task PassAsync(ConversationLog log, TimeSpan time)
    {
        _folder.Time.Advance(time);
        // Goes through the writer's queue behind everything that is in it.
        await Record.ExceptionAsync(() => log.RemoveMessageAsync("web:none:0"));
    }

    private Task<ConversationLog> OpenAsync() => ConversationLog.OpenAsync(
        new() { Folder = "/disk/log", BackupFolder = "/disk/backups" },
        _folder.Time,
        _disk,
        _folder.Root,
        NullLogger.Instance);
}
