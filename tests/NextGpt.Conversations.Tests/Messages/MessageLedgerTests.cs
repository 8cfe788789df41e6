namespace NextGpt.Conversations.Tests.Messages;

public sealed class MessageLedgerTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "TRN-1")]
    public async Task A_message_is_answered_once_across_restarts_without_anybodys_consent()
    {
        await using (var log = await _folder.OpenAsync())
        {
            Assert.Equal(
                new MessageBegin(MessageBeginOutcome.Started, 1, true), await log.TryBeginMessageAsync("discord:77:0"));
            Assert.Equal(MessageBeginOutcome.InProgress, (await log.TryBeginMessageAsync("discord:77:0")).Outcome);
            await log.CompleteMessageAsync("discord:77:0", MessageEnd.Answered);
            Assert.Equal(MessageBeginOutcome.Started, (await log.TryBeginMessageAsync("discord:77:1")).Outcome);
            await log.CompleteMessageAsync("discord:77:1", MessageEnd.Stopped);
        }

        await using var again = await _folder.OpenAsync();
        Assert.Equal(MessageBeginOutcome.Finished, (await again.TryBeginMessageAsync("discord:77:0")).Outcome);
        Assert.Empty(again.ListInterruptedMessages());
        Assert.Empty(_folder.FilesWith("discord:77"));   // of ended messages a keyed hash stays
    }

    [Fact]
    [Trait("Product", "QUE-4")]
    public async Task An_interrupted_message_is_listed_until_its_sender_was_told_and_tried_again_once()
    {
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            await using var log = await _folder.OpenAsync();
            var begin = await log.TryBeginMessageAsync("teams:5:0", "channel 9");
            Assert.Equal((MessageBeginOutcome.Started, attempt), (begin.Outcome, begin.Attempt));
        }

        await using (var log = await _folder.OpenAsync())
        {
            Assert.Equal(
                new InterruptedMessage("teams:5:0", "channel 9", 2, _folder.Time.GetUtcNow()),
                Assert.Single(log.ListInterruptedMessages()));
            Assert.Equal(MessageBeginOutcome.Quarantined, (await log.TryBeginMessageAsync("teams:5:0")).Outcome);
            await log.CompleteMessageAsync("teams:5:0", MessageEnd.LostAndTold);
            Assert.Empty(log.ListInterruptedMessages());
        }

        await using var last = await _folder.OpenAsync();
        Assert.Empty(last.ListInterruptedMessages());
        Assert.Empty(_folder.FilesWith("channel 9"));
    }

    [Fact]
    [Trait("Product", "PRI-8")]
    public async Task Keys_are_forgotten_after_their_time()
    {
        await using var log = await _folder.OpenAsync();
        await log.TryBeginMessageAsync("web:1:0");
        await log.CompleteMessageAsync("web:1:0", MessageEnd.Answered);
        _folder.Time.Advance(TimeSpan.FromDays(8));
        Assert.Equal(1, (await log.RetainAsync()).Messages);
        Assert.Equal(MessageBeginOutcome.Started, (await log.TryBeginMessageAsync("web:1:0")).Outcome);
    }

    [Fact]
    public async Task Many_at_once_begin_exactly_one_time_each()
    {
        await using var log = await _folder.OpenAsync();
        var begins = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            i => Task.Run(() => log.TryBeginMessageAsync($"web:{i % 20}:0"))));
        Assert.Equal(20, begins.Count(begin => begin.Outcome is MessageBeginOutcome.Started));
    }
}
