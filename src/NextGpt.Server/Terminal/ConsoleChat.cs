using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Commands;
using NextGpt.Server.Settings;
using Spectre.Console;

namespace NextGpt.Server.Terminal;

/// <summary>The chat of a person at a terminal (CON-1 to CON-3).</summary>
internal sealed class ConsoleChat(
    IChatPartner partner, ConsoleScreen screen, TurnSettings settings, Attachments attachments, OutFolder outFolder,
    TimeProvider time)
{
    private readonly OwnData _ownData = new(partner, screen, time);
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
            if (screen.Ask("you › ", Color.Green) is not { } line)
            {
                screen.NewLine();
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
                screen.NewLine();
                screen.Dim("Ctrl+C again leaves.");
            }

            return false;
        }
    }

    private async Task GreetAsync(CancellationToken cancellationToken)
    {
        var (consent, because) = await partner.GetConsentAsync(cancellationToken);
        var plus = partner.ModelId.IndexOf('+', StringComparison.Ordinal);
        var (model, adapter) = plus < 0 ? (partner.ModelId, "none") : (partner.ModelId[..plus], partner.ModelId[(plus + 1)..]);
        screen.Table(
        [
            ("model", model),
            ("adapter", adapter),
            ("device", partner.Place),
            ("kept", consent.Keep
                ? because is null ? "yes; /keep off stops it" : $"not now: {because}"
                : "no; /keep changes it"),
        ]);
        screen.Dim("/help lists what can be typed. Weights may be licensed for non-commercial use.");
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
            var answer = new ConsoleAnswer(screen, outFolder);
            await foreach (var part in partner.AskAsync(
                new Ask(_conversation, question, after, _lastSettings) { Files = files ?? [], FilesOfTurnId = filesOf },
                answering.Token))
            {
                await answer.ShowAsync(part);
                if (answer.HasBegun)
                {
                    (_lastTurn, _beforeLast, _lastQuestion) = (answer.TurnId, parent, question);
                }
            }

            screen.NewLine();
        }
        catch (HttpRequestException gone)
        {
            screen.EndLine();
            screen.Say($"The server cannot be reached: {gone.Message}", Color.Red);
        }
        finally
        {
            lock (_gate)
            {
                _answering = null;
            }
        }
    }

    /// <summary>A question whose answer must contain a medium.</summary>
    private async Task MakeAsync(string command, MediaKind kind, string question)
    {
        if (question.Length == 0)
        {
            screen.Dim($"Say what it should be: {command} a red cat on a mat");
            return;
        }

        await AnswerAsync(
            question, null, _lastTurn, settings with { RequiredMedia = [kind] }, attachments.Take());
    }

    private async Task<bool> ObeyAsync(string line, CancellationToken cancellationToken)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var (name, rest) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].Trim());
        switch (name.ToLowerInvariant())
        {
            case "/new":
                Begin();
                screen.Dim("A new conversation.");
                break;
            case "/retry":
                await RetryAsync();
                break;
            case "/attach" when rest.Length == 0:
                foreach (var attached in attachments.List())
                {
                    screen.Dim(attached);
                }

                break;
            case "/attach":
                screen.Dim(await attachments.AddAsync(rest, cancellationToken));
                break;
            case "/detach":
                screen.Dim(attachments.Remove(rest));
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
                screen.Dim("Write the better answer after it: /correct The capital of France is Paris.");
                break;
            case "/correct":
                await RateAsync(TurnVote.Bad, "", rest, cancellationToken);
                break;
            case "/keep":
                await _ownData.KeepAsync(rest, cancellationToken);
                break;
            case "/forget":
                if (await _ownData.ForgetAsync(cancellationToken))
                {
                    Begin();
                }

                break;
            case "/export":
                await _ownData.ExportAsync(rest, cancellationToken);
                break;
            case "/help":
                screen.Table(ChatCommands.All);
                screen.Dim("You talk with an AI that errs. It makes no speech. English works best.");
                break;
            case "/exit" or "/quit":
                return false;
            default:
                var nearest = NearestName.To(name, ChatCommands.All.Select(command => command.Name));
                screen.Dim(nearest is null
                    ? $"There is no command {name}; /help lists what there is."
                    : $"There is no command {name}; did you mean {nearest}?");
                break;
        }

        return true;
    }

    /// <summary>Begins a conversation that knows nothing of what was said.</summary>
    private void Begin() =>
        (_conversation, _lastTurn, _beforeLast, _lastQuestion) = (ConversationId.New(), null, null, null);

    private async Task RetryAsync()
    {
        if (_lastQuestion is null)
        {
            screen.Dim("There is no question yet to answer again.");
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
            screen.Dim("There is no answer yet to vote on.");
            return;
        }

        var outcome = await partner.RateAsync(
            _lastTurn, vote, reason.Length == 0 ? null : reason, correction, cancellationToken);
        screen.Dim(outcome switch
        {
            VoteOutcome.Kept => "Thank you; kept with the answer.",
            VoteOutcome.Counted => "Thank you; counted. The answer itself is not kept (/keep changes that).",
            _ => "That answer is not remembered any more.",
        });
    }
}
