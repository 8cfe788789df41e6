using System.Text;
using NextGpt.Host;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Terminal;

/// <summary>
/// Lines in, answers out, nothing else on the output: for pipes and scripts (CON-1). Media go to files, whose paths are on
/// the error output (CON-2).
/// </summary>
internal sealed class PipedChat(
    IChatPartner partner, Surroundings surroundings, TurnSettings settings, OutFolder outFolder)
{
    private readonly ConversationId _conversation = ConversationId.New();

    /// <summary>Answers each line that is not blank with one answer; failures go to the error output.</summary>
    /// <returns>Done, or failed if any line got no answer.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // Bytes that are no UTF-8 become U+FFFD; other encodings are not guessed. A byte order mark is not part of a line.
        using var input = new StreamReader(
            surroundings.Input, new UTF8Encoding(false, throwOnInvalidBytes: false), detectEncodingFromByteOrderMarks: false);
        var code = ExitCode.Done;
        while (await input.ReadLineAsync(cancellationToken) is { } read)
        {
            var line = read.TrimStart('\ufeff');
            if (!string.IsNullOrWhiteSpace(line) && !await AnswerAsync(line, cancellationToken))
            {
                code = ExitCode.Failed;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        return code;
    }

    private async Task<bool> AnswerAsync(string line, CancellationToken cancellationToken)
    {
        var ok = true;
        var said = false;
        await foreach (var part in partner.AskAsync(new Ask(_conversation, line, null, settings), cancellationToken))
        {
            switch (part)
            {
                case AnswerText text:
                    said = true;
                    await surroundings.Output.WriteAsync(TerminalText.Clean(text.Text));
                    await surroundings.Output.FlushAsync(CancellationToken.None);
                    break;
                case AnswerNotice notice:
                    await surroundings.Error.WriteLineAsync(notice.Text);
                    break;
                case MediaReady ready:
                    var (path, problem) = await outFolder.SaveAsync(ready.File, CancellationToken.None);
                    await surroundings.Error.WriteLineAsync(path ?? problem);
                    break;
                case MediaLost lost:
                    await surroundings.Error.WriteLineAsync(lost.Sentence);
                    break;
                case TurnFailed failed:
                    ok = false;
                    await surroundings.Error.WriteLineAsync(failed.Error.Message);
                    break;
            }
        }

        if (said || ok)
        {
            await surroundings.Output.WriteLineAsync();
        }

        return ok;
    }
}
