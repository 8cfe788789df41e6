namespace NextGpt.Bots.Discord.Gateway;

/// <summary>The waits of the gateway client; the defaults are documented ones or our choice.</summary>
internal sealed record GatewayTiming
{
    /// <summary>Until Hello must have come.</summary>
    public TimeSpan HelloWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>First pause after a failed connection; doubles each time, with full jitter.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause after failed connections.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A session that lived this long makes the next pause a first one again.</summary>
    public TimeSpan LivedLong { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Shortest and longest wait after an invalid session.</summary>
    public (TimeSpan Least, TimeSpan Most) AfterInvalidSession { get; init; } =
        (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

    /// <summary>After Discord said that we send too fast.</summary>
    public TimeSpan AfterRateLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between two identifies of one key of the gate.</summary>
    public TimeSpan IdentifyWindow { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For saying goodbye.</summary>
    public TimeSpan CloseWithin { get; init; } = TimeSpan.FromSeconds(2);
}
