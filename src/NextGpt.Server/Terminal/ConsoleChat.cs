using System.Globalization;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Commands;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Settings;
using Spectre.Console;

namespace NextGpt.Server.Terminal;

/// <summary>The chat of a person at a terminal (CON-1 to CON-3).</summary>
internal sealed class ConsoleChat(
    IChatPartner partner, IAnsiConsole console, Func<string?> readLine, TurnSettings settings, Attachments attachments,
    OutFolder outFolder, TimeProvider time)
{
    private static readonly (string Name, string Does)[] ChatCommands =
    [
        ("/new", "begin a new conversation"),
        ("/retry", "answer the last question again"),
        ("/attach", "attach a file to the next question: /attach PATH; alone it lists what is attached"),
        ("/detach", "take an attached file away: /detach 2; alone it takes all"),
        ("/image", "ask for a picture: /image a red cat"),
        ("/sound", "ask for a sound: /sound rain on a roof"),
        ("/video", "ask for a clip: /video a ball that rolls"),
        ("/good", "vote for the last answer; a reason may follow"),
        ("/bad", "vote against the last answer; a reason may follow"),
        ("/correct", "what the last answer should have been"),
        ("/keep", "allow or stop keeping your conversations: /keep, /keep off"),
        ("/forget", "erase everything that is kept of you"),
        ("/export", "write what is kept of you to a ZIP file"),
        ("/help", "this list"),
        ("/exit", "leave (also Ctrl+D, or Ctrl+C twice)"),
    ];

    private readonly Lock _gate = new();
    private ConversationId _conversation = ConversationId.New();
    private CancellationTokenSource? _answering;
    private DateTimeOffset _lastInterrupt = DateTimeOffset.MinValue;
    private string? _lastTurn;
    private string? _beforeLast;
    private string? _lastQuestion;
    private TurnSettings? _lastSettings;

    /// <summary>Greets, then answers until the person leaves.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await GreetAsync(cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            console.Write("you › ", new Style(Color.Green));
            if (readLine() is not { } line)
            {
                console.WriteLine();
                return ExitCode.Done;
            }

            line = line.Trim();
            if (line.Length == 0)
            {
                continue;
            }

            if (line[0] != '/')
            {
                await AnswerAsync(line, null, _lastTurn, files: attachments.Take());
            }
            else if (!await ObeyAsync(line, cancellationToken))
            {
                return ExitCode.Done;
            }
        }

        return ExitCode.Stopped;
    }

    /// <summary>Ctrl+C: stops the answer; the second within two seconds, or with nothing to stop, says to leave.</summary>
    /// <returns>Whether to leave.</returns>
    public bool Interrupt()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var again = now - _lastInterrupt < TimeSpan.FromSeconds(2);
            _lastInterrupt = now;
            if (again)
            {
                return true;
            }

            if (_answering is { } answering)
            {
                answering.Cancel();
            }
            else
            {
                console.WriteLine();
                Dim("Ctrl+C again leaves.");
            }

            return false;
        }
    }

    private async Task GreetAsync(CancellationToken cancellationToken)
    {
        var (consent, because) = await partner.GetConsentAsync(cancellationToken);
        var plus = partner.ModelId.IndexOf('+', StringComparison.Ordinal);
        var (model, adapter) = plus < 0 ? (partner.ModelId, "none") : (partner.ModelId[..plus], partner.ModelId[(plus + 1)..]);
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
        grid.AddRow(new Text("model"), new Text(TerminalText.Clean(model)));
        grid.AddRow(new Text("adapter"), new Text(TerminalText.Clean(adapter)));
        grid.AddRow(new Text("device"), new Text(TerminalText.Clean(partner.Place)));
        grid.AddRow(new Text("kept"), new Text(consent.Keep
            ? because is null ? "yes; /keep off stops it" : $"not now: {because}"
            : "no; /keep changes it"));
        console.Write(grid);
        Dim("/help lists what can be typed. Weights may be licensed for non-commercial use.");
    }

    private async Task AnswerAsync(
        string question, string? after, string? parent, TurnSettings? settingsOfThisTurn = null,
        IReadOnlyList<IncomingFile>? files = null, string? filesOf = null)
    {
        _lastSettings = settingsOfThisTurn ?? settings;
        using var answering = new CancellationTokenSource();
        lock (_gate)
        {
            _answering = answering;
        }

        try
        {
            string? turnId = null;
            var midLine = false;
            var told = 0.0;
            await foreach (var part in partner.AskAsync(
                new Ask(_conversation, question, after, settingsOfThisTurn ?? settings)
                {
                    Files = files ?? [],
                    FilesOfTurnId = filesOf,
                },
                answering.Token))
            {
                switch (part)
                {
                    case TurnAccepted accepted:
                        turnId = accepted.TurnId;
                        break;
                    case AnswerText text:
                        Raw(text.Text);
                        midLine = true;
                        (_lastTurn, _beforeLast, _lastQuestion) = (turnId, parent, question);
                        break;
                    case MediaStarted begun:
                        EndLine(ref midLine);
                        Dim($"{MediaWords.MakingOf(begun.Kind)} …");
                        told = 0;
                        break;
                    case MediaProgress progress when progress.Share >= told + 0.25 && progress.Share < 1:
                        told = progress.Share;
                        Dim(string.Create(
                            CultureInfo.InvariantCulture, $"{MediaWords.MakingOf(progress.Kind)} … {Math.Floor(told * 100)} %"));
                        break;
                    case MediaReady ready:
                        EndLine(ref midLine);
                        (_lastTurn, _beforeLast, _lastQuestion) = (turnId, parent, question);
                        await SaveAsync(ready);
                        break;
                    case MediaLost lost:
                        EndLine(ref midLine);
                        console.WriteLine(TerminalText.Clean(lost.Sentence), new Style(Color.Yellow));
                        break;
                    case TurnQueued queued:
                        Dim($"You are number {queued.Position} in line, about {Math.Ceiling(queued.Estimate.TotalSeconds)} s.");
                        break;
                    case AnswerNotice notice:
                        EndLine(ref midLine);
                        Dim(notice.Text);
                        break;
                    case TurnFailed failed:
                        EndLine(ref midLine);
                        console.WriteLine(TerminalText.Clean(failed.Error.Message), new Style(Color.Red));
                        break;
                    case TurnFinished finished:
                        EndLine(ref midLine);
                        Dim(Describe(finished));
                        break;
                }
            }

            console.WriteLine();
        }
        catch (HttpRequestException gone)
        {
            console.WriteLine($"The server cannot be reached: {gone.Message}", new Style(Color.Red));
        }
        finally
        {
            lock (_gate)
            {
                _answering = null;
            }
        }
    }

    private async Task SaveAsync(MediaReady ready)
    {
        var (path, problem) = await outFolder.SaveAsync(ready.File, CancellationToken.None);
        console.WriteLine(
            path is null
                ? TerminalText.Clean(problem ?? "")
                : $"{MediaWords.FileWordOf(ready.File.Kind)} › {TerminalText.Clean(path)}",
            new Style(path is null ? Color.Red : Color.Green));
        Dim(ready.Caption);
    }

    /// <summary>A question whose answer must contain a medium.</summary>
    private async Task MakeAsync(string command, MediaKind kind, string question)
    {
        if (question.Length == 0)
        {
            Dim($"Say what it should be: {command} a red cat on a mat");
            return;
        }

        await AnswerAsync(
            question, null, _lastTurn, settings with { RequiredMedia = [kind] }, attachments.Take());
    }

    private void EndLine(ref bool midLine)
    {
        if (midLine)
        {
            console.WriteLine();
            midLine = false;
        }
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

    private async Task<bool> ObeyAsync(string line, CancellationToken cancellationToken)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var (name, rest) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].Trim());
        switch (name.ToLowerInvariant())
        {
            case "/new":
                (_conversation, _lastTurn, _beforeLast, _lastQuestion) = (ConversationId.New(), null, null, null);
                Dim("A new conversation.");
                break;
            case "/retry":
                await RetryAsync();
                break;
            case "/attach" when rest.Length == 0:
                foreach (var attached in attachments.List())
                {
                    Dim(attached);
                }

                break;
            case "/attach":
                Dim(await attachments.AddAsync(rest, cancellationToken));
                break;
            case "/detach":
                Dim(attachments.Remove(rest));
                break;
            case "/image":
                await MakeAsync(name, MediaKind.Image, rest);
                break;
            case "/sound":
                await MakeAsync(name, MediaKind.Audio, rest);
                break;
            case "/video":
                await MakeAsync(name, MediaKind.Video, rest);
                break;
            case "/good":
                await RateAsync(TurnVote.Good, rest, null, cancellationToken);
                break;
            case "/bad":
                await RateAsync(TurnVote.Bad, rest, null, cancellationToken);
                break;
            case "/correct" when rest.Length == 0:
                Dim("Write the better answer after it: /correct The capital of France is Paris.");
                break;
            case "/correct":
                await RateAsync(TurnVote.Bad, "", rest, cancellationToken);
                break;
            case "/keep":
                await KeepAsync(rest, cancellationToken);
                break;
            case "/forget":
                await ForgetAsync(cancellationToken);
                break;
            case "/export":
                await ExportAsync(rest, cancellationToken);
                break;
            case "/help":
                Help();
                break;
            case "/exit" or "/quit":
                return false;
            default:
                var nearest = NearestName.To(name, ChatCommands.Select(command => command.Name));
                Dim(nearest is null
                    ? $"There is no command {name}; /help lists what there is."
                    : $"There is no command {name}; did you mean {nearest}?");
                break;
        }

        return true;
    }

    private async Task RetryAsync()
    {
        if (_lastQuestion is null)
        {
            Dim("There is no question yet to answer again.");
            return;
        }

        // A second answer to the same question should differ, whatever the host's default is.
        await AnswerAsync(
            _lastQuestion, _beforeLast ?? "", _beforeLast,
            (_lastSettings ?? settings) with { Temperature = settings.Temperature ?? 0.8 }, filesOf: _lastTurn);
    }

    private async Task RateAsync(TurnVote vote, string reason, string? correction, CancellationToken cancellationToken)
    {
        if (_lastTurn is null)
        {
            Dim("There is no answer yet to vote on.");
            return;
        }

        var outcome = await partner.RateAsync(
            _lastTurn, vote, reason.Length == 0 ? null : reason, correction, cancellationToken);
        Dim(outcome switch
        {
            VoteOutcome.Kept => "Thank you; kept with the answer.",
            VoteOutcome.Counted => "Thank you; counted. The answer itself is not kept (/keep changes that).",
            _ => "That answer is not remembered any more.",
        });
    }

    private async Task KeepAsync(string rest, CancellationToken cancellationToken)
    {
        if (rest.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            await partner.SetConsentAsync(keep: false, train: false, cancellationToken);
            Dim("Nothing is kept any more; what was kept is erased.");
            return;
        }

        var (consent, because) = await partner.GetConsentAsync(cancellationToken);
        var keep = Confirm(await partner.GetKeepTextAsync(cancellationToken));
        var train = keep && Confirm(ConsentText.Train);
        if (keep || consent.Keep)
        {
            await partner.SetConsentAsync(keep, train, cancellationToken);
        }

        Dim(keep
            ? because is null
                ? $"From now on this is kept{(train ? " and may improve the model" : "")}."
                : $"Noted, but nothing is being kept now: {because}"
            : "Nothing is kept.");
    }

    private async Task ForgetAsync(CancellationToken cancellationToken)
    {
        if (!Confirm("Erase everything that is kept of you?"))
        {
            Dim("Nothing was erased.");
            return;
        }

        try
        {
            var removed = await partner.EraseAsync(cancellationToken);
            (_conversation, _lastTurn, _beforeLast, _lastQuestion) = (ConversationId.New(), null, null, null);
            Dim($"{removed} kept turns were erased.");
        }
        catch (Exception refused) when (refused is InvalidOperationException or CommandFailure)
        {
            Dim(refused.Message);
        }
    }

    private async Task ExportAsync(string rest, CancellationToken cancellationToken)
    {
        var path = rest.Length > 0 ? rest : string.Create(
            CultureInfo.InvariantCulture, $"nextgpt-export-{time.GetUtcNow():yyyyMMdd-HHmmss}.zip");
        if (File.Exists(path))
        {
            Dim($"{path} is there already; nothing is overwritten, name another file.");
            return;
        }

        try
        {
            using var buffer = new MemoryStream();
            await partner.ExportAsync(buffer, cancellationToken);
            await File.WriteAllBytesAsync(path, buffer.ToArray(), cancellationToken);
            Dim($"Written to {path}.");
        }
        catch (Exception refused) when (refused is InvalidOperationException or CommandFailure or IOException
            or UnauthorizedAccessException)
        {
            Dim(refused.Message);
        }
    }

    private bool Confirm(string question)
    {
        console.WriteLine(question);
        console.Write("yes or no › ", new Style(Color.Yellow));
        return readLine()?.Trim().ToLowerInvariant() is "yes" or "y";
    }

    private void Help()
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
        foreach (var (name, does) in ChatCommands)
        {
            grid.AddRow(new Text(name), new Text(does));
        }

        console.Write(grid);
        Dim("You talk with an AI that errs. It makes no speech. English works best.");
    }

    private void Dim(string text) =>
        console.WriteLine(TerminalText.Clean(text), new Style(decoration: Decoration.Dim));

    /// <summary>A piece of an answer goes out as it is: it begins where the last one ended.</summary>
    private void Raw(string text)
    {
        console.Profile.Out.Writer.Write(TerminalText.Clean(text));
        console.Profile.Out.Writer.Flush();
    }
}
