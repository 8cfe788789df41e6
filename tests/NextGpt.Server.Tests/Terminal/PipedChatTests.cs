using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;
using NextGpt.Server.Commands;
using NextGpt.Server.Terminal;

namespace NextGpt.Server.Tests.Terminal;

public sealed class PipedChatTests : IAsyncDisposable
{
    private readonly ScriptedPartner _partner = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-piped-").FullName;

    [Fact]
    public async Task CON_1_each_line_gets_one_answer_and_nothing_else_is_on_the_output()
    {
        _partner.Answer = ask => [new AnswerNotice("An AI answers."), new AnswerText("re: "), new AnswerText(ask.Text)];

        var (output, error, code) = await PipeAsync("one\ntwo\n"u8.ToArray());

        Assert.Equal(($"re: one{Environment.NewLine}re: two{Environment.NewLine}", ExitCode.Done), (output, code));
        Assert.Contains("An AI answers.", error, StringComparison.Ordinal);
        Assert.Single(_partner.Asked.Select(ask => ask.Conversation).Distinct());
    }

    [Fact]
    public async Task CON_1_a_last_line_without_end_counts_and_blank_lines_do_not()
    {
        await PipeAsync("one\n\n  \r\ntwo"u8.ToArray());

        Assert.Equal(["one", "two"], _partner.Asked.Select(ask => ask.Text));
    }

    [Fact]
    public async Task CON_1_bytes_that_are_no_UTF_8_become_replacement_characters_and_a_byte_order_mark_vanishes()
    {
        await PipeAsync([0xEF, 0xBB, 0xBF, (byte)'a', 0xFF, 0xFE, (byte)'b', (byte)'\n', 0xFF, 0xFE, (byte)'c']);

        Assert.Equal(["a\ufffd\ufffdb", "\ufffd\ufffdc"], _partner.Asked.Select(ask => ask.Text));
    }

    [Fact]
    public async Task A_line_that_gets_no_answer_is_said_on_the_error_output_the_others_go_on_and_the_code_is_1()
    {
        _partner.Answer = ask => ask.Text == "bad"
            ? [new TurnFailed(ErrorCatalogue.EmptyPrompt.With())]
            : [new AnswerText("fine")];

        var (output, error, code) = await PipeAsync("bad\ngood\n"u8.ToArray());

        Assert.Equal(($"fine{Environment.NewLine}", ExitCode.Failed), (output, code));
        Assert.Contains("No text and no file came", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CON_2_media_go_to_files_whose_paths_are_on_the_error_output()
    {
        _partner.Answer = _ =>
        [
            new AnswerText("Here."),
            new MediaReady(0, new MediaFile(ScriptedMedia.Wav, MediaFormat.Wav)) { Caption = "rain", MediaId = "m", TextOffset = 5 },
            new MediaLost(1, MediaKind.Image, "I meant to add a picture here but could not make it. (ref 7F3K)"),
        ];

        var (output, error, code) = await PipeAsync("rain\n"u8.ToArray());

        Assert.Equal(($"Here.{Environment.NewLine}", ExitCode.Done), (output, code));
        var file = Assert.Single(Directory.GetFiles(Path.Combine(_folder, "out")));
        Assert.Contains(file, error, StringComparison.Ordinal);
        Assert.Contains("(ref 7F3K)", error, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return _partner.DisposeAsync();
    }

    private async Task<(string Output, string Error, int Code)> PipeAsync(byte[] input)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        using var stream = new MemoryStream(input);
        var surroundings = new Surroundings { Input = stream, Output = output, Error = error };
        var code = await new PipedChat(
            _partner, surroundings, new TurnSettings(), new OutFolder(Path.Combine(_folder, "out"), TimeProvider.System)).RunAsync(CancellationToken.None);
        return (output.ToString(), error.ToString(), code);
    }
}
