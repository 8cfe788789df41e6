using System.Text.Json;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Guards;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Pages;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>Asking, following, stopping, rating and removing turns (WEB-2, WEB-5).</summary>
internal static class ChatTurnEndpoints
{
    /// <summary>How often a quiet stream says that it lives.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static void MapChatTurns(this IEndpointRouteBuilder pages)
    {
        pages.MapPost("/chat/turns", AskAsync);
        pages.MapGet("/chat/turns/{id}/events", FollowAsync);
        pages.MapPost("/chat/turns/{id}/stop", (HttpContext context, string id, ChatDesk desk) =>
            desk.Stop(PageGuard.PersonOf(context).Id, id) || desk.FindRecent(PageGuard.PersonOf(context).Id, id) is not null
                ? Results.NoContent()
                : NoSuchTurn());
        pages.MapPut("/chat/turns/{id}/rating", RateAsync);
        pages.MapDelete("/chat/turns/{id}", async (HttpContext context, string id, ChatDesk desk) =>
            await desk.RemoveTurnAsync(PageGuard.PersonOf(context).Id, id, context.RequestAborted)
                ? Results.NoContent()
                : NoSuchTurn());
    }

    private static ErrorResult NoSuchTurn() => new(ErrorCatalogue.NoSuchThing.With("turn"));

    private static async Task<IResult> AskAsync(HttpContext context, ChatDesk desk, TurnView turns)
    {
        var (form, error) = await TurnForm.ReadAsync(context);
        using (form)
        {
            return form is null
                ? new ErrorResult(error ?? ErrorCatalogue.Internal.With())
                : await AskNowAsync(context, Read(form), form.Files, desk, turns);
        }
    }

    /// <summary>The question of a request; null if the page sent something that is none.</summary>
    private static AskRequest? Read(TurnForm form)
    {
        try
        {
            return form.Body.RootElement.Deserialize<AskRequest>(JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<IResult> AskNowAsync(
        HttpContext context, AskRequest? request, IReadOnlyList<IncomingFile> files, ChatDesk desk, TurnView turns)
    {
        if (request is null)
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With("The page sent a broken question; reload it and try again."));
        }

        var person = PageGuard.PersonOf(context).Id;
        var conversation = string.IsNullOrEmpty(request.Conversation) ? ConversationId.New().Value : request.Conversation;
        if (!IsId(conversation) || !IsId(request.MessageId))
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With("The page sent a broken id; reload it and try again."));
        }

        var outcome = await desk.AskAsync(
            person,
            new WebQuestion
            {
                Conversation = conversation,
                After = request.After,
                MessageId = request.MessageId ?? "",
                Text = request.Text ?? "",
                Files = files,
                FilesOf = IsId(request.FilesOf) ? request.FilesOf : null,
                Make = MediaWords.KindOf(request.Make),
                Again = request.Again,
            },
            context.RequestAborted);
        if (outcome.Turn is not { } turn)
        {
            return new ErrorResult(outcome.Error ?? ErrorCatalogue.Internal.With());
        }

        var chat = await desk.ReadAsync(person, conversation, context.RequestAborted);
        return Results.Json(new
        {
            Conversation = conversation,
            Turn = turn.Id,
            chat.Title,
            Html = turns.Article(person, chat, chat.Find(turn.Id) ?? turn).ToString(),
        });
    }

    /// <summary>The answer as server-sent events: the blocks that change, then once the finished turn.</summary>
    private static async Task<IResult> FollowAsync(
        HttpContext context, string id, int? from, ChatDesk desk, TurnView turns, MediaView media, AnswerRenderer renderer,
        TimeProvider time)
    {
        var person = PageGuard.PersonOf(context).Id;
        if (desk.FindRecent(person, id) is not { } asked)
        {
            return NoSuchTurn();
        }

        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        var aborted = context.RequestAborted;
        await response.StartAsync(aborted);
        var shown = new ShownMedia(media, person, asked, () => desk.FilesOf(person, id));
        var stream = new AnswerStream(response, renderer, shown, from ?? 0);
        await CopyAsync(desk, person, id, stream, time, aborted);
        await desk.EndOf(id).WaitAsync(aborted);
        if (desk.FindRecent(person, id) is { } turn)
        {
            var chat = await desk.ReadAsync(person, turn.ConversationId, aborted);
            turn = chat.Find(id) ?? turn;
            await stream.EndAsync(turns.Article(person, chat, turn), turn.Error?.Message, aborted);
        }

        return Results.Empty;
    }

    private static async Task CopyAsync(
        ChatDesk desk, string person, string id, AnswerStream stream, TimeProvider time, CancellationToken aborted)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var parts = desk.FollowAsync(person, id, left.Token).GetAsyncEnumerator(left.Token);
        var move = parts.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                if (!move.IsCompleted)
                {
                    await stream.ShowAsync(aborted);   // everything that is there has been read: show it
                    try
                    {
                        await move.WaitAsync(Heartbeat, time, aborted);
                    }
                    catch (TimeoutException)
                    {
                        await stream.SayAliveAsync(aborted);
                        continue;
                    }
                }

                if (!await move)
                {
                    break;
                }

                await stream.AddAsync(parts.Current, aborted);
                move = parts.MoveNextAsync().AsTask();
            }

            await stream.ShowAsync(aborted);
        }
        finally
        {
            // The reader may have left in the middle: parts must not be put away while one is being waited for.
            await left.CancelAsync();
            await Task.WhenAny(move);
            await parts.DisposeAsync();
        }
    }

    private static async Task<IResult> RateAsync(
        HttpContext context, string id, RatingRequest request, ChatDesk desk, TurnView turns)
    {
        var person = PageGuard.PersonOf(context).Id;
        TurnVote? vote = request.Vote switch
        {
            "good" => TurnVote.Good,
            "bad" => TurnVote.Bad,
            "none" => TurnVote.None,
            _ => null,
        };
        if (vote is null || request.Reason?.Length > 1_100 || request.Correction?.Length > 8_000)
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With(
                "A vote is good, bad or none, its reason has up to 1,100 and a better answer up to 8,000 characters."));
        }

        var outcome = await desk.RateAsync(
            person, id, vote.Value, request.Reason, request.Correction, context.RequestAborted);
        var chat = await desk.ReadAsync(person, request.Conversation ?? "", context.RequestAborted);
        return outcome != VoteOutcome.NoSuchTurn && chat.Find(id) is { } turn
            ? new PageResult(turns.Article(person, chat, turn))
            : NoSuchTurn();
    }

    private static bool IsId(string? id) => id is { Length: 32 } && id.All(char.IsAsciiHexDigitLower);

    private sealed record AskRequest(
        string? Conversation, string? After, string? Text, string? MessageId, bool Again, string? FilesOf, string? Make);

    private sealed record RatingRequest(string? Conversation, string? Vote, string? Reason, string? Correction);

    /// <summary>Writes the events of one answer to one reader.</summary>
    private sealed class AnswerStream(HttpResponse response, AnswerRenderer renderer, ShownMedia media, int from)
    {
        private readonly StreamedAnswer _answer = new(renderer);
        private readonly System.Text.StringBuilder _text = new();
        private int _parts;
        private bool _grown;

        public async Task AddAsync(ReplyPart part, CancellationToken cancellationToken)
        {
            var isNew = _parts++ >= from;
            media.Add(part);
            switch (part)
            {
                case AnswerText text:
                    _text.Append(text.Text);
                    _grown = true;
                    break;
                case TurnQueued queued when isNew:
                    await SendAsync(
                        "queued",
                        new { queued.Position, Seconds = (int)Math.Ceiling(queued.Estimate.TotalSeconds) },
                        cancellationToken);
                    break;
                case TurnStarted started when isNew:
                    await SendAsync(
                        "started", new { Model = started.ModelId, Files = media.Files().ToString() }, cancellationToken);
                    break;
                default:
                    break;   // notices and the end come with the finished turn
            }
        }

        /// <summary>Sends what has been added and not been shown.</summary>
        public async Task ShowAsync(CancellationToken cancellationToken)
        {
            if (_grown && _answer.Update(_text.ToString()) is { } change)
            {
                await SendAsync("change", change, cancellationToken);
            }

            _grown = false;
            if (media.Take() is var (html, news))
            {
                await SendAsync("media", new { Html = html.ToString(), News = news }, cancellationToken);
            }

            await response.Body.FlushAsync(cancellationToken);
        }

        /// <summary>A comment, so that nobody between us and the reader takes the silence for an end.</summary>
        public async Task SayAliveAsync(CancellationToken cancellationToken)
        {
            await response.WriteAsync(": alive\n\n", cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
        }

        public async Task EndAsync(Html turn, string? failed, CancellationToken cancellationToken)
        {
            await SendAsync("ended", new { Html = turn.ToString(), Failed = failed }, cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
        }

        private Task SendAsync(string name, object data, CancellationToken cancellationToken) => response.WriteAsync(
            $"id: {_parts}\nevent: {name}\ndata: {JsonSerializer.Serialize(data, JsonSerializerOptions.Web)}\n\n",
            cancellationToken);
    }
}
