using System.Globalization;
using NextGpt.Host;
using NextGpt.Server.Endpoints;
using Spectre.Console;

namespace NextGpt.Server.Terminal;

/// <summary>One answer as it comes: its text, its media as files, what is said beneath it.</summary>
internal sealed class ConsoleAnswer(ConsoleScreen screen, OutFolder outFolder)
{
    private double _told;

    /// <summary>The turn, once it is admitted.</summary>
    public string? TurnId { get; private set; }

    /// <summary>Whether there is any text or medium: then the conversation can go on from here.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Shows a part.</summary>
    public async Task ShowAsync(ReplyPart part)
    {
        if (part is not (AnswerText or TurnAccepted or TurnQueued or MediaProgress))
        {
            screen.EndLine();
        }

        HasBegun |= part is AnswerText or MediaReady;
        switch (part)
        {
            case TurnAccepted accepted:
                TurnId = accepted.TurnId;
                break;
            case AnswerText text:
                screen.Raw(text.Text);
                break;
            case MediaStarted begun:
                screen.Dim($"{MediaWords.MakingOf(begun.Kind)} …");
                _told = 0;
                break;
            case MediaProgress progress when progress.Share >= _told + 0.25 && progress.Share < 1:
                _told = progress.Share;
                screen.Dim(string.Create(
                    CultureInfo.InvariantCulture, $"{MediaWords.MakingOf(progress.Kind)} … {Math.Floor(_told * 100)} %"));
                break;
            case MediaReady ready:
                await SaveAsync(ready);
                break;
            case MediaLost lost:
                screen.Say(lost.Sentence, Color.Yellow);
                break;
            case TurnQueued queued:
                screen.Dim($"You are number {queued.Position} in line, about {Math.Ceiling(queued.Estimate.TotalSeconds)} s.");
                break;
            case AnswerNotice notice:
                screen.Dim(notice.Text);
                break;
            case TurnFailed failed:
                screen.Say(failed.Error.Message, Color.Red);
                break;
            case TurnFinished finished:
                screen.Dim(Describe(finished));
                break;
        }
    }

    private async Task SaveAsync(MediaReady ready)
    {
        var (path, problem) = await outFolder.SaveAsync(ready.File, CancellationToken.None);
        screen.Say(
            path is null ? problem ?? "" : $"{MediaWords.FileWordOf(ready.File.Kind)} › {path}",
            path is null ? Color.Red : Color.Green);
        screen.Dim(ready.Caption);
    }

    private static string Describe(TurnFinished finished)
    {
        var speed = finished is { ReplyTokens: > 0, FinishReason: not "cancelled" } && finished.Duration > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $", {finished.ReplyTokens / finished.Duration.TotalSeconds:0} tokens/s")
            : "";
        var end = finished.FinishReason switch
        {
            "cancelled" => ", stopped",
            "length" => ", cut off at its greatest length",
            _ => "",
        };
        return $"{finished.ReplyTokens} tokens{speed}{end}{(finished.Kept ? ", kept" : "")}";
    }
}
