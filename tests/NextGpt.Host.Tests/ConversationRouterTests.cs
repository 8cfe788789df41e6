using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace NextGpt.Host.Tests;

public sealed class ConversationRouterTests
{
    [Fact]
    public async Task TRN_1_a_turn_is_accepted_started_answered_and_finished_in_this_order()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync("hello");

        Assert.IsType<TurnAccepted>(parts[0]);
        Assert.IsType<TurnStarted>(parts[1]);
        Assert.Equal("re: hello", RouterBench.Text(parts));
        var end = Assert.IsType<TurnFinished>(parts[^1]);
        Assert.Equal(("stop", 11, 7, false), (end.FinishReason, end.PromptTokens, end.ReplyTokens, end.Kept));
    }

    [Fact]
    public async Task TRN_1_a_turn_is_accepted_before_the_model_says_anything()
    {
        await using var bench = new RouterBench();

        await using var parts = bench.Router.AskAsync(bench.Turn("hello")).GetAsyncEnumerator();

        Assert.True(await parts.MoveNextAsync());
        Assert.IsType<TurnAccepted>(parts.Current);
    }

    [Fact]
    public async Task TRN_1_a_message_that_arrives_twice_is_answered_once()
    {
        await using var bench = new RouterBench();
        var turn = bench.Turn("hello");

        var first = bench.AskAsync(turn);
        var call = await bench.Client.NextCallAsync();
        var second = bench.AskAsync(turn);
        call.Say("once").End();

        Assert.Single(bench.Client.Calls);
        Assert.Equal("once", RouterBench.Text(await first));
        var repeated = await second;
        Assert.Equal("once", RouterBench.Text(repeated));
        Assert.True(Assert.IsType<TurnAccepted>(repeated[0]).IsRepeat);
        Assert.False(Assert.IsType<TurnAccepted>((await first)[0]).IsRepeat);
    }

    [Fact]
    public async Task TRN_1_a_message_that_arrives_again_after_its_answer_was_forgotten_is_not_answered_again()
    {
        await using var bench = new RouterBench().Echoing();
        var turn = bench.Turn("hello");
        await bench.AskAsync(turn);

        bench.Time.Advance(TimeSpan.FromMinutes(15));
        var parts = await bench.AskAsync(turn);

        Assert.Single(bench.Client.Calls);
        Assert.Equal("invalid_request", Assert.IsType<TurnFailed>(Assert.Single(parts)).Error.Code);
    }

    [Fact]
    public async Task TRN_1_the_same_message_id_of_another_person_is_another_message()
    {
        await using var bench = new RouterBench().Echoing();
        var turn = bench.Turn("hello");

        await bench.AskAsync(turn);
        await bench.AskAsync(turn with { PersonId = "bo", Text = "other" });

        Assert.Equal(2, bench.Client.Calls.Count);
    }

    [Fact]
    public async Task TRN_2_turns_of_one_conversation_are_answered_in_order_and_see_each_other()
    {
        await using var bench = new RouterBench(new TurnOptions { MaxWorking = 4 });

        var first = bench.AskAsync("one");
        var second = bench.AskAsync("two");
        var call = await bench.Client.NextCallAsync();
        Assert.Equal("one", call.Question);
        Assert.Single(bench.Client.Calls);   // the second does not begin before the first has ended
        call.Say("1").End();
        var next = await bench.Client.NextCallAsync();
        next.Say("2").End();
        await Task.WhenAll(first, second);

        Assert.Equal(["one", "1", "two"], next.Messages.Select(message => message.Text));
        Assert.Equal(
            [ChatRole.User, ChatRole.Assistant, ChatRole.User], next.Messages.Select(message => message.Role));
    }

    [Fact]
    public async Task TRN_2_a_slow_conversation_does_not_hold_up_another_where_the_model_has_room()
    {
        await using var bench = new RouterBench(new TurnOptions { MaxWorking = 2 });

        var slow = bench.AskAsync("slow", "ana", "c1");
        var slowCall = await bench.Client.NextCallAsync();
        var quick = bench.AskAsync("quick", "bo", "c2");
        (await bench.Client.NextCallAsync()).Say("done").End();

        Assert.Equal("done", RouterBench.Text(await quick));
        slowCall.End();
        await slow;
    }

    [Fact]
    public async Task TRN_3_stop_ends_the_work_at_once_and_what_exists_is_remembered()
    {
        await using var bench = new RouterBench();
        await using var parts = bench.Router.AskAsync(bench.Turn("long story")).GetAsyncEnumerator();
        await parts.MoveNextAsync();
        var turnId = Assert.IsType<TurnAccepted>(parts.Current).TurnId;
        var call = await bench.Client.NextCallAsync();
        call.Say("Once upon");
        while (parts.Current is not AnswerText)
        {
            await parts.MoveNextAsync();
        }

        Assert.False(bench.Router.Stop(turnId, "test", "bo"));   // not theirs
        Assert.True(bench.Router.Stop(turnId, "test", "ana"));
        Assert.Equal("cancelled", Assert.IsType<TurnFinished>(await LastAsync(parts)).FinishReason);
        Assert.True(call.Stopped.IsCancellationRequested);
        Assert.False(bench.Router.Stop(turnId, "test", "ana"));   // over
        bench.Echoing();
        await bench.AskAsync("go on");
        Assert.Equal(["long story", "Once upon", "go on"], bench.Client.Calls[^1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task TRN_3_stopping_a_waiting_turn_frees_its_place_at_once()
    {
        await using var bench = new RouterBench();
        _ = bench.AskAsync("first", "ana", "c1");
        await bench.Client.NextCallAsync();
        using var stop = new CancellationTokenSource();
        var waiting = bench.AskAsync(bench.Turn("second", "bo", "c2"), stop.Token);
        Assert.Equal(1, bench.Queue.Waiting);

        await stop.CancelAsync();

        Assert.Equal("cancelled", Assert.IsType<TurnFinished>((await waiting)[^1]).FinishReason);
        Assert.Equal(0, bench.Queue.Waiting);
        Assert.Single(bench.Client.Calls);
    }

    [Fact]
    public async Task TRN_3_cancelling_the_token_stops_a_turn_whose_reader_has_left()
    {
        await using var bench = new RouterBench();
        using var stop = new CancellationTokenSource();
        _ = bench.Router.AskAsync(bench.Turn("hello"), stop.Token);
        var call = await bench.Client.NextCallAsync();

        await stop.CancelAsync();

        Assert.True(call.Stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task TRN_5_a_new_revision_branches_from_before_the_old_one_and_marks_its_answer_outdated()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync("first");
        var turn = bench.Turn("secnd");
        await bench.AskAsync(turn);

        await bench.AskAsync(turn with { Revision = 1, Text = "second" });

        Assert.Equal(
            ["first", "re: first", "second"], bench.Client.Calls[^1].Messages.Select(message => message.Text));
        var turns = await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"));
        Assert.Equal(
            [("first", false), ("secnd", true), ("second", false)], turns.Select(past => (past.Question, past.Outdated)));
    }

    [Fact]
    public async Task TRN_5_a_new_revision_stops_the_old_one_that_is_still_being_answered()
    {
        await using var bench = new RouterBench();
        var turn = bench.Turn("tpyo");
        var old = bench.AskAsync(turn);
        var call = await bench.Client.NextCallAsync();

        var corrected = bench.AskAsync(turn with { Revision = 1, Text = "typo" });

        Assert.Equal("cancelled", Assert.IsType<TurnFinished>((await old)[^1]).FinishReason);
        Assert.True(call.Stopped.IsCancellationRequested);
        (await bench.Client.NextCallAsync()).Say("fine").End();
        Assert.Equal("fine", RouterBench.Text(await corrected));
    }

    [Fact]
    public async Task TRN_5_regenerating_continues_after_the_named_turn_and_the_empty_name_begins_anew()
    {
        await using var bench = new RouterBench().Echoing();
        var first = Assert.IsType<TurnAccepted>((await bench.AskAsync("first"))[0]).TurnId;
        await bench.AskAsync("second");

        await bench.AskAsync(bench.Turn("second again") with { AfterTurnId = first });
        Assert.Equal(
            ["first", "re: first", "second again"], bench.Client.Calls[^1].Messages.Select(message => message.Text));

        await bench.AskAsync(bench.Turn("anew") with { AfterTurnId = "" });
        Assert.Equal(["anew"], bench.Client.Calls[^1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task TRN_5_continuing_after_a_turn_that_is_not_remembered_is_refused_in_words()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("hello") with { AfterTurnId = "nowhere" });

        var error = Assert.IsType<TurnFailed>(parts[^1]).Error;
        Assert.Equal("invalid_request", error.Code);
        Assert.Contains("not remembered any more", error.Sentence, StringComparison.Ordinal);
        Assert.Empty(bench.Client.Calls);
    }

    [Fact]
    public async Task TRN_6_dropped_history_is_said_under_the_answer()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Say("yes").End(dropped: 2);
        await bench.AskAsync("one");
        await bench.AskAsync("two");

        var parts = await bench.AskAsync("three");

        var notice = Assert.IsType<AnswerNotice>(parts[^2]);
        Assert.StartsWith("Using the last 3 messages", notice.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TRN_8_the_seed_in_use_is_reported_and_given_to_the_model()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("hello") with { Settings = new TurnSettings { Seed = 42 } });
        var drawn = await bench.AskAsync("again");

        var started = Assert.IsType<TurnStarted>(parts[1]);
        Assert.Equal(("scripted-1", 42L), (started.ModelId, started.Seed));
        Assert.Equal(42, bench.Client.Calls[0].Options.Seed);
        Assert.Equal(Assert.IsType<TurnStarted>(drawn[1]).Seed, bench.Client.Calls[1].Options.Seed);
    }

    [Fact]
    public async Task Settings_of_a_turn_reach_the_model_and_unset_ones_stay_unset()
    {
        await using var bench = new RouterBench(new TurnOptions { SystemText = "Be brief." }).Echoing();

        await bench.AskAsync("plain");
        await bench.AskAsync(bench.Turn("set", conversation: "c2") with
        {
            Settings = new TurnSettings
            {
                Temperature = 0.5,
                TopP = 0.9,
                MaxTokens = 5,
                StopSequences = ["END"],
                SystemText = "Be long.",
            },
        });

        var plain = bench.Client.Calls[0];
        Assert.Equal((null, null, null, null), (
            plain.Options.Temperature, plain.Options.TopP, plain.Options.MaxOutputTokens, plain.Options.StopSequences));
        Assert.Equal("Be brief.", plain.Messages[0].Text);
        var set = bench.Client.Calls[1];
        Assert.Equal((0.5f, 0.9f, 5), (set.Options.Temperature, set.Options.TopP, set.Options.MaxOutputTokens));
        Assert.Equal(["END"], set.Options.StopSequences);
        Assert.Equal("Be long.", set.Messages[0].Text);
    }

    [Fact]
    public async Task AID_1_only_the_first_answer_of_a_conversation_says_that_an_AI_answers()
    {
        await using var bench = new RouterBench().Echoing();

        var first = await bench.AskAsync("one");
        var second = await bench.AskAsync("two");
        var other = await bench.AskAsync("one", conversation: "c2");

        Assert.Contains("AI", Assert.Single(first.OfType<AnswerNotice>()).Text, StringComparison.Ordinal);
        Assert.Empty(second.OfType<AnswerNotice>());
        Assert.Single(other.OfType<AnswerNotice>());
    }

    [Fact]
    public async Task THR_4_the_same_conversation_id_of_another_person_is_another_conversation()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync("my secret is plum", "ana");

        await bench.AskAsync("what is the secret?", "bo");

        Assert.Single(bench.Client.Calls[1].Messages);
        Assert.NotEqual(bench.Client.Calls[0].Options.ConversationId, bench.Client.Calls[1].Options.ConversationId);
        Assert.Empty(await bench.Shelf.ReadAsync("test", "bo", new ConversationId("nothing")));
    }

    [Fact]
    public async Task THR_4_the_people_of_one_group_share_its_conversation()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync(bench.Turn("hello", "ana") with { GroupId = "guild" });

        await bench.AskAsync(bench.Turn("and me", "bo") with { GroupId = "guild" });

        Assert.Equal(3, bench.Client.Calls[1].Messages.Count);
    }

    [Fact]
    public async Task A_reload_follows_from_any_part_and_only_the_owner_may()
    {
        await using var bench = new RouterBench();
        var asked = bench.AskAsync("hello");
        var call = await bench.Client.NextCallAsync();
        call.Say("one ").Say("two");
        var turnId = bench.Router.RunningTurnOf("test", "ana", new ConversationId("c1"));
        Assert.NotNull(turnId);
        var followed = RouterBench.CollectAsync(bench.Router.FollowAsync(turnId, "test", "ana", 3));
        call.End();

        var all = await asked;
        Assert.Equal(all.Skip(3), await followed);
        Assert.Equal(all, await RouterBench.CollectAsync(bench.Router.FollowAsync(turnId, "test", "ana", 0)));
        var stranger = await RouterBench.CollectAsync(bench.Router.FollowAsync(turnId, "test", "bo", 0));
        Assert.Equal(404, Assert.IsType<TurnFailed>(Assert.Single(stranger)).Error.HttpStatus);
        Assert.Null(bench.Router.RunningTurnOf("test", "ana", new ConversationId("c1")));
    }

    [Fact]
    public async Task A_reader_who_leaves_does_not_end_the_work()
    {
        await using var bench = new RouterBench();
        string? turnId = null;
        await foreach (var part in bench.Router.AskAsync(bench.Turn("hello")))
        {
            turnId = Assert.IsType<TurnAccepted>(part).TurnId;
            break;
        }

        var call = await bench.Client.NextCallAsync();
        call.Say("still here").End();

        Assert.Equal("still here", RouterBench.Text(
            await RouterBench.CollectAsync(bench.Router.FollowAsync(turnId!, "test", "ana", 0))));
        Assert.False(call.Stopped.IsCancellationRequested);
    }

    [Theory]
    [InlineData("", "empty_prompt")]
    [InlineData("  \n\t ", "empty_prompt")]
    [InlineData("\u0000\u001b\u0007", "empty_prompt")]
    public async Task A_message_without_anything_readable_is_refused(string text, string code)
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(text);

        Assert.Equal(code, Assert.IsType<TurnFailed>(Assert.Single(parts)).Error.Code);
        Assert.Empty(bench.Client.Calls);
    }

    [Fact]
    public async Task A_message_of_100_kilobytes_is_refused_with_its_length_and_the_limit()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(new string('x', 100_000));

        var error = Assert.IsType<TurnFailed>(Assert.Single(parts)).Error;
        Assert.Equal(("prompt_too_long", 400), (error.Code, error.HttpStatus));
        Assert.Equal("The message has 100,000 characters, at most 8,000 are allowed; shorten it.", error.Sentence);
    }

    [Fact]
    public async Task Control_characters_and_broken_surrogates_do_not_reach_the_model_and_direction_marks_do()
    {
        await using var bench = new RouterBench().Echoing();

        await bench.AskAsync("a\u001b[31m\0b\r\nc\td \ud83d e \u202e f \ud83d\ude00 g");

        Assert.Equal("a[31mb\nc\td \ufffd e \u202e f \ud83d\ude00 g", bench.Client.Calls[0].Question);
    }

    [Theory]
    [InlineData(3.5, null, null, "temperature is 3.5, it must lie between 0 and 2.", "temperature")]
    [InlineData(double.NaN, null, null, "temperature is NaN, it must lie between 0 and 2.", "temperature")]
    [InlineData(null, 0.0, null, "top_p is 0, it must lie above 0 and at most at 1.", "top_p")]
    [InlineData(null, null, 0, "max_tokens is 0, it must be at least 1.", "max_tokens")]
    public async Task A_setting_out_of_range_is_refused_by_name(
        double? temperature, double? topP, int? maxTokens, string sentence, string field)
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("hello") with
        {
            Settings = new TurnSettings { Temperature = temperature, TopP = topP, MaxTokens = maxTokens },
        });

        var error = Assert.IsType<TurnFailed>(Assert.Single(parts)).Error;
        Assert.Equal(("invalid_request", sentence, field), (error.Code, error.Sentence, error.Field));
    }

    [Fact]
    public async Task The_first_text_is_awaited_10_seconds()
    {
        await using var bench = new RouterBench();
        var asked = bench.AskAsync("hello");
        var call = await bench.Client.NextCallAsync();

        bench.Time.Advance(TimeSpan.FromSeconds(10));

        var error = Assert.IsType<TurnFailed>((await asked)[^1]).Error;
        Assert.Equal(("timed_out", 504), (error.Code, error.HttpStatus));
        Assert.True(call.Stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task A_turn_is_ended_after_10_minutes_and_what_exists_stands()
    {
        await using var bench = new RouterBench();
        await using var parts = bench.Router.AskAsync(bench.Turn("hello")).GetAsyncEnumerator();
        var call = await bench.Client.NextCallAsync();
        call.Say("a beginning");
        while (await parts.MoveNextAsync() && parts.Current is not AnswerText)
        {
        }

        bench.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal("timed_out", Assert.IsType<TurnFailed>(await LastAsync(parts)).Error.Code);
        var past = Assert.Single(await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1")));
        Assert.Equal(("a beginning", "timed_out"), (past.Answer, past.FinishReason));
    }

    [Fact]
    public async Task A_model_that_fails_yields_a_sentence_with_the_reference_of_the_log_line_and_no_content()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Fail(new FormatException("could not read the words: " + call.Question));

        var parts = await bench.AskAsync("my dear secret");

        var error = Assert.IsType<TurnFailed>(parts[^1]).Error;
        Assert.Equal(("internal", 500), (error.Code, error.HttpStatus));
        Assert.Contains(error.Reference, error.Message, StringComparison.Ordinal);
        var told = bench.Log.Lines.Where(line => line.Level > LogLevel.Debug).ToList();
        Assert.Contains(told, line => line.Level == LogLevel.Error
            && line.Text.Contains(error.Reference, StringComparison.Ordinal));
        Assert.DoesNotContain(told, line => line.Text.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rule_26_one_line_is_logged_per_turn_and_it_has_no_content()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync("my dear secret");

        var line = Assert.Single(bench.Log.Lines, line => line.Level >= LogLevel.Information);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Contains(Assert.IsType<TurnAccepted>(parts[0]).TurnId, line.Text, StringComparison.Ordinal);
        Assert.Contains("text to text", line.Text, StringComparison.Ordinal);
        Assert.Contains("11 + 7 tokens", line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Log.Lines, other => other.Text.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_turn_while_the_model_loads_is_refused_with_the_share_that_is_loaded()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Readiness.Loading(0);
        bench.Time.Advance(TimeSpan.FromSeconds(31));
        bench.Readiness.Loading(0.62);

        var error = Assert.IsType<TurnFailed>(Assert.Single(await bench.AskAsync("hello"))).Error;

        Assert.Equal("The model is loading (62 %), about 19 s left.", error.Sentence);
        Assert.Equal(("model_loading", 503, TimeSpan.FromSeconds(19)), (error.Code, error.HttpStatus, error.RetryAfter));
        bench.Readiness.Ready();
        Assert.IsType<TurnFinished>((await bench.AskAsync("hello"))[^1]);
    }

    [Fact]
    public async Task QUE_5_shutdown_lets_a_running_turn_finish_and_takes_nothing_new()
    {
        await using var bench = new RouterBench();
        var asked = bench.AskAsync("hello");
        var call = await bench.Client.NextCallAsync();

        var closing = bench.Router.CloseAsync();
        var late = await bench.AskAsync("too late", "bo", "c2");
        call.Say("bye").End();
        await closing;

        Assert.Equal("busy", Assert.IsType<TurnFailed>(Assert.Single(late)).Error.Code);
        Assert.IsType<TurnFinished>((await asked)[^1]);
    }

    [Fact]
    public async Task QUE_5_after_30_seconds_the_rest_is_interrupted_and_told_so()
    {
        await using var bench = new RouterBench(new TurnOptions { FirstTokenTimeout = TimeSpan.FromMinutes(5) });
        var working = bench.AskAsync("hello");
        await bench.Client.NextCallAsync();
        var waiting = bench.AskAsync("me too", "bo", "c2");

        var closing = bench.Router.CloseAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(closing.IsCompleted);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await closing;

        Assert.Contains("ended before", Assert.IsType<TurnFailed>((await working)[^1]).Error.Sentence, StringComparison.Ordinal);
        Assert.Contains("ended before", Assert.IsType<TurnFailed>((await waiting)[^1]).Error.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PRI_1_what_is_not_kept_is_forgotten_within_an_hour_and_that_is_said()
    {
        await using var bench = new RouterBench().Echoing();
        await bench.AskAsync("old");
        bench.Time.Advance(TimeSpan.FromMinutes(40));
        await bench.AskAsync("newer");

        bench.Time.Advance(TimeSpan.FromMinutes(20));
        var turns = await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"));
        Assert.Equal(["newer"], turns.Select(turn => turn.Question));
        var parts = await bench.AskAsync("now");

        Assert.Equal(["newer", "re: newer", "now"], bench.Client.Calls[^1].Messages.Select(message => message.Text));
        Assert.Contains(
            parts.OfType<AnswerNotice>(), notice => notice.Text.Contains("after an hour", StringComparison.Ordinal));
        bench.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, bench.Memory.Count);
    }

    private static async Task<ReplyPart?> LastAsync(IAsyncEnumerator<ReplyPart> parts)
    {
        ReplyPart? last = null;
        while (await parts.MoveNextAsync())
        {
            last = parts.Current;
        }

        return last;
    }
}
