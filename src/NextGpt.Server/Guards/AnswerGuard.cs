using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Guards;

/// <summary>
/// Around every request: names it, marks the answer, and turns whatever went wrong into an error of the catalogue, also
/// unknown routes, wrong methods and malformed bodies (API-5).
/// </summary>
internal sealed partial class AnswerGuard(
    RequestDelegate next, IChatClient chat, IOptions<ServerOptions> options, ILogger<AnswerGuard> logger)
{
    private const string RequestId = "x-request-id";

    public async Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        var requestId = IdOf(context.Request);
        headers[RequestId] = requestId;
        headers["x-nextgpt-adapter"] = AdapterOf(chat);
        headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException bad)
        {
            await ErrorAnswer.WriteAsync(context, ErrorOf(bad));
        }
        catch (LogUnavailableException failure)
        {
            await ErrorAnswer.WriteAsync(
                context, ErrorCatalogue.NotLogged.With(failure.Message) with { HttpStatus = 503 });
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The asker has left; there is nobody to answer.
        }
        catch (Exception failure)   // the edge of a request
        {
            var error = ErrorCatalogue.Internal.With();
            LogFailure(requestId, error.Reference, failure.GetType().FullName, failure.StackTrace);
            LogFailureMessage(requestId, error.Reference, failure.Message);
            await ErrorAnswer.WriteAsync(context, error);
        }

        if (!context.Response.HasStarted && context.Response.ContentLength is null && context.Response.ContentType is null)
        {
            await WriteEmptyFailureAsync(context);
        }
    }

    /// <summary>The adapter that speaks, from the model's id; <c>base</c> without one.</summary>
    private static string AdapterOf(IChatClient chat)
    {
        var model = (chat.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "";
        return model.IndexOf('+', StringComparison.Ordinal) is var plus and >= 0 ? model[(plus + 1)..] : "base";
    }

    private static string IdOf(HttpRequest request)
    {
        var given = request.Headers[RequestId].ToString();
        return given.Length is > 0 and <= 64 && given.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? given
            : Guid.NewGuid().ToString("N");
    }

    private static Task WriteEmptyFailureAsync(HttpContext context) => context.Response.StatusCode switch
    {
        404 => ErrorAnswer.WriteAsync(context, ErrorCatalogue.NotFound.With(PathOf(context))),
        405 => ErrorAnswer.WriteAsync(
            context, ErrorCatalogue.MethodNotAllowed.With(context.Request.Method, PathOf(context))),
        415 => ErrorAnswer.WriteAsync(
            context, ErrorCatalogue.UnsupportedMedia.With(
                context.Request.ContentType is { } type ? Printable(type) : "A body without content type",
                "application/json")),
        _ => Task.CompletedTask,
    };

    private TurnError ErrorOf(BadHttpRequestException bad) => bad.StatusCode switch
    {
        413 => ErrorCatalogue.RequestTooLarge.With(options.Value.MaxRequestMegabytes),
        408 => ErrorCatalogue.RequestTooSlow.With(options.Value.RequestTimeout.TotalSeconds),
        _ => ErrorCatalogue.InvalidRequest.With("The request is malformed; send what /openapi.json describes."),
    };

    private static string PathOf(HttpContext context) => Printable(context.Request.Path.Value ?? "/");

    private static string Printable(string value) =>
        new([.. value.Where(character => !char.IsControl(character)).Take(200)]);

    [LoggerMessage(3001, LogLevel.Error, "Request {RequestId} failed (ref {Reference}): {ExceptionType}\n{Stack}")]
    private partial void LogFailure(string requestId, string reference, string? exceptionType, string? stack);

    [LoggerMessage(3002, LogLevel.Trace, "Request {RequestId} failed (ref {Reference}): {Message}")]
    private partial void LogFailureMessage(string requestId, string reference, string message);
}
