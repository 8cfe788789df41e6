using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>The upkeep of the log, for administrators.</summary>
internal static class LogEndpoints
{
    private static readonly JsonSerializerOptions Shape = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Maps <c>/api/log</c>.</summary>
    public static void MapLog(this IEndpointRouteBuilder routes)
    {
        var log = routes.MapGroup("/api/log").WithMetadata(new NeedsScope(Scope.Admin));
        log.MapGet("stats", (HttpContext context, KeptTurns kept) => WithLogAsync(context, kept, log => Task.FromResult(Write(log.GetStats()))))
            .WithName("logStats").WithSummary("Counts of the log.");
        log.MapPost("verify", (HttpContext context, KeptTurns kept) => WithLogAsync(
                context, kept, async log => Write(await log.VerifyAsync(context.RequestAborted))))
            .WithName("logVerify").WithSummary("Reads the whole log and lists what is damaged.");
        log.MapPost("compact", (HttpContext context, KeptTurns kept) => WithLogAsync(
                context, kept, async log => Write(await log.CompactAsync(context.RequestAborted))))
            .WithName("logCompact").WithSummary("Copies out what is needed and frees the rest.");
        log.MapPost("backup", (HttpContext context, KeptTurns kept, string? target) => WithLogAsync(
                context, kept, async log => Write(await log.BackupAsync(target, context.RequestAborted))))
            .WithName("logBackup").WithSummary("Makes a backup while running.");
    }

    /// <summary>A report of the log as JSON.</summary>
    public static JsonObject Write<T>(T report)
    {
        var json = JsonSerializer.SerializeToNode(report, Shape) as JsonObject ?? [];
        if (report is LogStats stats)
        {
            json.Remove("span");
            json["oldest"] = stats.Span?.Oldest.UtcDateTime;
            json["newest"] = stats.Span?.Newest.UtcDateTime;
        }

        return json;
    }

    private static async Task<IResult> WithLogAsync(
        HttpContext context, KeptTurns kept, Func<ConversationLog, Task<JsonObject>> act)
    {
        if (context.RequestServices.GetService<ConversationLog>() is not { } log)
        {
            return new ErrorResult(ErrorCatalogue.NotLogged.With(kept.UnavailableBecause) with { HttpStatus = 503 });
        }

        try
        {
            return Results.Json(await act(log));
        }
        catch (InvalidOperationException refused)
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With(refused.Message) with { HttpStatus = 409 });
        }
    }
}
