using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>Chat completions in the shape of OpenAI's API, whole and as events.</summary>
internal static class CompletionEndpoints
{
    /// <summary>Maps <c>/v1/chat/completions</c>.</summary>
    public static void MapCompletions(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/chat/completions", CompleteAsync).WithMetadata(new NeedsScope(Scope.Chat))
            .WithName("createChatCompletion").WithSummary("Answers a conversation.")
            .Accepts<JsonObject>("application/json").Produces(200).Produces(200, contentType: "text/event-stream");

    private static async Task CompleteAsync(
        HttpContext context, ConversationRouter router, IChatClient chat, TimeProvider time)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        using (body)
        {
            if (body is null)
            {
                await ErrorAnswer.WriteAsync(context, error ?? ErrorCatalogue.Internal.With());
                return;
            }

            try
            {
                var request = CompletionRequest.Read(body.RootElement, Caller.Of(context));
                var answer = new Completion(ModelEndpoints.NameOf(chat), time.GetUtcNow(), request.User);
                var parts = router.AskAsync(request.Turn, context.RequestAborted);   // a closed connection stops it (TRN-3)
                await (request.Stream
                    ? StreamAsync(context, parts, answer, request.StreamUsage)
                    : WholeAsync(context, parts, answer));
            }
            catch (FieldException wrong)
            {
                await ErrorAnswer.WriteAsync(context, wrong.Error);
            }
            catch (UnsupportedException wrong)
            {
                await ErrorAnswer.WriteAsync(context, wrong.Error);
            }
            catch (RefusedException refused)
            {
                await ErrorAnswer.WriteAsync(context, refused.Error);
            }
        }
    }

    private static async Task WholeAsync(HttpContext context, IAsyncEnumerable<ReplyPart> parts, Completion answer)
    {
        var text = new StringBuilder();
        await foreach (var part in parts)
        {
            switch (part)
            {
                case AnswerText piece:
                    text.Append(piece.Text);
                    break;
                case TurnFailed failed:
                    await ErrorAnswer.WriteAsync(context, failed.Error);
                    return;
                case TurnFinished finished:
                    await context.Response.WriteAsJsonAsync(
                        answer.Whole(text.ToString(), finished), context.RequestAborted);
                    return;
                default:
                    answer.Note(part);
                    break;
            }
        }
    }

    private static async Task StreamAsync(
        HttpContext context, IAsyncEnumerable<ReplyPart> parts, Completion answer, bool usage)
    {
        await using var part = parts.GetAsyncEnumerator();
        if (await part.MoveNextAsync() && part.Current is TurnFailed { Error: var refusal })
        {
            await ErrorAnswer.WriteAsync(context, refusal);
            return;
        }

        var failed = false;
        await EventStream.WriteAsync(context, FromHere(), part => answer.Chunks(part, usage), () => failed ? null : "[DONE]");

        async IAsyncEnumerable<ReplyPart> FromHere()
        {
            do
            {
                failed |= part.Current is TurnFailed;
                yield return part.Current;
            }
            while (await part.MoveNextAsync());
        }
    }

    /// <summary>One answer in OpenAI's shapes.</summary>
    private sealed class Completion(string model, DateTimeOffset created, string? user)
    {
        private string _id = $"chatcmpl-{Guid.NewGuid():N}";
        private string _model = model;
        private long? _seed;
        private bool _began;
        private readonly List<MediaReady> _media = [];
        private readonly JsonArray _lost = [];

        public void Note(ReplyPart part)
        {
            switch (part)
            {
                case TurnAccepted accepted:
                    _id = $"chatcmpl-{accepted.TurnId}";
                    break;
                case TurnStarted started:
                    (_model, _seed) = (started.ModelId, started.Seed);
                    break;
                case MediaReady ready:
                    _media.Add(ready);
                    break;
                case MediaLost lost:
                    _lost.Add(ReplyPartJson.Write(lost));
                    break;
            }
        }

        public JsonObject Whole(string text, TurnFinished finished)
        {
            var json = Head("chat.completion");
            var message = new JsonObject { ["role"] = "assistant", ["content"] = text, ["refusal"] = null };
            if (_media.Count > 0)
            {
                message["media"] = new JsonArray([.. _media.Select(MediumOf)]);
            }

            if (_lost.Count > 0)
            {
                message["media_lost"] = _lost.DeepClone();
            }

            json["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["message"] = message,
                ["logprobs"] = null,
                ["finish_reason"] = ReasonOf(finished),
            });
            json["usage"] = UsageOf(finished);
            return json;
        }

        public IEnumerable<JsonNode> Chunks(ReplyPart part, bool usage)
        {
            Note(part);
            if (!_began && part is TurnStarted)
            {
                _began = true;
                yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "" }, null);
            }

            switch (part)
            {
                case AnswerText text:
                    yield return Chunk(new JsonObject { ["content"] = text.Text }, null);
                    break;
                case MediaStarted or MediaProgress or MediaLost:
                    yield return Chunk(new JsonObject { ["media_status"] = ReplyPartJson.Write(part) }, null);
                    break;
                case MediaReady ready:
                    yield return Chunk(new JsonObject { ["media"] = new JsonArray(MediumOf(ready)) }, null);
                    break;
                case TurnFailed failed:
                    yield return ErrorAnswer.ToJson(failed.Error);
                    break;
                case TurnFinished finished:
                    yield return Chunk([], ReasonOf(finished));
                    if (usage)
                    {
                        var last = Head("chat.completion.chunk");
                        last["choices"] = new JsonArray();
                        last["usage"] = UsageOf(finished);
                        yield return last;
                    }

                    break;
            }
        }

        private JsonObject Chunk(JsonObject delta, string? reason)
        {
            var json = Head("chat.completion.chunk");
            json["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["delta"] = delta,
                ["logprobs"] = null,
                ["finish_reason"] = reason,
            });
            return json;
        }

        /// <summary>A medium in our extension of the message; the address works with the key that asked.</summary>
        private JsonObject MediumOf(MediaReady ready) => new()
        {
            ["id"] = ready.MediaId,
            ["type"] = MediaWords.NameOf(ready.File.Kind),
            ["mime_type"] = ready.File.Format.MediaType,
            ["url"] = user is null
                ? $"/api/media/{ready.MediaId}"
                : $"/api/media/{ready.MediaId}?user={Uri.EscapeDataString(user)}",
            ["b64_json"] = Convert.ToBase64String(ready.File.Bytes.Span),
            ["caption"] = ready.Caption,
            ["text_offset"] = ready.TextOffset,
            ["seed"] = _seed,
        };

        private JsonObject Head(string kind) => new()
        {
            ["id"] = _id,
            ["object"] = kind,
            ["created"] = created.ToUnixTimeSeconds(),
            ["model"] = _model,
            ["seed"] = _seed,
        };

        private static string ReasonOf(TurnFinished finished) => finished.FinishReason is "length" ? "length" : "stop";

        private static JsonObject UsageOf(TurnFinished finished) => new()
        {
            ["prompt_tokens"] = finished.PromptTokens,
            ["completion_tokens"] = finished.ReplyTokens,
            ["total_tokens"] = finished.PromptTokens + finished.ReplyTokens,
        };
    }
}
