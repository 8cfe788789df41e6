using System.ComponentModel.DataAnnotations;

namespace NextGpt.Server.Web;

/// <summary>The web page: how long links and sessions last.</summary>
internal sealed class WebOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Web";

    /// <summary>How long a one-time link can be used. Default 24 hours.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "30.00:00:00",
        ErrorMessage = "NextGpt:Web:InvitationLifetime must lie between 00:05:00 and 30.00:00:00.")]
    public TimeSpan InvitationLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long somebody stays signed in without a visit. Default 14 days.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "90.00:00:00",
        ErrorMessage = "NextGpt:Web:SessionLifetime must lie between 00:05:00 and 90.00:00:00.")]
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How long the address of a picture, sound or clip works at least. Default 1 hour; a page that is still open gets fresh ones.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00",
        ErrorMessage = "NextGpt:Web:MediaLinkLifetime must lie between 00:01:00 and 1.00:00:00.")]
    public TimeSpan MediaLinkLifetime { get; init; } = TimeSpan.FromHours(1);
}
