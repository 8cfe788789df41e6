using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>Turns over HTTP: ask and follow as events, stop, rate, remove.</summary>
internal static class TurnEndpoints
{
    /// <summary>Maps <c>/api/turns</c>.</summary>
    public static void MapTurns(this IEndpointRouteBuilder routes)
    {
        var turns = routes.MapGroup("/api/turns").WithMetadata(new NeedsScope(Scope.Chat));
        turns.MapPost("", AskAsync).WithName("ask").WithSummary("Asks; the answer comes as events.")
            .Accepts<JsonObject>("application/json", "multipart/form-data").Produces(200, contentType: "text/event-stream");
        turns.MapGet("{turnId}", FollowAsync).WithName("follow")
            .WithSummary("Parts of a running or recent turn from an index on.")
            .Produces(200, contentType: "text/event-stream");
        turns.MapPost("{turnId}/stop", Stop).WithName("stop").WithSummary("Stops a turn; what exists is kept.");
        turns.MapPost("{turnId}/feedback", RateAsync).WithName("feedback")
            .WithSummary("Votes on an own turn; repeating overwrites.").Accepts<JsonObject>("application/json");
        turns.MapDelete("{turnId}", RemoveAsync).WithName("remove").WithSummary("Removes an own turn.");
    }

    private static async Task AskAsync(HttpContext context, ConversationRouter router)
    {
        var (form, error) = await TurnForm.ReadAsync(context);
        using (form)
        {
            if (form is null)
            {
                await ErrorAnswer.WriteAsync(context, error ?? ErrorCatalogue.Internal.With());
                return;
            }

            try
            {
                var turn = Read(form.Body.RootElement, Caller.Of(context)) with { Files = form.Files };
                await AnswerAsync(context, router.AskAsync(turn));
            }
            catch (FieldException wrong)
            {
                await ErrorAnswer.WriteAsync(context, wrong.Error);
            }
        }
    }

    private static IncomingTurn Read(JsonElement body, Caller caller)
    {
        var fields = new JsonFields(body);
        var conversation = fields.Text("conversation");
        if (conversation is not null && !IsIdentifier(conversation))
        {
            throw new FieldException(
                "conversation", "conversation must be at most 200 letters, digits or any of - _ : . characters.");
        }

        return new IncomingTurn
        {
            Surface = caller.Surface,
            PersonId = caller.PersonId,
            Conversation = conversation is null ? ConversationId.New() : new ConversationId(conversation),
            MessageId = fields.Text("message_id") is { Length: > 0 and <= 200 } id ? id : Guid.NewGuid().ToString("N"),
            Revision = (int)Math.Clamp(fields.Whole("revision") ?? 0, 0, int.MaxValue),
            AfterTurnId = fields.Text("after_turn_id"),
            FilesOfTurnId = fields.Text("files_of_turn_id"),
            Text = fields.Text("text") ?? "",
            Settings = ReadSettings(fields),
        };
    }

    private static TurnSettings ReadSettings(JsonFields fields) => new()
    {
        Temperature = fields.Number("temperature"),
        TopP = fields.Number("top_p"),
        Seed = fields.Whole("seed"),
        MaxTokens = fields.Count("max_tokens"),
        StopSequences = fields.Texts("stop"),
        RequiredMedia = ReadKinds(fields, "require"),
        ForbiddenMedia = ReadKinds(fields, "forbid"),
        SystemText = fields.Text("system"),
    };

    private static IReadOnlyList<MediaKind> ReadKinds(JsonFields fields, string name) =>
    [
        .. fields.Texts(name).Select(word => MediaWords.KindOf(word)
            ?? throw new FieldException(name, $"{name} must be a list of image, audio or video.")),
    ];

    private static bool IsIdentifier(string text) => text.Length is > 0 and <= 200
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':' or '.');

    private static async Task FollowAsync(HttpContext context, ConversationRouter router, string turnId, int from = 0)
    {
        var caller = Caller.Of(context);
        await (router.Knows(turnId, caller.Surface, caller.PersonId) && from >= 0
            ? AnswerAsync(context, router.FollowAsync(turnId, caller.Surface, caller.PersonId, from, context.RequestAborted))
            : ErrorAnswer.WriteAsync(context, ErrorCatalogue.NoSuchThing.With("turn")));
    }

    /// <summary>A turn refused at once gets its status; after that everything is an event.</summary>
    private static async Task AnswerAsync(HttpContext context, IAsyncEnumerable<ReplyPart> parts)
    {
        await using var part = parts.GetAsyncEnumerator(context.RequestAborted);
        if (await part.MoveNextAsync())
        {
            if (part.Current is TurnFailed { Error: var refusal })
            {
                await ErrorAnswer.WriteAsync(context, refusal);
                return;
            }

            await EventStream.WriteAsync(context, FromHere(part), static part => [ReplyPartJson.Write(part)]);
        }

        static async IAsyncEnumerable<ReplyPart> FromHere(IAsyncEnumerator<ReplyPart> part)
        {
            do
            {
                yield return part.Current;
            }
            while (await part.MoveNextAsync());
        }
    }

    private static IResult Stop(HttpContext context, ConversationRouter router, string turnId)
    {
        var caller = Caller.Of(context);
        return router.Stop(turnId, caller.Surface, caller.PersonId)
            ? Results.Json(new JsonObject { ["stopped"] = true })
            : new ErrorResult(ErrorCatalogue.NoSuchThing.With("running turn"));
    }

    private static async Task<IResult> RateAsync(HttpContext context, KeptTurns kept, string turnId)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        using (body)
        {
            if (body is null)
            {
                return new ErrorResult(error ?? ErrorCatalogue.Internal.With());
            }

            try
            {
                var (vote, reason, correction) = ReadVote(body.RootElement);
                var caller = Caller.Of(context);
                var outcome = await kept.RateAsync(
                    caller.Surface, caller.PersonId, turnId, vote, reason, correction, context.RequestAborted);
                return outcome == VoteOutcome.NoSuchTurn
                    ? new ErrorResult(ErrorCatalogue.NoSuchThing.With("turn"))
                    : Results.Json(new JsonObject { ["kept"] = outcome == VoteOutcome.Kept });
            }
            catch (FieldException wrong)
            {
                return new ErrorResult(wrong.Error);
            }
        }
    }

    private static (TurnVote Vote, string? Reason, string? Correction) ReadVote(JsonElement body)
    {
        var fields = new JsonFields(body);
        var vote = fields.Text("vote") switch
        {
            "good" => TurnVote.Good,
            "bad" => TurnVote.Bad,
            "none" => TurnVote.None,
            _ => throw new FieldException("vote", "vote must be good, bad or none."),
        };
        return (vote, fields.Text("reason"), fields.Text("correction"));
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, KeptTurns kept, string turnId)
    {
        var caller = Caller.Of(context);
        return await kept.RemoveTurnAsync(caller.Surface, caller.PersonId, turnId, context.RequestAborted)
            ? Results.NoContent()
            : new ErrorResult(ErrorCatalogue.NoSuchThing.With("turn"));
    }
}
