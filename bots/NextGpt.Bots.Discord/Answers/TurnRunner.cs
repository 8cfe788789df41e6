using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Feedback;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>Hands a question to the router and shows what comes back, first the text, then the media (TRN-4).</summary>
internal sealed partial class TurnRunner(
    ConversationRouter router, KeptTurns kept, MediaFitting? fitting, TurnIndex index, Func<DiscordOptions> options, TimeProvider time,
    ILogger logger, CancellationToken stop)
{
    /// <summary>The surface's name at the host.</summary>
    public const string Surface = "discord";

    private const long MostBytesOfMessage = 24 * 1024 * 1024;
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly ConcurrentDictionary<ConversationId, Task> _last = new();

    /// <summary>Answers being shown.</summary>
    public int Running => _running.Count;

    /// <summary>
    /// Asks: the question has its place in the row when this returns, so that questions keep their order; the answer is
    /// shown by the task.
    /// </summary>
    public Task Start(AskedQuestion question, IAnswerPlace place)
    {
        var parts = router.AskAsync(
            new IncomingTurn
            {
                Surface = Surface,
                PersonId = question.Person,
                Conversation = question.Conversation,
                MessageId = question.Id,
                Revision = question.Revision,
                GroupId = question.Server,
                IsOnesOwn = true,   // each person's conversation in a place is their own (THR-4)
                IsNotKept = question.IsNotKept,
                Links = LinksOf(question),
                Text = question.Text,
                Files = question.Files,
                FilesOfTurnId = question.FilesOfTurnId,
                Settings = question.Settings,
            },
            CancellationToken.None);
        var shown = ShowAsync(question, place, parts, _last.GetValueOrDefault(question.Conversation, Task.CompletedTask));
        _running.TryAdd(shown, 0);
        _last[question.Conversation] = shown;
        _ = shown.ContinueWith(
            done =>
            {
                _running.TryRemove(done, out _);
                _last.TryRemove(new KeyValuePair<ConversationId, Task>(question.Conversation, done));
            },
            TaskScheduler.Default);
        return shown;
    }

    /// <summary>Waits until every answer has been shown.</summary>
    public Task DrainAsync() => Task.WhenAll(_running.Keys);

    private async Task ShowAsync(AskedQuestion question, IAnswerPlace place, IAsyncEnumerable<ReplyPart> parts, Task before)
    {
        await Task.Yield();
        var writer = new AnswerWriter(place, options().EditInterval, time, logger, stop) { Before = before };
        var shown = writer.RunAsync();
        try
        {
            var rendering = new Rendering(question, place, writer) { Shown = shown };
            await foreach (var part in parts)
            {
                if (!Take(rendering, part))
                {
                    writer.End();   // shows nothing, and nobody types any more
                    await shown;
                    return;
                }
            }

            if (rendering.IsEmpty)
            {
                writer.AddNotice("The model gave no answer; ask again.");
            }

            writer.End();
            if (await shown)
            {
                await PostMediaAsync(rendering);
            }

            if (rendering.KeptTurnId is { } turnId)
            {
                await kept.LinkAnswersAsync(Surface, question.Person, turnId, [.. writer.Messages.Where(Snowflake.IsId)], stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Shutdown: the router has said so to whoever was waiting.
        }
        catch (Exception failure)   // the edge of a bot's turn (rule 21)
        {
            LogFailed(question.Id, failure.GetType().Name, failure);
        }
    }

    /// <summary>What leads to the question once it is kept: its message, and what takes it along when it goes.</summary>
    private static IReadOnlyList<TurnLink> LinksOf(AskedQuestion question) =>
    [
        new(TurnLinkKind.Question, question.Id),
        .. new[] { question.Server, question.Channel, question.Conversation.Value.Split(':')[0] }.OfType<string>().Distinct()
            .Select(id => new TurnLink(TurnLinkKind.Place, id)),
    ];

    /// <summary>False if nothing is to be shown: somebody else shows this answer, or it was shown before.</summary>
    private bool Take(Rendering rendering, ReplyPart part)
    {
        var (question, place, writer) = (rendering.Question, rendering.Place, rendering.Writer);
        switch (part)
        {
            case TurnAccepted { IsRepeat: true }:
                return false;
            case TurnAccepted accepted:
                rendering.TurnId = accepted.TurnId;
                index.Add(new IndexedTurn(question, accepted.TurnId, writer, place) { Shown = rendering.Shown });
                writer.Buttons = (FeedbackButtons.Stop(accepted.TurnId), FeedbackButtons.Votes(accepted.TurnId));
                StopIfUnshown(accepted.TurnId, question, rendering.Shown);
                break;
            case TurnQueued queued:
                writer.SetStatus(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{queued.Position} in line, about {Math.Max(1, queued.Estimate.TotalSeconds):0} s"));
                break;
            case TurnStarted started:
                rendering.ModelId = started.ModelId;
                writer.SetStatus("");
                break;
            case AnswerText text:
                rendering.HasText = true;
                writer.Add(text.Text);
                break;
            case AnswerNotice notice:
                writer.AddNotice(notice.Text);
                break;
            case MediaStarted started:
                writer.SetStatus(Doing(started.Kind));
                break;
            case MediaProgress progress:
                // In steps of a quarter: each change of the line is a change of the message.
                writer.SetStatus($"{Doing(progress.Kind)} {Math.Floor(progress.Share * 4) * 25:0} %");
                break;
            case MediaReady ready:
                rendering.Media.Add(ready);
                writer.SetStatus("");
                break;
            case MediaLost lost:
                rendering.HasText = true;
                writer.SetStatus("");
                writer.AddNotice(lost.Sentence);
                break;
            case TurnFinished finished:
                rendering.KeptTurnId = finished.Kept ? rendering.TurnId : null;
                if (finished.FinishReason == "cancelled")
                {
                    rendering.HasText = true;
                    writer.AddNotice("Stopped.");
                }

                break;
            case TurnFailed failed when failed.Error.Sentence == ErrorCatalogue.AnsweredBefore.With().Sentence:
                return false;
            case TurnFailed failed:
                rendering.HasText = true;
                writer.Buttons = (null, null);
                writer.AddNotice(failed.Error.Message);
                break;
        }

        return true;
    }

    /// <summary>Nobody is there to read: the model is freed.</summary>
    private void StopIfUnshown(string turnId, AskedQuestion question, Task<bool> shown) => _ = shown.ContinueWith(
        ended =>
        {
            if (ended is not { Status: TaskStatus.RanToCompletion, Result: true })
            {
                router.Stop(turnId, Surface, question.Person);
            }
        },
        TaskScheduler.Default);

    private async Task PostMediaAsync(Rendering rendering)
    {
        var (part, bytes) = (0, 0L);
        var files = new List<OutgoingFile>();
        foreach (var ready in rendering.Media)
        {
            var most = rendering.Place.FileBytes;
            var file = ready.File.Bytes.Length <= most ? ready.File
                : fitting is null ? null : await fitting.FitAsync(ready.File, most, rendering.ModelId, stop);
            if (file is null)
            {
                await rendering.Writer.PostAsync($"m{part++}", new OutgoingMessage
                {
                    Content = string.Create(
                        CultureInfo.InvariantCulture,
                        $"-# The {NameOf(ready.File.Kind)} has {ready.File.Bytes.Length / 1048576.0:0.0} MiB and could not be made to fit into {most / 1048576} MiB; ask for a smaller one."),
                });
                continue;
            }

            if (files.Count > 0 && bytes + file.Bytes.Length > MostBytesOfMessage)
            {
                await PostAsync(rendering, files, part++);
                (files, bytes) = ([], 0);
            }

            bytes += file.Bytes.Length;
            files.Add(new OutgoingFile(
                $"{(rendering.Question.HideMedia || options().HideMedia ? "SPOILER_" : "")}{NameOf(file.Kind)}-{ready.Index + 1}.{file.Format.Extension}",
                file.Format.MediaType, file.Bytes, ready.Caption.Length > 1_024 ? ready.Caption[..1_024] : ready.Caption));
        }

        if (files.Count > 0)
        {
            await PostAsync(rendering, files, part);
        }
    }

    private static Task<bool> PostAsync(Rendering rendering, IReadOnlyList<OutgoingFile> files, int part) =>
        rendering.Writer.PostAsync($"m{part}", new OutgoingMessage
        {
            Files = files,
            Components = rendering.Writer.Messages.Count == 0 ? rendering.Writer.Buttons.Whole : null,
        });

    private static string NameOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "picture",
        MediaKind.Audio => "sound",
        _ => "clip",
    };

    private static string Doing(MediaKind kind) => kind switch
    {
        MediaKind.Image => "drawing a picture",
        MediaKind.Audio => "making a sound",
        _ => "making a clip",
    };

    [LoggerMessage(5050, LogLevel.Error, "The answer to message {Message} could not be shown ({Failure})")]
    private partial void LogFailed(string message, string failure, Exception exception);

    /// <summary>An answer on its way.</summary>
    private sealed class Rendering(AskedQuestion question, IAnswerPlace place, AnswerWriter writer)
    {
        public AskedQuestion Question => question;

        public IAnswerPlace Place => place;

        public AnswerWriter Writer => writer;

        public required Task<bool> Shown { get; init; }

        public string ModelId { get; set; } = "nextgpt";

        public string? TurnId { get; set; }

        /// <summary>The turn, once it is kept.</summary>
        public string? KeptTurnId { get; set; }

        public bool HasText { get; set; }

        public List<MediaReady> Media { get; } = [];

        public bool IsEmpty => !HasText && Media.Count == 0;
    }
}
