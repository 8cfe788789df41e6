using System.Text;

namespace NextGpt.Conversations.Tests;

public sealed class BackupTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "LOG-7")]
    [Trait("Product", "DUR-5")]
    public async Task A_backup_made_under_load_restores_every_turn_up_to_the_sequence_it_names()
    {
        BackupReport backup;
        PersonKey person;
        Dictionary<long, string> kept;
        await using (var log = await _folder.OpenAsync())
        {
            person = log.KeyOf("web", "ana");
            await log.SetConsentAsync(person, keep: true, train: false, "1");
            async Task LoadAsync(string name)
            {
                for (var i = 0; i < 100; i++)
                {
                    await log.AppendAsync(_folder.Draft(person, $"{name} {i}") with
                    {
                        MessageKey = $"{name}{i}",
                        Media = i % 20 == 0 ? [new(true, "image/png", Encoding.ASCII.GetBytes(name + i), null)] : [],
                    });
                }
            }

            var load = new[] { Task.Run(() => LoadAsync("first")), Task.Run(() => LoadAsync("second")) };
            backup = await log.BackupAsync();
            await Task.WhenAll(load);
            kept = (await log.ReadAsync(person)).ToDictionary(turn => turn.Sequence, turn => turn.Turn.Question);
            Assert.Equal(200, kept.Count);
        }

        Directory.Delete(_folder.Folder, recursive: true);
        var report = await ConversationLog.RestoreAsync(_folder.Options, backup.Folder, _folder.Time);
        Assert.Equal((backup.Sequence, backup.Turns, 0), (report.Sequence, report.Turns, report.Reapplied));
        await using var restored = await _folder.OpenAsync();
        var read = (await restored.ReadAsync(person)).ToDictionary(turn => turn.Sequence, turn => turn.Turn.Question);
        Assert.Equal(kept.Where(pair => pair.Key <= backup.Sequence).Order(), read.Order());
        Assert.Equal(person, restored.KeyOf("web", "ana"));   // the key came along
        Assert.True((await restored.VerifyAsync()).IsSound);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Product", "PRI-4")]
    [Trait("Product", "LOG-7")]
    public async Task What_was_taken_back_after_a_backup_stays_taken_back_after_its_restore(bool logIsLost)
    {
        string backup;
        PersonKey ana, bob, cleo, dan;
        TurnDraft removed;
        await using (var log = await _folder.OpenAsync())
        {
            (ana, bob, cleo, dan) = (log.KeyOf("w", "ana"), log.KeyOf("w", "bob"), log.KeyOf("w", "cleo"), log.KeyOf("w", "dan"));
            foreach (var person in new[] { ana, bob, cleo, dan })
            {
                await log.SetConsentAsync(person, keep: true, train: true, "1");
                await log.AppendAsync(_folder.Draft(person, "words of everybody"));
            }

            removed = _folder.Draft(dan, "removed later");
            await log.AppendAsync(removed);
            backup = (await log.BackupAsync()).Folder;

            await log.EraseAsync(ana);
            await log.SetConsentAsync(bob, keep: false, train: false, "1");
            await log.SetConsentAsync(cleo, keep: true, train: false, "1");
            await log.RemoveTurnAsync(dan, removed.TurnId);
        }

        if (logIsLost)
        {
            Directory.Delete(_folder.Folder, recursive: true);
        }

        var report = await ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time);
        Assert.Equal((4, 3), (report.Reapplied, report.TurnsErasedAgain));
        await using var restored = await _folder.OpenAsync();
        Assert.True((await restored.VerifyAsync()).IsSound);   // the replaced log's longer journal vouches for nothing here
        Assert.Empty(await restored.ReadAsync(ana));
        Assert.False(restored.GetConsent(ana).Keep);
        Assert.Empty(await restored.ReadAsync(bob));
        Assert.False(restored.GetConsent(bob).Keep);
        Assert.False(Assert.Single(await restored.ReadAsync(cleo)).Trainable);
        Assert.Equal("words of everybody", Assert.Single(await restored.ReadAsync(dan)).Turn.Question);
        Assert.All(_folder.FilesWith("removed later"), path => Assert.StartsWith(_folder.Backups, path, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public async Task A_damaged_foreign_or_newer_backup_is_refused_in_words_and_the_log_stays()
    {
        var person = await _folder.FillAsync(3);
        string backup;
        await using (var log = await _folder.OpenAsync())
        {
            backup = (await log.BackupAsync()).Folder;
            await Assert.ThrowsAsync<InvalidOperationException>(() => log.BackupAsync(backup));
            await Assert.ThrowsAsync<LogLockedException>(
                () => ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time));
        }

        var manifest = Path.Combine(backup, "backup.json");
        var text = File.ReadAllText(manifest);
        var journal = Directory.GetFiles(Path.Combine(backup, "journal"))[0];
        var bytes = File.ReadAllBytes(journal);
        bytes[^1] ^= 1;

        await RefusedAsync<InvalidDataException>("is damaged", () => File.WriteAllBytes(journal, bytes));
        bytes[^1] ^= 1;
        File.WriteAllBytes(journal, bytes);
        await RefusedAsync<InvalidDataException>(
            "outside of it", () => File.WriteAllText(manifest, text.Replace("journal/", "../log/", StringComparison.Ordinal)));
        await RefusedAsync<InvalidDataException>("is damaged", () => File.WriteAllText(manifest, text[..^5]));
        await RefusedAsync<LogTooNewException>(
            "schema version 9",
            () => File.WriteAllText(manifest, text.Replace("\"schema\":1", "\"schema\":9", StringComparison.Ordinal)));
        await RefusedAsync<InvalidDataException>("not a finished backup", () => File.Delete(manifest));

        await using var after = await _folder.OpenAsync();
        Assert.Equal(3, (await after.ReadAsync(person)).Count);

        async Task RefusedAsync<T>(string said, Action spoil)
            where T : Exception
        {
            spoil();
            var failure = await Assert.ThrowsAsync<T>(
                () => ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time));
            Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public async Task Compaction_frees_what_was_erased_keeps_the_rest_and_names_what_was_lost()
    {
        var ana = await _folder.FillAsync(200);
        var bob = await _folder.FillAsync(5, "bob");
        await using (var log = await _folder.OpenAsync())
        {
            await log.RateAsync(bob, (await log.ReadAsync(bob))[0].Turn.TurnId, TurnVote.Good, "fine", null);
            await log.EraseAsync(ana);
        }

        var journal = Directory.GetFiles(Path.Combine(_folder.Folder, "journal-0001")).Single();
        var bytes = File.ReadAllBytes(journal);
        bytes[bytes.AsSpan().LastIndexOf("question number 3"u8)] ^= 1;   // a turn of bob's
        File.WriteAllBytes(journal, bytes);

        await using var damaged = await _folder.OpenAsync();
        var before = await damaged.VerifyAsync();
        Assert.Single(before.Damaged);
        Assert.False(before.IsSound);

        var report = await damaged.CompactAsync();
        Assert.Equal(1, report.LostRecords);
        Assert.True(report.BytesAfter * 4 < report.BytesBefore);
        var after = await damaged.VerifyAsync();
        Assert.Equal((true, 1), (after.IsSound, after.LostEarlier));
        var turns = await damaged.ReadAsync(bob);
        Assert.Equal(4, turns.Count);
        Assert.Equal((TurnVote.Good, "fine"), (turns[0].Vote, turns[0].VoteReason));
        Assert.Equal(AppendOutcome.Kept, await damaged.AppendAsync(_folder.Draft(bob) with { MessageKey = "new" }));
    }

    [Fact]
    [Trait("Product", "LOG-3")]
    [Trait("Product", "LOG-7")]
    public async Task Media_of_turns_that_were_under_way_survive_a_compaction()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        for (var round = 0; round < 10; round++)
        {
            var name = $"round {round}";
            var load = Enumerable.Range(0, 16).Select(i => Task.Run(() => log.AppendAsync(_folder.Draft(person) with
            {
                MessageKey = $"{name}/{i}",
                Media = [new(true, "image/png", Encoding.ASCII.GetBytes($"{name} medium {i}"), null)],
            }))).ToArray();
            await log.CompactAsync();
            Assert.All(await Task.WhenAll(load), outcome => Assert.Equal(AppendOutcome.Kept, outcome));
        }

        var report = await log.VerifyAsync();
        Assert.Empty(report.DamagedMedia);
        Assert.Equal(160, log.GetStats().MediaFiles);
    }

    [Fact]
    [Trait("Product", "LOG-6")]
    public async Task Verify_names_a_turn_that_was_damaged_while_the_log_was_open()
    {
        await _folder.FillAsync(3);
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("console", "ana");
        var turns = await log.ReadAsync(person);
        var journal = Directory.GetFiles(Path.Combine(_folder.Folder, "journal-0001")).Single();
        using (var stream = new FileStream(journal, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            stream.Position = bytes.AsSpan().IndexOf("question number 1"u8);
            stream.WriteByte((byte)'Q');
        }

        var report = await log.VerifyAsync();
        Assert.Equal(turns[1].Turn.TurnId, Assert.Single(report.Damaged).TurnId);
        Assert.Equal(2, (await log.ReadAsync(person)).Count);   // a damaged record is left out
        Assert.Equal(2, (await log.ReadTrainableAsync()).Count);   // and never reaches a dataset
    }
}
