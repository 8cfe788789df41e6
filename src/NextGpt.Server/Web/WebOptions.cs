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
}
