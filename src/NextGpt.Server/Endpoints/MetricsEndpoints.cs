using NextGpt.Server.Keys;
using OpenTelemetry.Metrics;

namespace NextGpt.Server.Endpoints;

/// <summary>Counts and times in Prometheus' text format; no content, no persons.</summary>
internal static class MetricsEndpoints
{
    /// <summary>Adds the collection of our own and the runtime's figures.</summary>
    public static IServiceCollection AddMetricsText(this IServiceCollection services)
    {
        services.AddOpenTelemetry().WithMetrics(static metrics => metrics
            .AddMeter("NextGpt.*", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
            .AddPrometheusExporter());
        return services;
    }

    /// <summary>Maps <c>/metrics</c>, for keys with the scope <c>metrics</c>.</summary>
    public static void MapMetricsText(this WebApplication app)
    {
        var branch = ((IApplicationBuilder)app).New();
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(static _ => true);
        var write = branch.Build();
        app.MapGet("/metrics", (Delegate)((HttpContext context) => write(context))).WithMetadata(new NeedsScope(Scope.Metrics))
            .WithName("metrics").WithSummary("Counts and times in Prometheus' text format.")
            .Produces(200, contentType: "text/plain");
    }
}
