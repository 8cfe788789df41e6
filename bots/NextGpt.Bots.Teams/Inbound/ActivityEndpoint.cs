using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>Who takes activities that passed all checks.</summary>
internal interface IActivityTaker
{
    /// <summary>Takes an activity: an invoke is answered, everything else is queued at once.</summary>
    Task<InboundAnswer> TakeAsync(IncomingActivity activity, CancellationToken cancellationToken);
}

/// <summary>
/// Where activities arrive: authenticated, read, held against the token, answered, and only then worked on. Refusals say
/// nothing but their status; the log has one line without the token.
/// </summary>
internal sealed partial class ActivityEndpoint(
    TeamsOptions options, TokenCheck? tokens, ClaimsCheck claims, Repeats repeats, IActivityTaker taker, TeamsHealth health,
    TimeProvider time, ILogger<ActivityEndpoint> logger)
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = "POST";
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        if (health.Problem is not null)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var answer = await AnswerAsync(context);
        context.Response.StatusCode = answer.Status;
        if (answer.Status == 503)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        if (answer.Body is { } body)
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
        }
    }

    private async Task<InboundAnswer> AnswerAsync(HttpContext context)
    {
        BelievedToken? token = null;
        if (tokens is null)
        {
            if (!options.LocalMode || context.Connection.LocalIpAddress is not { } own || !IPAddress.IsLoopback(own))
            {
                LogRefused(403, "local mode on a public address");
                return new InboundAnswer(403);
            }
        }
        else
        {
            try
            {
                (token, var refusal) = await tokens.CheckAsync(
                    context.Request.Headers.Authorization.ToString(), context.RequestAborted);
                if (token is null)
                {
                    LogRefused(401, refusal ?? "");
                    return new InboundAnswer(401);
                }
            }
            catch (KeysUnavailableException)
            {
                return InboundAnswer.Full;
            }
        }

        var (body, problem) = await ReadAsync(context);
        if (problem is not null)
        {
            return problem;
        }

        if (ActivityReader.Read(body) is not { } activity)
        {
            return new InboundAnswer(400);
        }

        if (claims.Refusal(activity, token) is { } because)
        {
            LogRefused(403, because);
            return new InboundAnswer(403);
        }

        var waits = string.Equals(activity.DeliveryMode, "expectReplies", StringComparison.OrdinalIgnoreCase)
            && !string.Equals(activity.Type, "invoke", StringComparison.OrdinalIgnoreCase);   // whose response is the answer
        return await repeats.OnceAsync(
            activity.RepeatKey,
            () => waits ? TakeAndWaitAsync(activity) : taker.TakeAsync(activity, context.RequestAborted));
    }

    /// <summary>The replies go into the response (A3113); what is not there in time goes by the connector.</summary>
    private async Task<InboundAnswer> TakeAndWaitAsync(IncomingActivity activity)
    {
        var replies = new ExpectedReplies();
        var taken = await taker.TakeAsync(activity with { Replies = replies }, CancellationToken.None);
        return taken.Status == 202
            ? new InboundAnswer(200, await replies.CloseAsync(options.ExpectedRepliesTimeout, time))
            : taken;
    }

    private async Task<(ReadOnlyMemory<byte> Body, InboundAnswer? Problem)> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            return (default, new InboundAnswer(415));
        }

        if (context.Request.ContentLength > ActivityReader.MaxBytes)
        {
            return (default, new InboundAnswer(413));
        }

        using var late = new CancellationTokenSource(ReadTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        using var buffer = new MemoryStream();
        var piece = new byte[16 * 1024];
        try
        {
            while (await context.Request.Body.ReadAsync(piece, any.Token) is > 0 and var count)
            {
                if (buffer.Length + count > ActivityReader.MaxBytes)
                {
                    return (default, new InboundAnswer(413));
                }

                buffer.Write(piece, 0, count);
            }
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return (default, new InboundAnswer(408));
        }

        return (buffer.ToArray(), null);
    }

    [LoggerMessage(6020, LogLevel.Warning, "A Teams request was refused with {Status}: {Reason}")]
    private partial void LogRefused(int status, string reason);
}
