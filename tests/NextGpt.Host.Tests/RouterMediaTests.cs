using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using NextGpt.Media;

namespace NextGpt.Host.Tests;

/// <summary>Files in, media out: checks, prompts, parts, memory, log (TRN-1, TRN-4, TRN-6, TRN-7, 2.2).</summary>
public sealed class RouterMediaTests
{
    private static IncomingFile Png(string name = "cat.png") => new(name, ScriptedMedia.Png, "image/png");

    private static IncomingFile Wav(string name = "rain.wav") => new(name, ScriptedMedia.Wav, "audio/x-wav");

    private static IncomingFile Pdf(string name = "notes.pdf") => new(name, "%PDF-1.7 ..."u8.ToArray(), "application/pdf");

    [Fact]
    public async Task Files_go_to_the_model_before_the_words_and_clean()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("What is this?") with { Files = [Png(), Wav()] });

        Assert.IsType<TurnFinished>(parts[^1]);
        var contents = Assert.Single(bench.Client.Calls).Messages[^1].Contents;
        Assert.Equal(3, contents.Count);
        var picture = Assert.IsType<DataContent>(contents[0]);
        Assert.IsType<Picture>(picture.RawRepresentation);   // decoded once
        Assert.EndsWith("clean", System.Text.Encoding.ASCII.GetString(picture.Data.Span), StringComparison.Ordinal);
        var sound = WaveFile.Read(Assert.IsType<DataContent>(contents[1]).Data.Span);
        Assert.Equal((16_000, 1), (sound.SampleRateHz, sound.Channels.Count));
        Assert.Equal("What is this?", Assert.IsType<TextContent>(contents[2]).Text);
        Assert.Equal(["cat.png", "rain.wav"], bench.Media.Read);
        Assert.Contains(bench.Log.Lines, line => line.Text.Contains("text+image+audio to text,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TRN_6_unreadable_files_are_named_under_the_answer_with_their_sentence()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Media.Notice = "the first 60 of 90 frames were used";

        var parts = await bench.AskAsync(bench.Turn("Look.") with
        {
            Files = [Png(), Pdf(), new IncomingFile("broken.png", ScriptedMedia.DamagedPng)],
        });

        Assert.Equal("re: Look.", RouterBench.Text(parts));
        var notices = parts.OfType<AnswerNotice>().Select(notice => notice.Text).ToList();
        Assert.Contains(
            "Read 1 of 3 files. notes.pdf: application/pdf is not supported; send PNG, JPEG, WebP, GIF, WAV, MP3, OGG, FLAC, "
            + "M4A, MP4 or WebM. broken.png: broken.png ends after 1.2 of 3.4 MB; upload it again.",
            notices);
        Assert.Contains("cat.png: the first 60 of 90 frames were used.", notices);
    }

    [Fact]
    public async Task A_question_of_which_no_file_is_left_is_refused_with_the_first_sentence()
    {
        await using var bench = new RouterBench().Echoing();

        var atOnce = await bench.AskAsync(bench.Turn("Look.") with { Files = [Pdf()] });
        var later = await bench.AskAsync(bench.Turn("Look.") with { Files = [new("a.png", ScriptedMedia.DamagedPng), Pdf()] });

        Assert.Equal(("unsupported_media", 415), CodeOf(Assert.Single(atOnce)));
        Assert.Equal(("corrupt_media", 422), CodeOf(later[^1]));
        Assert.Empty(bench.Client.Calls);
    }

    public static TheoryData<string, string, string?, string, string> Refused => new()
    {
        { "photo.png", "PK\u0003\u0004", "image/png", "media_mismatch", "photo.png says PNG but its bytes are a ZIP file; send the real image." },
        { "photo.jpg", "fLaC", "image/jpeg", "media_mismatch", "photo.jpg says JPEG but its bytes are FLAC; send the real image." },
        { "photo.jpg", "PK\u0003\u0004", null, "media_mismatch", "photo.jpg says JPEG but its bytes are a ZIP file; send the real image." },
        { "../../etc/a\nb.gif", "GIF89a", "text/html", "media_mismatch", "a b.gif says text/html but its bytes are GIF; send the real file." },
        { "scan.tiff", "II*\0", "image/tiff", "unsupported_media", "image/tiff is not supported; send PNG" },
        { "x", "MZ....", null, "unsupported_media", "a program is not supported; send PNG" },
        { "x.png", "", "image/png", "corrupt_media", "x.png is empty; upload it again." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task THR_8_a_file_is_what_its_bytes_are_and_a_claim_they_contradict_is_refused(
        string name, string bytes, string? type, string code, string sentence)
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("Look.") with
        {
            Files = [new IncomingFile(name, System.Text.Encoding.Latin1.GetBytes(bytes), type)],
        });

        var error = Assert.IsType<TurnFailed>(Assert.Single(parts)).Error;
        Assert.Equal(code, error.Code);
        Assert.StartsWith(sentence, error.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_and_too_large_files_are_refused_with_the_numbers()
    {
        await using var bench = new RouterBench().Echoing();

        var many = await bench.AskAsync(bench.Turn("Look.") with { Files = [.. Enumerable.Repeat(Png(), 5)] });
        var large = await bench.AskAsync(bench.Turn("Look.") with
        {
            Files = [new("big.png", (byte[])[.. ScriptedMedia.Png, .. new byte[25 * 1024 * 1024]])],
        });

        Assert.Equal("5 files came, 4 are allowed; send the others in a second message.", ErrorOf(many[^1]).Sentence);
        Assert.Equal(("file_too_large", 413), CodeOf(large[^1]));
        Assert.Equal("big.png has 25.0 MiB, the limit is 25; send a smaller one.", ErrorOf(large[^1]).Sentence);
    }

    [Fact]
    public async Task A_model_that_reads_text_alone_says_so()
    {
        await using var bench = new RouterBench(senses: ModelSenses.TextOnly).Echoing();

        var file = await bench.AskAsync(bench.Turn("Look.") with { Files = [Png()] });
        var picture = await bench.AskAsync(bench.Turn("Draw.") with
        {
            Settings = new TurnSettings { RequiredMedia = [MediaKind.Image] },
        });

        Assert.Equal(
            "image/png is not supported; send text: the model that speaks here reads nothing else.", ErrorOf(file[^1]).Sentence);
        Assert.Equal("The model that speaks here makes no pictures; ask for something else.", ErrorOf(picture[^1]).Sentence);
    }

    [Fact]
    public async Task A_file_alone_is_a_question()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("") with { Files = [Png()] });

        Assert.IsType<TurnFinished>(parts[^1]);
        Assert.IsType<DataContent>(Assert.Single(bench.Client.Calls[0].Messages[^1].Contents));
    }

    [Fact]
    public async Task Stopping_while_files_are_read_ends_the_turn_and_gives_the_place_back()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Media.Gate = Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var asked = bench.AskAsync(bench.Turn("Look.") with { Files = [Png()] }, stop.Token);
        await stop.CancelAsync();

        var parts = await asked;

        Assert.Equal("cancelled", Assert.IsType<TurnFinished>(parts[^1]).FinishReason);
        Assert.Equal(0, bench.Queue.Working + bench.Queue.Waiting);
    }

    [Fact]
    public async Task Stopping_while_files_of_a_history_are_read_is_no_failure_and_is_not_logged_as_one()
    {
        await using var bench = new RouterBench().Echoing();
        bench.Media.Gate = Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var asked = bench.AskAsync(
            bench.Turn("And this?") with { History = [new EarlierMessage(false, "What?") { Files = [Png()] }] }, stop.Token);
        await stop.CancelAsync();

        var parts = await asked;

        Assert.Equal("cancelled", Assert.IsType<TurnFinished>(parts[^1]).FinishReason);
        Assert.DoesNotContain(bench.Log.Lines, line => line.Level > LogLevel.Information);
    }

    [Fact]
    public async Task TRN_4_a_medium_is_begun_comes_further_and_is_whole_at_its_place_in_the_text()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Say("Here you are. A red cat.").Media("started").Media("progress", progress: 0.4)
            .Media("completed", file: ScriptedMedia.Png).Say(" Nice?").End();

        var parts = await bench.AskAsync("Draw a red cat.");

        Assert.Equal(
            ["TurnAccepted", "TurnStarted", "AnswerNotice", "AnswerText", "MediaStarted", "MediaProgress", "MediaReady", "AnswerText", "TurnFinished"],
            parts.Select(part => part.GetType().Name));
        var ready = Assert.Single(parts.OfType<MediaReady>());
        Assert.Equal(0.4, Assert.Single(parts.OfType<MediaProgress>()).Share);
        Assert.Equal((24, "A red cat.", MediaKind.Image), (ready.TextOffset, ready.Caption, ready.File.Kind));
        Assert.Matches("^[0-9a-f]{32}$", ready.MediaId);
        Assert.Equal(ScriptedMedia.Png, bench.Shelf.ReadMedium("test", "ana", ready.MediaId)?.Bytes.ToArray());
        Assert.Null(bench.Shelf.ReadMedium("test", "bob", ready.MediaId));   // THR-10
        Assert.Null(bench.Shelf.ReadMedium("test", "ana", new string('0', 32)));
    }

    [Fact]
    public async Task TRN_4_a_medium_that_fails_is_a_sentence_with_a_reference_and_the_rest_stands()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Say("A dog barks.").Media("started", "audio")
            .Media("failed", "audio", error: "no memory left").Say(" That was it.").End();

        var parts = await bench.AskAsync("Bark!");

        var lost = Assert.Single(parts.OfType<MediaLost>());
        Assert.Matches(@"^I meant to add a sound here but could not make it\. \(ref \w{4}\)$", lost.Sentence);
        Assert.Equal("A dog barks. That was it.", RouterBench.Text(parts));
        Assert.IsType<TurnFinished>(parts[^1]);
        Assert.Contains(bench.Log.Lines, line => line.Text.Contains("no memory left", StringComparison.Ordinal)
            && line.Text.Contains(lost.Sentence[^5..^1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task TRN_7_required_media_are_asked_for_and_missed_aloud_and_forbidden_ones_dropped()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Say("No.").Media("started", "video").Media("completed", "video", file: ScriptedMedia.Mp4, type: "video/mp4").End();

        var parts = await bench.AskAsync(bench.Turn("Draw!") with
        {
            Settings = new TurnSettings { RequiredMedia = [MediaKind.Image], ForbiddenMedia = [MediaKind.Video] },
        });

        Assert.Equal(["text", "image"], Modalities(bench.Client.Calls[0], "modalities"));
        Assert.Empty(parts.OfType<MediaReady>());
        Assert.Equal(MediaKind.Image, Assert.Single(parts.OfType<MediaLost>()).Kind);

        await bench.AskAsync(bench.Turn("Talk!") with
        {
            Settings = new TurnSettings { ForbiddenMedia = [MediaKind.Image, MediaKind.Audio, MediaKind.Video] },
        });
        Assert.Equal(["image", "audio", "video"], Modalities(bench.Client.Calls[1], "forbidden_modalities"));
        await bench.AskAsync("Free.");
        Assert.Null(bench.Client.Calls[2].Options.AdditionalProperties);

        static IEnumerable<string> Modalities(ScriptedCall call, string name) =>
            Assert.IsAssignableFrom<IEnumerable<string>>(call.Options.AdditionalProperties?[name]);
    }

    [Fact]
    public async Task An_answer_has_at_most_four_media_and_says_that_more_were_left_out()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call =>
        {
            for (var index = 0; index < 6; index++)
            {
                call.Media("started", index: index).Media("completed", index: index, file: ScriptedMedia.Png);
            }

            call.End();
        };

        var parts = await bench.AskAsync("Draw six.");

        Assert.Equal(4, parts.OfType<MediaReady>().Select(ready => ready.MediaId).Distinct().Count());
        Assert.Contains(parts.OfType<AnswerNotice>(), notice => notice.Text == "An answer has at most 4 media; 2 more were left out.");
    }

    [Fact]
    public async Task An_answer_of_a_medium_alone_is_an_answer_and_its_alternative_text_is_never_empty()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Media("completed", "audio", file: ScriptedMedia.Wav, type: "audio/wav").End();

        var parts = await bench.AskAsync("Rain.");

        Assert.Equal("Sound made by the AI", Assert.Single(parts.OfType<MediaReady>()).Caption);
        Assert.Single(await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_begun_medium_counts_as_the_first_sign_and_one_that_never_ends_is_lost_at_the_stop()
    {
        await using var bench = new RouterBench();
        using var stop = new CancellationTokenSource();
        var asked = bench.AskAsync(bench.Turn("Film."), stop.Token);
        var call = await bench.Client.NextCallAsync();
        call.Say("Wait.").Media("started", "video");
        await foreach (var part in bench.Router.FollowAsync((await FirstAsync(bench)).TurnId, "test", "ana", 0))
        {
            if (part is MediaStarted)
            {
                break;
            }
        }

        bench.Time.Advance(TimeSpan.FromSeconds(30));   // beyond the time for the first text
        await stop.CancelAsync();
        var parts = await asked;

        Assert.Equal("Stopped before a clip was done.", Assert.Single(parts.OfType<MediaLost>()).Sentence);
        Assert.Equal("cancelled", Assert.IsType<TurnFinished>(parts[^1]).FinishReason);

        async Task<TurnAccepted> FirstAsync(RouterBench bench)
        {
            await foreach (var part in bench.Router.FollowAsync(
                bench.Router.RunningTurnOf("test", "ana", new ConversationId("c1")) ?? "", "test", "ana", 0))
            {
                return Assert.IsType<TurnAccepted>(part);
            }

            throw new InvalidOperationException("It had no part.");
        }
    }

    [Fact]
    public async Task TRN_1_the_same_message_again_gives_its_media_again_and_asks_once()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Media("completed", file: ScriptedMedia.Png).End();
        var turn = bench.Turn("Draw.") with { Files = [Png()] };

        var first = await bench.AskAsync(turn);
        var again = await bench.AskAsync(turn);

        Assert.Equal(
            Assert.Single(first.OfType<MediaReady>()).MediaId, Assert.Single(again.OfType<MediaReady>()).MediaId);
        Assert.Single(bench.Client.Calls);
        Assert.Single(bench.Media.Read);
    }

    [Fact]
    public async Task Media_of_earlier_turns_stay_in_the_conversation_and_those_of_an_answer_stand_at_their_place()
    {
        await using var bench = new RouterBench();
        bench.Client.Rule = call => call.Say("One. ").Media("completed", file: ScriptedMedia.Png).Say("Two.").End();
        await bench.AskAsync(bench.Turn("First.") with { Files = [Wav()] });

        await bench.AskAsync("Second.");

        var messages = bench.Client.Calls[1].Messages;
        Assert.Equal(["DataContent", "TextContent"], messages[0].Contents.Select(content => content.GetType().Name));
        Assert.Equal(["TextContent", "DataContent", "TextContent"], messages[1].Contents.Select(content => content.GetType().Name));
        Assert.Equal("Second.", messages[2].Text);
    }

    [Fact]
    public async Task The_oldest_media_are_given_up_beyond_the_bound_and_that_is_said()
    {
        await using var bench = new RouterBench(new TurnOptions { MaxRememberedMedia = 2 }).Echoing();
        foreach (var text in new[] { "one", "two", "three" })
        {
            await bench.AskAsync(bench.Turn(text) with { Files = [Png()] });
        }

        var parts = await bench.AskAsync("four");

        Assert.Equal(2, bench.Client.Calls[3].Messages.SelectMany(message => message.Contents).OfType<DataContent>().Count());
        Assert.Contains(parts.OfType<AnswerNotice>(), notice =>
            notice.Text == "Older files of this conversation are not remembered any more (1); attach them again.");
        Assert.All(
            (await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"), TestContext.Current.CancellationToken)).Take(1),
            turn => Assert.False(Assert.Single(turn.Media).IsThere));
    }

    [Fact]
    public async Task The_media_of_all_conversations_together_are_bounded_too()
    {
        await using var bench = new RouterBench(new TurnOptions { MaxRememberedMegabytesInAll = 0 }).Echoing();

        await bench.AskAsync(bench.Turn("one") with { Files = [Png()] });

        Assert.All(bench.Memory.Of("test", "ana"), conversation => Assert.Equal(0, conversation.MediaBytes));
    }

    [Fact]
    public async Task TRN_5_regenerating_and_editing_keep_the_files()
    {
        await using var bench = new RouterBench().Echoing();
        var first = await bench.AskAsync(bench.Turn("What?") with { Files = [Png("mine.png")] });
        var id = Assert.IsType<TurnAccepted>(first[0]).TurnId;

        var again = await bench.AskAsync(bench.Turn("What?") with { AfterTurnId = "", FilesOfTurnId = id });
        bench.Time.Advance(TimeSpan.FromMinutes(12));   // the turn is forgotten, the conversation is not
        await bench.AskAsync(bench.Turn("What, then?") with { AfterTurnId = "", FilesOfTurnId = Assert.IsType<TurnAccepted>(again[0]).TurnId });

        Assert.All(bench.Client.Calls, call => Assert.Single(call.Messages[^1].Contents.OfType<DataContent>()));
        Assert.Single(bench.Media.Read);
        var turns = await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"), TestContext.Current.CancellationToken);
        Assert.Equal(3, turns.SelectMany(turn => turn.Media).Select(medium => medium.MediaId).Distinct().Count());
        Assert.All(turns, turn => Assert.Equal("mine.png", Assert.Single(turn.Media).Caption));
    }

    [Fact]
    public async Task Files_of_somebody_elses_turn_are_not_had()
    {
        await using var bench = new RouterBench().Echoing();
        var first = await bench.AskAsync(bench.Turn("What?") with { Files = [Png()] });

        var stolen = await bench.AskAsync(
            bench.Turn("", person: "bob") with { FilesOfTurnId = Assert.IsType<TurnAccepted>(first[0]).TurnId });

        Assert.Equal("invalid_request", ErrorOf(stolen[^1]).Code);
    }

    [Fact]
    public async Task A_kept_turn_has_its_media_in_the_log_without_the_names_of_files()
    {
        await using var bench = new RouterBench();
        bench.Store.Allow("test", "ana");
        bench.Client.Rule = call => call.Say("A cat.").Media("completed", file: ScriptedMedia.Png, caption: "a cat").End();

        await bench.AskAsync(bench.Turn("Draw.") with { Files = [Wav("secret name.wav")] });

        var media = Assert.Single(bench.Store.Turns).Turn.Media;
        Assert.Equal([(true, "audio/wav", null), (false, "image/png", "a cat")], media.Select(medium => (medium.FromPerson, medium.MediaType, medium.Caption)));
        Assert.Equal(6, media[1].TextOffset);
    }

    [Fact]
    public async Task Media_of_kept_turns_come_from_the_log_when_memory_has_forgotten_them()
    {
        var store = new ScriptedTurnStore();
        string id;
        await using (var before = new RouterBench(store: store))
        {
            store.Allow("test", "ana");
            before.Client.Rule = call => call.Media("completed", file: ScriptedMedia.Png).End();
            id = Assert.Single((await before.AskAsync("Draw.")).OfType<MediaReady>()).MediaId;
        }

        await using var bench = new RouterBench(store: store).Echoing();
        var turns = await bench.Shelf.ReadAsync("test", "ana", new ConversationId("c1"), TestContext.Current.CancellationToken);
        Assert.Equal(id, Assert.Single(Assert.Single(turns).Media).MediaId);
        Assert.Equal(ScriptedMedia.Png, bench.Shelf.ReadMedium("test", "ana", id)?.Bytes.ToArray());
        await bench.AskAsync(bench.Turn("And now?") with { MessageId = "another" });

        Assert.Single(bench.Client.Calls[0].Messages.SelectMany(message => message.Contents).OfType<DataContent>());
        await bench.Kept.SetConsentAsync("test", "ana", keep: false, train: false, TestContext.Current.CancellationToken);
        Assert.Null(bench.Shelf.ReadMedium("test", "ana", id));
    }

    [Fact]
    public async Task Files_of_a_history_that_the_surface_brings_are_read_too()
    {
        await using var bench = new RouterBench().Echoing();

        var parts = await bench.AskAsync(bench.Turn("And this?") with
        {
            History = [new EarlierMessage(false, "What?") { Files = [Png(), Pdf()] }, new EarlierMessage(true, "A cat.")],
        });

        Assert.Single(bench.Client.Calls[0].Messages[0].Contents.OfType<DataContent>());
        Assert.Contains(parts.OfType<AnswerNotice>(), notice => notice.Text.StartsWith("Read 1 of 2 files.", StringComparison.Ordinal));
    }

    private static TurnError ErrorOf(ReplyPart part) => Assert.IsType<TurnFailed>(part).Error;

    private static (string Code, int Status) CodeOf(ReplyPart part) => (ErrorOf(part).Code, ErrorOf(part).HttpStatus);
}
