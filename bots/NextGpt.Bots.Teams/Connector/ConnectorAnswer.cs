using System.Text.Json;

namespace NextGpt.Bots.Teams.Connector;

/// <summary>What the service said.</summary>
/// <param name="Status">HTTP status; 0 if it said nothing in time or could not be reached.</param>
/// <param name="Id">The activity's id; null where the service gave none, which then cannot be addressed.</param>
/// <param name="Code">The error's code, or null.</param>
/// <param name="Message">The error's words, or null.</param>
internal sealed record ConnectorAnswer(int Status, string? Id = null, string? Code = null, string? Message = null)
{
    /// <summary>Whether it was done.</summary>
    public bool IsDone => Status is >= 200 and < 300;

    /// <summary>The body of a query, or null.</summary>
    public JsonElement? Body { get; init; }
}

/// <summary>When a call is made again.</summary>
internal enum Retry
{
    /// <summary>Never: the next one says it all.</summary>
    Never,

    /// <summary>When the service said that it did not take it; not when it said nothing, for it may have.</summary>
    WhenRefused,

    /// <summary>Also when nothing was said: doing it twice does no harm.</summary>
    Always,
}
