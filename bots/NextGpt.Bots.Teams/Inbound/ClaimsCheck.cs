using NextGpt.Bots.Teams.Activities;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>Holds what an activity says against the token it came with and against the settings (TEA-3, THR-10).</summary>
internal sealed class ClaimsCheck(TeamsOptions options)
{
    private readonly HostList _services = new(options.ServiceHosts, options.LocalMode);
    private readonly HashSet<string> _allowed = new(options.AllowedTenants, StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _forbidden = new(
        options.Tenants.Where(static tenant => !tenant.Allowed).Select(static tenant => tenant.Id),
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Why the activity is refused, one word for the log; null if it is not.</summary>
    /// <param name="activity">What came.</param>
    /// <param name="token">Its token; null in local mode.</param>
    public string? Refusal(IncomingActivity activity, BelievedToken? token)
    {
        if (token is not null)
        {
            if (token.ServiceUrl is null || !string.Equals(
                WithoutSlash(token.ServiceUrl), WithoutSlash(activity.ServiceUrl), StringComparison.OrdinalIgnoreCase))
            {
                return "serviceurl";
            }

            if (!token.Endorsements.Contains(activity.ChannelId, StringComparer.OrdinalIgnoreCase))
            {
                return "endorsement";
            }
        }

        if (!_services.Allows(activity.ServiceUrl))
        {
            return "host";
        }

        var tenant = activity.TenantId ?? "";
        return _forbidden.Contains(tenant) || (_allowed.Count > 0 && !_allowed.Contains(tenant)) ? "tenant" : null;
    }

    private static string WithoutSlash(string address) => address.EndsWith('/') ? address[..^1] : address;
}
