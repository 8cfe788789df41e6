using System.Text.Json.Nodes;

namespace NextGpt.Server.Endpoints;

/// <summary>Server-sent events: one JSON object per event, a comment line while nothing happens.</summary>
internal static class EventStream
{
    private static readonly TimeSpan SilenceAtMost = TimeSpan.FromSeconds(15);

    /// <summary>Writes events as they come, until they end or the reader leaves.</summary>
    /// <typeparam name="T">What is written.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="items">What happens; it ends, or throws, soon after the request was aborted.</param>
    /// <param name="eventsOf">The events of an item, each a line of JSON or a bare word.</param>
    /// <param name="last">Makes a last line, asked when all is written; null is none.</param>
    public static async Task WriteAsync<T>(
        HttpContext context, IAsyncEnumerable<T> items, Func<T, IEnumerable<JsonNode>> eventsOf,
        Func<string?>? last = null)
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        var left = context.RequestAborted;
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(left);
        await using var item = items.GetAsyncEnumerator(left);
        var next = item.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                try
                {
                    if (!await next.WaitAsync(SilenceAtMost, time, left))
                    {
                        break;
                    }
                }
                catch (TimeoutException)
                {
                    await WriteAsync(context, ": waiting\n\n");
                    continue;
                }

                foreach (var node in eventsOf(item.Current))
                {
                    await WriteAsync(context, $"data: {node.ToJsonString()}\n\n");
                }

                next = item.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // The reader may have left in the middle: items must not be put away while one is being waited for.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (last?.Invoke() is { } line)
        {
            await WriteAsync(context, $"data: {line}\n\n");
        }
    }

    private static async Task WriteAsync(HttpContext context, string text)
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
