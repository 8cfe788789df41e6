using Microsoft.Extensions.Time.Testing;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;
using NextGpt.Server.Commands;
using NextGpt.Server.Terminal;
using Spectre.Console;

namespace NextGpt.Server.Tests.Terminal;

public sealed class ConsoleChatTests : IAsyncDisposable
{
    private readonly ScriptedPartner _partner = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-console-").FullName;

    private string OutPath => Path.Combine(_folder, "out");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task CON_1_the_greeting_says_model_adapter_device_and_whether_this_is_kept()
    {
        var (screen, code) = await TypeAsync();

        Assert.Equal(ExitCode.Done, code);
        Assert.Matches(@"model\s+toy\s", screen);
        Assert.Matches(@"adapter\s+tuned\s", screen);
        Assert.Matches(@"device\s+test bench", screen);
        Assert.Matches(@"kept\s+no; /keep changes it", screen);
    }

    [Fact]
    public async Task CON_1_an_answer_is_shown_with_its_tokens_and_speed()
    {
        var (screen, _) = await TypeAsync("hello");

        Assert.Contains("re: hello", screen, StringComparison.Ordinal);
        Assert.Contains("6 tokens, 3 tokens/s", screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CON_1_Ctrl_C_stops_the_answer_and_a_second_one_within_2_seconds_leaves()
    {
        ConsoleChat? chat = null;
        var left = new List<bool>();
        _partner.Meanwhile = () => left.Add(chat!.Interrupt());
        var screen = new StringWriter();
        var lines = new Queue<string>(["tell me all", "and more"]);
        chat = Create(screen, () => lines.TryDequeue(out var line) ? line : null);

        await chat.RunAsync(CancellationToken.None);
        Assert.Contains("stopped", screen.ToString(), StringComparison.Ordinal);
        Assert.Equal([false, true], left);   // the clock stands: the second came at once
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(chat.Interrupt());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(chat.Interrupt());
    }

    [Fact]
    public async Task CON_2_control_characters_of_an_answer_never_reach_the_terminal()
    {
        _partner.Answer = _ =>
        [
            new AnswerText("a\u001b]0;title\u0007b\u009b2Jc\r\u0008d\u202eevil\u007f"),
            new AnswerNotice("n\u001b[31m"),
        ];

        var (screen, _) = await TypeAsync("hello");

        Assert.Contains("a]0;titleb2Jcdevil", screen, StringComparison.Ordinal);
        Assert.DoesNotContain(screen, character => char.IsControl(character) && character is not ('\n' or '\t' or '\r'));
    }

    [Fact]
    public async Task CON_3_new_begins_another_conversation_and_retry_asks_the_same_again_from_the_same_place()
    {
        await TypeAsync("one", "two", "/retry", "three", "/new", "four", "/retry");

        Assert.Equal(["one", "two", "two", "three", "four", "four"], _partner.Asked.Select(ask => ask.Text));
        Assert.Equal([null, null, "t1", null, null, ""], _partner.Asked.Select(ask => ask.AfterTurnId));
        Assert.Equal(2, _partner.Asked.Select(ask => ask.Conversation).Distinct().Count());
        Assert.Equal(
            [null, null, 0.8, null, null, 0.8], _partner.Asked.Select(ask => ask.Settings?.Temperature));
    }

    [Fact]
    public async Task CON_3_votes_and_corrections_go_to_the_last_answer()
    {
        var (screen, _) = await TypeAsync("/good", "one", "/good", "/bad too long", "/correct", "/correct Paris it is");

        Assert.Contains("no answer yet", screen, StringComparison.Ordinal);
        Assert.Equal(
            ["rate t1 Good - -", "rate t1 Bad too long -", "rate t1 Bad - Paris it is"], _partner.Done);
        Assert.Contains("/correct The capital", screen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yes", "yes", "consent True True")]
    [InlineData("yes", "no", "consent True False")]
    [InlineData("yes", "", "consent True False")]
    public async Task CON_3_keeping_is_off_until_the_person_says_yes_to_each_switch(string keep, string train, string done)
    {
        var (screen, _) = await TypeAsync("/keep", keep, train);

        Assert.Equal([done], _partner.Done);
        Assert.Contains("30 days", screen.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no")]
    [InlineData("")]
    [InlineData("maybe")]
    public async Task PRI_2_anything_but_yes_is_no(string answer)
    {
        await TypeAsync("/keep", answer);

        Assert.Empty(_partner.Done);
        Assert.False(_partner.Consent.Keep);
    }

    [Fact]
    public async Task CON_3_keep_off_withdraws_and_forget_erases_after_a_yes()
    {
        await TypeAsync("/keep", "yes", "no", "/keep off", "/forget", "no", "/forget", "yes");

        Assert.Equal(["consent True False", "consent False False", "erase"], _partner.Done);
    }

    [Fact]
    public async Task CON_3_export_writes_a_file_and_overwrites_none()
    {
        var file = Path.Combine(Path.GetTempPath(), $"nextgpt-{Guid.NewGuid():N}.zip");
        try
        {
            var (screen, _) = await TypeAsync($"/export {file}", $"/export {file}");

            Assert.Equal("zip", await File.ReadAllTextAsync(file));
            Assert.Contains("nothing is overwritten", screen.ReplaceLineEndings(" "), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("/retyr", "There is no command /retyr; did you mean /retry?")]
    [InlineData("/xyzzy", "There is no command /xyzzy; /help lists what there is.")]
    public async Task CON_3_an_unknown_command_names_the_nearest(string command, string sentence)
    {
        var (screen, _) = await TypeAsync(command);

        Assert.Contains(sentence, screen, StringComparison.Ordinal);
        Assert.Empty(_partner.Asked);
    }

    [Fact]
    public async Task CON_3_help_lists_every_command()
    {
        var (screen, _) = await TypeAsync("/help");

        Assert.All(
            ["/new", "/retry", "/good", "/bad", "/correct", "/keep", "/forget", "/export", "/help"],
            command => Assert.Contains(command, screen, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_question_shows_its_sentence_and_reference()
    {
        _partner.Answer = _ => [new TurnFailed(ErrorCatalogue.EmptyPrompt.With())];

        var (screen, code) = await TypeAsync("x");

        Assert.Matches(@"No text and no file came; write something or attach a file. \(ref \w{4}\)", screen);
        Assert.Equal(ExitCode.Done, code);
    }

    [Fact]
    public async Task CON_2_files_are_attached_by_paths_as_typed_listed_taken_away_and_sent_once()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "my pictures"));
        await File.WriteAllBytesAsync(Path.Combine(_folder, "my pictures", "a cat.png"), ScriptedMedia.Png, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "rain.wav"), ScriptedMedia.Wav, TestContext.Current.CancellationToken);

        var (screen, _) = await TypeAsync(
            "/attach ~/my pictures/a cat.png", $"/attach \"{_folder}/rain.wav\"", $"/attach '{_folder}/my pictures/a cat.png'",
            "/attach ~/my\\ pictures/a\\ cat.png", "/attach", "/detach 3", "/detach 9", "/attach ~/none.png", "/attach ~",
            "What are these?", "And now?");

        Assert.Contains("Attached a cat.png (PNG, 1 KiB); it goes with the next question.", screen, StringComparison.Ordinal);
        Assert.Contains("2  rain.wav  ", screen, StringComparison.Ordinal);
        Assert.Contains("a cat.png is not attached any more.", screen, StringComparison.Ordinal);
        Assert.Contains("Name one of 1 to 3, as /attach lists them.", screen, StringComparison.Ordinal);
        Assert.Contains("There is no file ~/none.png; see whether the name is right.", screen, StringComparison.Ordinal);
        Assert.Contains("~ is a folder; name a file in it.", screen, StringComparison.Ordinal);
        Assert.Equal(["a cat.png", "rain.wav", "a cat.png"], _partner.Asked[0].Files.Select(file => file.Name));
        Assert.Equal(ScriptedMedia.Wav, _partner.Asked[0].Files[1].Bytes.ToArray());
        Assert.Empty(_partner.Asked[1].Files);
    }

    [Theory]
    [InlineData("/image a red cat", MediaKind.Image)]
    [InlineData("/sound a red cat", MediaKind.Audio)]
    [InlineData("/video a red cat", MediaKind.Video)]
    public async Task CON_2_a_medium_is_demanded_and_answering_again_demands_it_again_with_the_files(string command, MediaKind kind)
    {
        await TypeAsync(command, "/retry", "plain");

        Assert.Equal(["a red cat", "a red cat", "plain"], _partner.Asked.Select(ask => ask.Text));
        Assert.Equal([kind], _partner.Asked[0].Settings.RequiredMedia);
        Assert.Equal([kind], _partner.Asked[1].Settings.RequiredMedia);
        Assert.Equal("t1", _partner.Asked[1].FilesOfTurnId);
        Assert.Empty(_partner.Asked[2].Settings.RequiredMedia);
    }

    [Fact]
    public async Task CON_2_media_are_written_under_new_names_and_the_paths_are_printed()
    {
        _partner.Answer = _ =>
        [
            new AnswerText("Here."), new MediaStarted(0, MediaKind.Image), new MediaProgress(0, MediaKind.Image, 0.5),
            new MediaReady(0, new MediaFile(ScriptedMedia.Png, MediaFormat.Png)) { Caption = "a \u001b[31mcat", MediaId = "m", TextOffset = 5 },
            new MediaReady(1, new MediaFile(ScriptedMedia.Png, MediaFormat.Png)) { Caption = "another", MediaId = "n", TextOffset = 5 },
            new MediaLost(2, MediaKind.Audio, "I meant to add a sound here but could not make it. (ref 7F3K)"),
        ];

        var (screen, _) = await TypeAsync("/image cats", "/image");
        var (again, _) = await TypeAsync("/image cats");

        Assert.Contains("Drawing a picture … 50 %", screen, StringComparison.Ordinal);
        Assert.Contains("I meant to add a sound here but could not make it. (ref 7F3K)", screen, StringComparison.Ordinal);
        Assert.Contains("Say what it should be: /image a red cat on a mat", screen, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', screen);
        var files = Directory.GetFiles(OutPath).Order().ToList();
        Assert.Equal(4, files.Count);
        Assert.All(files, file => Assert.Matches(@"picture-\d{8}-\d{6}-\d\.png$", file));
        Assert.All(files, file => Assert.Contains(Path.GetFileName(file), (screen + again).ReplaceLineEndings(""), StringComparison.Ordinal));
        Assert.All(files, file => Assert.Equal(ScriptedMedia.Png, File.ReadAllBytes(file)));
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return _partner.DisposeAsync();
    }

    private async Task<(string Screen, int Code)> TypeAsync(params string[] lines)
    {
        var screen = new StringWriter();
        var typed = new Queue<string>(lines);
        var code = await Create(screen, () => typed.TryDequeue(out var line) ? line : null).RunAsync(CancellationToken.None);
        return (screen.ToString(), code);
    }

    private ConsoleChat Create(StringWriter screen, Func<string?> readLine)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(screen),
        });
        console.Profile.Width = 120;
        return new ConsoleChat(
            _partner, new ConsoleScreen(console, readLine), new TurnSettings(), new Attachments(_folder),
            new OutFolder(OutPath, _time), _time);
    }
}
