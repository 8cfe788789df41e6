namespace NextGpt.Server.Keys;

/// <summary>What a key may be used for.</summary>
internal static class Scope
{
    /// <summary>Ask questions.</summary>
    public const string Chat = "chat";

    /// <summary>Make and send media.</summary>
    public const string Media = "media";

    /// <summary>Keep turns of one's users.</summary>
    public const string Log = "log";

    /// <summary>Review kept turns.</summary>
    public const string Review = "review";

    /// <summary>Start and stop tuning.</summary>
    public const string Tune = "tune";

    /// <summary>Read <c>/metrics</c>.</summary>
    public const string Metrics = "metrics";

    /// <summary>Everything, and the administration.</summary>
    public const string Admin = "admin";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Chat, Media, Log, Review, Tune, Metrics, Admin];
}

/// <summary>Marks a route with the scope it needs.</summary>
/// <param name="Name">One of <see cref="Scope"/>.</param>
internal sealed record NeedsScope(string Name);

/// <summary>Who sends a request.</summary>
/// <param name="Surface">The surface of their turns.</param>
/// <param name="PersonId">The surface's id of the person.</param>
/// <param name="Scopes">What they may do.</param>
internal sealed record Caller(string Surface, string PersonId, IReadOnlyList<string> Scopes)
{
    /// <summary>Whether they may; <c>admin</c> may everything.</summary>
    public bool May(string scope) => Scopes.Contains(scope) || Scopes.Contains(Scope.Admin);

    /// <summary>The caller of a request to a route with a scope.</summary>
    /// <exception cref="InvalidOperationException">The route has none.</exception>
    public static Caller Of(HttpContext context) => context.Features.Get<Caller>()
        ?? throw new InvalidOperationException("The route names no scope, so nobody was recognised.");
}
