using NextGpt.Conversations;

namespace NextGpt.Host.Tests;

public sealed class KeptTurnsTests
{
    private static readonly ConversationId Conversation = new("c1");

    [Fact]
    public async Task PRI_1_without_consent_nothing_is_offered_to_the_log()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync("hello");

        Assert.False(Assert.IsType<TurnFinished>(parts[^1]).Kept);
        Assert.Empty(bench.Store.Turns);
        Assert.All(bench.Store.Messages.Keys, key => Assert.DoesNotContain("hello", key, StringComparison.Ordinal));
        Assert.All(bench.Store.Messages.Keys, key => Assert.DoesNotContain("ana", key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_consented_turn_is_kept_with_all_that_belongs_to_it()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        await bench.AskAsync("hello");

        var parts = await bench.AskAsync(bench.Turn("again") with { Settings = new TurnSettings { Seed = 9 } });

        Assert.True(Assert.IsType<TurnFinished>(parts[^1]).Kept);
        var (first, second) = (bench.Store.Turns[0].Turn, bench.Store.Turns[1].Turn);
        Assert.Equal(
            ("again", "re: again", "scripted-1", 9L, "stop", 11, 7, "c1", "test"),
            (second.Question, second.Answer, second.ModelId, second.Seed, second.FinishReason, second.PromptTokens,
                second.ReplyTokens, second.ConversationId, second.Surface));
        Assert.Equal((null, first.TurnId), (first.ParentTurnId, second.ParentTurnId));
        Assert.Equal(Assert.IsType<TurnAccepted>(parts[0]).TurnId, second.TurnId);
    }

    [Fact]
    public async Task PRI_2_consent_is_stored_with_the_version_of_its_text_and_training_needs_keeping()
    {
        await using var bench = new RouterBench().Echoing();

        Assert.False(bench.Kept.GetConsent("test", "ana").Keep);
        var consent = await bench.Kept.SetConsentAsync("test", "ana", keep: true, train: false);

        Assert.Equal((true, false, ConsentText.Version), (consent.Keep, consent.Train, consent.TextVersion));
        await Assert.ThrowsAsync<ArgumentException>(() => bench.Kept.SetConsentAsync("test", "ana", keep: false, train: true));
    }

    [Theory]
    [InlineData(AppendOutcome.StoreUnavailable)]
    [InlineData(AppendOutcome.RedactionFailed)]
    public async Task DEG_1_a_log_that_cannot_keep_changes_nothing_of_the_answer_and_is_said(AppendOutcome outcome)
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        bench.Store.Outcome = outcome;

        var parts = await bench.AskAsync("hello");

        Assert.Equal("re: hello", RouterBench.Text(parts));
        Assert.False(Assert.IsType<TurnFinished>(parts[^1]).Kept);
        Assert.StartsWith("Turns are not being kept: ", Assert.IsType<AnswerNotice>(parts[^2]).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DEG_1_a_log_that_throws_changes_nothing_of_the_answer()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        bench.Store.Failure = new IOException("disk on fire");

        var parts = await bench.AskAsync("hello");

        Assert.Equal("re: hello", RouterBench.Text(parts));
        Assert.False(Assert.IsType<TurnFinished>(parts[^1]).Kept);
    }

    [Fact]
    public async Task A_vote_is_kept_with_a_kept_turn_counted_for_another_and_refused_for_a_strangers()
    {
        await using var bench = new RouterBench().Echoing();
        var unkept = Assert.IsType<TurnAccepted>((await bench.AskAsync("one"))[0]).TurnId;
        bench.Store.Allow("test", "ana");
        var kept = Assert.IsType<TurnAccepted>((await bench.AskAsync("two"))[0]).TurnId;

        Assert.Equal(VoteOutcome.Counted, await bench.Kept.RateAsync("test", "ana", unkept, TurnVote.Good));
        Assert.Equal(VoteOutcome.Kept, await bench.Kept.RateAsync("test", "ana", kept, TurnVote.Bad, "wrong", "right"));
        Assert.Equal(VoteOutcome.NoSuchTurn, await bench.Kept.RateAsync("test", "bo", kept, TurnVote.Bad));
        Assert.Equal(("wrong", "right"), (bench.Store.Turns[0].VoteReason, bench.Store.Turns[0].Correction));
    }

    [Fact]
    public async Task TRN_5_a_removed_turn_is_gone_from_memory_and_log_and_the_next_answer_does_not_know_it()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        await bench.AskAsync("one");
        var two = Assert.IsType<TurnAccepted>((await bench.AskAsync("two"))[0]).TurnId;
        await bench.AskAsync("three");

        Assert.False(await bench.Kept.RemoveTurnAsync("test", "bo", two));
        Assert.True(await bench.Kept.RemoveTurnAsync("test", "ana", two));
        Assert.False(await bench.Kept.RemoveTurnAsync("test", "ana", two));
        await bench.AskAsync("four");

        Assert.DoesNotContain(bench.Store.Turns, turn => turn.Turn.TurnId == two);
        Assert.Equal(
            ["one", "re: one", "three", "re: three", "four"],
            bench.Client.Calls[^1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task PRI_4_erasure_stops_what_runs_and_forgets_everything_of_the_person_and_of_nobody_else()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        bench.Store.Allow("test", "bo");
        await bench.AskAsync("mine");
        await bench.AskAsync("theirs", "bo", "c2");
        bench.Client.Rule = null;
        var running = bench.AskAsync("running");
        var call = await bench.Client.NextCallAsync();
        while (call.Question != "running")
        {
            call = await bench.Client.NextCallAsync();
        }

        Assert.Equal(1, await bench.Kept.EraseAsync("test", "ana"));

        await running;
        Assert.True(call.Stopped.IsCancellationRequested);
        Assert.Equal("theirs", Assert.Single(bench.Store.Turns).Turn.Question);
        Assert.Empty(await bench.Shelf.ReadAsync("test", "ana", Conversation));
    }

    [Fact]
    public async Task A_kept_conversation_goes_on_after_a_restart_and_one_that_is_not_kept_does_not()
    {
        var store = new ScriptedTurnStore();
        store.Allow("test", "ana");
        await using (var before = new RouterBench(store: store).Echoing())
        {
            await before.AskAsync("one");
            await before.AskAsync("unkept", "bo", "c2");
        }

        await using var after = new RouterBench(store: store).Echoing();
        var parts = await after.AskAsync(after.Turn("two") with { MessageId = "new" });
        await after.AskAsync(after.Turn("more", "bo", "c2") with { MessageId = "new" });

        Assert.Equal(["one", "re: one", "two"], after.Client.Calls[0].Messages.Select(message => message.Text));
        Assert.Empty(parts.OfType<AnswerNotice>());   // that an AI answers was said at its beginning
        Assert.Equal(["more"], after.Client.Calls[1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task TRN_1_a_message_answered_by_an_earlier_process_is_not_answered_again()
    {
        var store = new ScriptedTurnStore();
        IncomingTurn turn;
        await using (var before = new RouterBench(store: store).Echoing())
        {
            turn = before.Turn("one");
            await before.AskAsync(turn);
        }

        await using var after = new RouterBench(store: store).Echoing();
        var parts = await after.AskAsync(turn);

        Assert.Contains("answered already", Assert.IsType<TurnFailed>(parts[^1]).Error.Sentence, StringComparison.Ordinal);
        Assert.Empty(after.Client.Calls);
    }

    [Fact]
    public async Task QUE_5_whoever_lost_a_turn_in_a_restart_is_told_once()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Interrupted.Add((bench.Store.KeyOf("test", "ana"), "lost"));

        var other = await bench.AskAsync("hi", "bo", "c2");
        var first = await bench.AskAsync("hi");
        var second = await bench.AskAsync("hi again");

        Assert.DoesNotContain(Notices(other), Lost);
        Assert.Contains(Notices(first), Lost);
        Assert.DoesNotContain(Notices(second), Lost);
        Assert.Equal(MessageEnd.LostAndTold, bench.Store.Messages["lost"]);

        static IEnumerable<string> Notices(IEnumerable<ReplyPart> parts) =>
            parts.OfType<AnswerNotice>().Select(notice => notice.Text);
        static bool Lost(string text) => text.Contains("lost when the program ended", StringComparison.Ordinal);
    }

    [Fact]
    public async Task QUE_5_an_interrupted_turn_stays_open_in_the_ledger_and_every_other_end_is_written()
    {
        var bench = new RouterBench().Echoing();
        await bench.AskAsync("answered");
        bench.Client.Rule = null;
        var working = bench.AskAsync("interrupted", "bo", "c2");
        await bench.Client.NextCallAsync();
        await bench.Client.NextCallAsync();

        await bench.DisposeAsync();

        Assert.IsType<TurnFailed>((await working)[^1]);
        Assert.Equal([MessageEnd.Answered, null], bench.Store.Messages.Values);
    }

    [Fact]
    public async Task Conversations_are_listed_named_and_removed_by_their_person_only()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync("What is\na cat?");
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.AskAsync(new string('x', 200), conversation: "c2");

        var list = await bench.Shelf.ListAsync("test", "ana");
        Assert.Equal(["c2", "c1"], list.Select(summary => summary.Id.Value));
        Assert.Equal("What is a cat?", list[1].Title);
        Assert.Equal(80, list[0].Title.Length);
        Assert.Equal(NameOutcome.NoSuchConversation, await bench.Shelf.RenameAsync("test", "bo", Conversation, "mine now"));
        Assert.Equal(NameOutcome.Remembered, await bench.Shelf.RenameAsync("test", "ana", Conversation, "Cats\u001b"));
        Assert.Equal("Cats", (await bench.Shelf.ListAsync("test", "ana"))[1].Title);
        Assert.False(await bench.Shelf.RemoveAsync("test", "bo", Conversation));
        Assert.True(await bench.Shelf.RemoveAsync("test", "ana", Conversation));
        Assert.Single(await bench.Shelf.ListAsync("test", "ana"));
        Assert.Empty(await bench.Shelf.ListAsync("test", "bo"));
    }

    [Fact]
    public async Task PRI_1_a_name_is_kept_with_consent_alone_and_then_comes_back_from_the_log()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync("What is a cat?");
        Assert.Equal(NameOutcome.Remembered, await bench.Shelf.RenameAsync("test", "ana", Conversation, "Cats"));
        Assert.Empty(bench.Store.Names);

        bench.Store.Allow("test", "ana");
        await bench.AskAsync("What is a dog?");   // the first kept turn brings the name along
        Assert.Equal("Cats", Assert.Single(bench.Store.Names.Values));
        Assert.Equal(NameOutcome.Kept, await bench.Shelf.RenameAsync("test", "ana", Conversation, "Cats and dogs"));

        await using (var restarted = new RouterBench(store: bench.Store))
        {
            Assert.Equal("Cats and dogs", Assert.Single(await restarted.Shelf.ListAsync("test", "ana")).Title);
            Assert.Equal(NameOutcome.Kept, await restarted.Shelf.RenameAsync("test", "ana", Conversation, " "));
            Assert.Equal("What is a dog?", Assert.Single(await restarted.Shelf.ListAsync("test", "ana")).Title);
        }

        Assert.Empty(bench.Store.Names);
        bench.Store.UnavailableBecause = "the disk is full.";
        Assert.Equal(NameOutcome.Remembered, await bench.Shelf.RenameAsync("test", "ana", Conversation, "Later"));
        Assert.Empty(bench.Store.Names);
    }

    [Fact]
    public void PRI_2_the_text_names_the_days_of_the_settings_and_other_days_are_another_text()
    {
        Assert.Contains("for up to 90 days", ConsentText.KeepFor(90), StringComparison.Ordinal);
        Assert.Equal((ConsentText.Version, "2026-1-90d"), (ConsentText.VersionFor(180), ConsentText.VersionFor(90)));
    }

    [Fact]
    public async Task PRI_7_a_child_is_told_that_nothing_is_kept_and_memory_knows_it()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        await bench.AskAsync("What is a heron?");
        bench.Store.Outcome = AppendOutcome.UnderAge;

        var parts = await bench.AskAsync("I am 11 years old.");

        Assert.Contains(parts.OfType<AnswerNotice>(), notice => notice.Text.StartsWith("Children are not kept:", StringComparison.Ordinal));
        Assert.All(
            await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"), TestContext.Current.CancellationToken),
            turn => Assert.False(turn.Kept));
    }

    [Fact]
    public async Task TRN_5_a_message_or_a_place_leads_to_the_kept_turn_and_takes_it_along_from_log_and_memory()
    {
        var (question, place) = (new TurnLink(TurnLinkKind.Question, "m1"), new TurnLink(TurnLinkKind.Place, "server"));
        await using var bench = new RouterBench().Echoing();
        bench.Store.Allow("test", "ana");
        var turn = Assert.IsType<TurnAccepted>((await bench.AskAsync(bench.Turn("hello") with { Links = [question, place] }))[0]).TurnId;

        Assert.True(await bench.Kept.LinkAnswersAsync("test", "ana", turn, ["a1", "a2"]));
        Assert.False(await bench.Kept.LinkAnswersAsync("test", "bo", turn, ["a3"]));

        foreach (var link in (TurnLink[])[question, place, new(TurnLinkKind.Answer, "a2")])
        {
            Assert.Equal(new LinkedTurn(turn, Conversation), Assert.Single(bench.Kept.FindLinked("test", link)));
        }

        Assert.Equal(VoteOutcome.Kept, await bench.Kept.RateAsync("test", "ana", turn, TurnVote.Good));
        Assert.Equal((TurnVote.Good, TurnVote.None), (bench.Kept.VoteOf("test", "ana", turn), bench.Kept.VoteOf("test", "bo", turn)));
        Assert.Equal(1, await bench.Kept.RemoveLinkedAsync("test", place));
        Assert.Equal(0, await bench.Kept.RemoveLinkedAsync("test", question));
        Assert.Empty(bench.Store.Turns);
        await bench.AskAsync("again");
        Assert.DoesNotContain(bench.Client.Calls[^1].Messages, message => message.Text == "hello");
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    public async Task THR_4_in_a_group_only_a_conversation_of_ones_own_is_remembered_again_from_the_log(bool isOnesOwn, int messages)
    {
        await using var before = new RouterBench().Echoing();
        before.Store.Allow("test", "ana");
        await before.AskAsync(before.Turn("hello") with { GroupId = "server", IsOnesOwn = isOnesOwn });
        await using var after = new RouterBench().Echoing();   // as after a restart: the log alone is left
        after.Store.Allow("test", "ana");
        after.Store.Turns.AddRange(before.Store.Turns);

        await after.AskAsync(after.Turn("again") with { GroupId = "server", IsOnesOwn = isOnesOwn });

        Assert.Equal(messages, after.Client.Calls[^1].Messages.Count(message => message.Role != Microsoft.Extensions.AI.ChatRole.System));
    }
}
