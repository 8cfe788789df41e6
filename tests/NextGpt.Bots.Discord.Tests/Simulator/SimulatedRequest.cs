using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Tests.Simulator;

/// <summary>A REST request as it came.</summary>
internal sealed record SimulatedRequest(
    string Method, string Path, IReadOnlyDictionary<string, string> Headers, JsonNode? Body,
    IReadOnlyList<SimulatedFile> Files, DateTimeOffset At)
{
    public override string ToString() => $"{Method} {Path}";
}

/// <summary>A file that was sent up or lies on the CDN.</summary>
internal sealed record SimulatedFile(string Name, string ContentType, byte[] Bytes, string? Description = null);

/// <summary>An answer of the simulator.</summary>
internal sealed record SimulatedAnswer(int Status, JsonNode? Body = null)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    public byte[]? Bytes { get; init; }

    public static SimulatedAnswer Error(int status, int code, string message) =>
        new(status, new JsonObject { ["code"] = code, ["message"] = message });

    public static SimulatedAnswer TooMany(double retryAfter, bool global = false, string scope = "user") => new(
        429, new JsonObject { ["message"] = "You are being rate limited.", ["retry_after"] = retryAfter, ["global"] = global })
    {
        Headers = global
            ? new() { ["Retry-After"] = Whole(retryAfter), ["X-RateLimit-Global"] = "true", ["X-RateLimit-Scope"] = "global" }
            : new() { ["Retry-After"] = Whole(retryAfter), ["X-RateLimit-Scope"] = scope },
    };

    private static string Whole(double seconds) =>
        Math.Ceiling(seconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
