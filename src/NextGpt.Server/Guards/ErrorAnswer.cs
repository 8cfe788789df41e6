using System.Globalization;
using System.Text.Json.Nodes;
using NextGpt.Host;

namespace NextGpt.Server.Guards;

/// <summary>An error of the catalogue as the HTTP API writes it.</summary>
internal static class ErrorAnswer
{
    /// <summary>The JSON of an error: <c>{"error":{"message","type","param","code"}}</c>.</summary>
    public static JsonObject ToJson(TurnError error) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = error.Message,
            ["type"] = TypeOf(error.HttpStatus),
            ["param"] = error.Field,
            ["code"] = error.Code,
        },
    };

    /// <summary>Answers with the error; does nothing if the answer has begun.</summary>
    public static Task WriteAsync(HttpContext context, TurnError error)
    {
        if (context.Response.HasStarted)
        {
            return Task.CompletedTask;
        }

        context.Response.StatusCode = error.HttpStatus;
        if (error.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter =
                Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(ToJson(error).ToJsonString(), context.RequestAborted);
    }

    private static string TypeOf(int httpStatus) => httpStatus switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}

/// <summary>An error of the catalogue as the result of an endpoint.</summary>
internal sealed class ErrorResult(TurnError error) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext) => ErrorAnswer.WriteAsync(httpContext, error);
}
