using System.Text.Json.Nodes;
using NextGpt.Host;

namespace NextGpt.Server.Endpoints;

/// <summary>Whether the process lives and whether it can answer.</summary>
internal static class HealthEndpoints
{
    /// <summary>Maps <c>/healthz</c> and <c>/readyz</c>; neither needs a key or tells more than one word.</summary>
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Json(new JsonObject { ["status"] = "alive" }))
            .WithName("healthz").WithSummary("Whether the process lives.").Produces(200);
        routes.MapGet("/readyz", (ModelReadiness model) => model.Cause is { } cause
                ? Results.Json(
                    new JsonObject
                    {
                        ["status"] = "not_ready",
                        ["cause"] = cause,
                        ["percent"] = (int)(model.Progress * 100),
                    },
                    statusCode: 503)
                : Results.Json(new JsonObject { ["status"] = "ready" }))
            .WithName("readyz").WithSummary("Whether turns are answered; one cause word if not.")
            .Produces(200).Produces(503);
    }
}
