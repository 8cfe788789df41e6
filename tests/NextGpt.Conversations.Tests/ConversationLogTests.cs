namespace NextGpt.Conversations.Tests;

public sealed class ConversationLogTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "LOG-1")]
    public async Task A_kept_turn_reads_back_whole_after_closing_and_opening()
    {
        TurnDraft draft;
        await using (var log = await _folder.OpenAsync())
        {
            var person = log.KeyOf("web", "ana");
            await log.SetConsentAsync(person, keep: true, train: false, "2025-06");
            draft = _folder.Draft(person, "Grüße, what is 鶴?", "A crane 🐦 – a wading bird.");
            Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(draft));
        }

        await using var again = await _folder.OpenAsync();
        var read = Assert.Single(await again.ReadAsync(draft.Person));
        Assert.Equal(draft with { Media = [] }, read.Turn with { Media = draft.Media });
        Assert.False(read.Trainable);
        Assert.Equal("2025-06", again.GetConsent(draft.Person).TextVersion);
        Assert.Equal(0, again.GetStats().IndexRebuilds);   // closed in order: the index is taken as it is
    }

    [Fact]
    [Trait("Product", "PRI-2")]
    public async Task Silence_is_no_and_consent_is_looked_at_in_that_moment()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        Assert.Equal(ConsentState.None, log.GetConsent(person));
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(person)));

        await log.SetConsentAsync(person, keep: true, train: true, "1");
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(_folder.Draft(person)));
        Assert.True(Assert.Single(await log.ReadAsync(person)).Trainable);

        await log.SetConsentAsync(person, keep: false, train: false, "1");
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(person)));
        Assert.Empty(await log.ReadAsync(person));   // withdrawal is one step and removes earlier records
        Assert.Equal(_folder.Time.GetUtcNow(), log.GetConsent(person).Since);
    }

    [Fact]
    [Trait("Product", "PRI-2")]
    public async Task Training_without_keeping_is_impossible()
    {
        await using var log = await _folder.OpenAsync();
        var failure = await Assert.ThrowsAsync<ArgumentException>(
            () => log.SetConsentAsync(log.KeyOf("web", "ana"), keep: false, train: true, "1"));
        Assert.Contains("switch keeping on or training off", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Product", "PRI-2")]
    public async Task Withdrawing_training_leaves_turns_kept_and_a_later_yes_covers_only_later_turns()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        await log.AppendAsync(_folder.Draft(person));
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        Assert.False(Assert.Single(await log.ReadAsync(person)).Trainable);

        await log.SetConsentAsync(person, keep: true, train: true, "1");
        await log.AppendAsync(_folder.Draft(person));
        Assert.Equal([false, true], (await log.ReadAsync(person)).Select(turn => turn.Trainable));
        Assert.Single(await log.ReadTrainableAsync());
    }

    [Fact]
    [Trait("Product", "PRI-2")]
    public async Task A_new_consent_text_asks_again()
    {
        var person = await _folder.FillAsync(1);
        await using var log = await _folder.OpenAsync(
            new() { Folder = _folder.Folder, BackupFolder = _folder.Backups, ConsentTextVersion = "2" });
        Assert.True(log.GetConsent(person) is { Keep: false, NeedsRenewal: true });
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(person)));

        await log.SetConsentAsync(person, keep: true, train: false, "2");
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(_folder.Draft(person)));
        Assert.Equal(2, (await log.ReadAsync(person)).Count);
    }

    [Fact]
    [Trait("Product", "TRN-1")]
    public async Task The_same_message_is_kept_once_also_in_one_flush_and_after_a_restart()
    {
        TurnDraft draft;
        await using (var log = await _folder.OpenAsync())
        {
            var person = log.KeyOf("web", "ana");
            await log.SetConsentAsync(person, keep: true, train: false, "1");
            draft = _folder.Draft(person);
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(
                _ => Task.Run(() => log.AppendAsync(draft with { TurnId = Guid.NewGuid().ToString("N") }))));
            Assert.Equal(1, outcomes.Count(outcome => outcome is AppendOutcome.Kept));
            Assert.Equal(19, outcomes.Count(outcome => outcome is AppendOutcome.Duplicate));
        }

        await using var again = await _folder.OpenAsync();
        Assert.Equal(
            AppendOutcome.Duplicate, await again.AppendAsync(draft with { TurnId = Guid.NewGuid().ToString("N") }));
    }

    [Fact]
    [Trait("Product", "CON-3")]
    public async Task A_vote_counts_for_ones_own_turn_only_and_repeating_overwrites_every_byte_of_it()
    {
        await using var log = await _folder.OpenAsync();
        var (ana, bob) = (log.KeyOf("web", "ana"), log.KeyOf("web", "bob"));
        await log.SetConsentAsync(ana, keep: true, train: false, "1");
        var draft = _folder.Draft(ana);
        await log.AppendAsync(draft);

        Assert.False(await log.RateAsync(bob, draft.TurnId, TurnVote.Bad, null, null));
        Assert.False(await log.RateAsync(ana, "nonsense", TurnVote.Bad, null, null));
        Assert.True(await log.RateAsync(ana, draft.TurnId, TurnVote.Bad, "zanzibarish reason", "A heron, ana@example.org"));
        Assert.NotEmpty(_folder.FilesWith("zanzibarish"));
        Assert.True(await log.RateAsync(ana, draft.TurnId, TurnVote.Good, null, null));

        var read = Assert.Single(await log.ReadAsync(ana));
        Assert.Equal((TurnVote.Good, null, null), (read.Vote, read.VoteReason, read.Correction));
        Assert.Empty(_folder.FilesWith("zanzibarish"));
        Assert.Empty(_folder.FilesWith("ana@example.org"));
    }

    [Fact]
    [Trait("Product", "TRN-5")]
    public async Task A_deleted_question_removes_its_turn_and_nobody_elses()
    {
        await using var log = await _folder.OpenAsync();
        var (ana, bob) = (log.KeyOf("web", "ana"), log.KeyOf("web", "bob"));
        await log.SetConsentAsync(ana, keep: true, train: false, "1");
        await log.SetConsentAsync(bob, keep: true, train: false, "1");
        var (first, second, third) = (
            _folder.Draft(ana, "gargoyles"), _folder.Draft(ana, "minarets"), _folder.Draft(bob, "obelisks"));
        foreach (var draft in new[] { first, second, third })
        {
            await log.AppendAsync(draft);
        }

        Assert.True(await log.RemoveMessageAsync(first.MessageKey));
        Assert.False(await log.RemoveMessageAsync(first.MessageKey));
        Assert.False(await log.RemoveTurnAsync(ana, third.TurnId));
        Assert.True(await log.RemoveTurnAsync(bob, third.TurnId));
        Assert.Equal(second.TurnId, Assert.Single(await log.ReadAsync(ana)).Turn.TurnId);
        Assert.Empty(_folder.FilesWith("gargoyles"));
        Assert.Empty(_folder.FilesWith("obelisks"));
        Assert.NotEmpty(_folder.FilesWith("minarets"));
    }

    [Fact]
    [Trait("Product", "WEB-2")]
    public async Task Turns_come_in_pages_newest_first_and_conversations_in_a_list()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        for (var i = 0; i < 7; i++)
        {
            _folder.Time.Advance(TimeSpan.FromMinutes(1));
            await log.AppendAsync(_folder.Draft(person, $"question {i}") with { ConversationId = $"c:{i % 2}" });
        }

        var page = await log.ReadPageAsync(person, most: 3);
        Assert.Equal(["question 6", "question 5", "question 4"], page.Select(turn => turn.Turn.Question));
        page = await log.ReadPageAsync(person, page[^1].Sequence, most: 10);
        Assert.Equal(["question 3", "question 2", "question 1", "question 0"], page.Select(turn => turn.Turn.Question));

        var conversations = await log.ListConversationsAsync(person);
        Assert.Equal(["c:0", "c:1"], conversations.Select(conversation => conversation.ConversationId));
        Assert.Equal([4, 3], conversations.Select(conversation => conversation.Turns));
        Assert.Equal(3, (await log.ReadConversationAsync(person, "c:1")).Count);
        Assert.Equal(4, await log.RemoveConversationAsync(person, "c:0"));
        Assert.Equal(3, (await log.ReadAsync(person)).Count);
    }

    [Fact]
    [Trait("Product", "PRI-9")]
    public async Task A_person_key_is_a_keyed_hash_that_differs_per_surface_and_per_log()
    {
        using var other = new LogFolder();
        await using var log = await _folder.OpenAsync();
        await using var elsewhere = await other.OpenAsync();
        var key = log.KeyOf("discord", "1234567890");
        Assert.Matches("^[0-9a-f]{32}$", key.Value);
        Assert.Equal(key, log.KeyOf("discord", "1234567890"));
        Assert.NotEqual(key, log.KeyOf("teams", "1234567890"));
        Assert.NotEqual(key, elsewhere.KeyOf("discord", "1234567890"));
        Assert.NotEqual(log.KeyOf("ab", "c"), log.KeyOf("a", "bc"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_folder.Folder, "person.key")));
        }
    }

    [Fact]
    [Trait("Product", "THR-11")]
    public async Task A_key_file_that_others_can_read_is_refused_in_words()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }

        await _folder.FillAsync(1);
        File.SetUnixFileMode(
            Path.Combine(_folder.Folder, "person.key"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => _folder.OpenAsync());
        Assert.Contains("chmod 600", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short", "console:1:0", "c", "TurnId")]
    [InlineData("0123456789abcdef0123456789abcdef", "", "c", "MessageKey")]
    [InlineData("0123456789abcdef0123456789abcdef", "console:1:0", "c\u0001", "ConversationId")]
    public async Task A_malformed_id_is_the_callers_mistake_and_named(
        string turnId, string messageKey, string conversationId, string named)
    {
        await using var log = await _folder.OpenAsync();
        var draft = _folder.Draft(log.KeyOf("web", "ana")) with
        {
            TurnId = turnId,
            MessageKey = messageKey,
            ConversationId = conversationId,
        };
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => log.AppendAsync(draft));
        Assert.StartsWith(named, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Product", "PRI-5")]
    public async Task Lineage_leads_from_person_to_turn_to_dataset_and_erasure_names_the_datasets()
    {
        var person = await _folder.FillAsync(2);
        await using var log = await _folder.OpenAsync();
        var turns = await log.ReadAsync(person);
        await log.RecordDatasetAsync("set-3", [turns[0].Turn.TurnId]);
        Assert.Equal(["set-3"], (await log.ReadAsync(person))[0].Datasets);

        var report = await log.ErasePersonAsync(person);
        Assert.Equal((2, "set-3"), (report.Turns, Assert.Single(report.Datasets)));
    }

    [Fact]
    [Trait("Product", "DUR-4")]
    public async Task A_clock_that_steps_back_changes_neither_order_nor_what_an_erasure_covers()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        var later = _folder.Time.GetUtcNow().AddHours(3);
        await log.AppendAsync(_folder.Draft(person, "first") with { AskedAt = later.ToOffset(TimeSpan.FromHours(2)) });
        await log.AppendAsync(_folder.Draft(person, "second"));

        var turns = await log.ReadAsync(person);
        Assert.Equal(["first", "second"], turns.Select(turn => turn.Turn.Question));
        Assert.Equal((later, TimeSpan.Zero), (turns[0].Turn.AskedAt, turns[0].Turn.AskedAt.Offset));
        Assert.Equal(2, await log.EraseAsync(person));
    }
}
