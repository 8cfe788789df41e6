namespace NextGpt.Bots.Teams.Inbound;

/// <summary>Hosts that may be spoken to: exact names and <c>*.example.org</c> for every host below.</summary>
/// <param name="hosts">The names.</param>
/// <param name="allowLoopback">Whether this machine may be spoken to without TLS (local mode only).</param>
internal sealed class HostList(IReadOnlyList<string> hosts, bool allowLoopback)
{
    /// <summary>Whether an address is https and its host is in the list; user names and odd ports are refused.</summary>
    public bool Allows(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var parsed) && Allows(parsed);

    /// <summary>Whether an address is https and its host is in the list.</summary>
    public bool Allows(Uri address)
    {
        if (address.UserInfo.Length > 0)
        {
            return false;
        }

        if (allowLoopback)
        {
            return address.IsLoopback && address.Scheme is "http" or "https";
        }

        return address is { Scheme: "https", IsDefaultPort: true }
            && hosts.Any(host => host.StartsWith("*.", StringComparison.Ordinal)
                ? address.IdnHost.EndsWith(host[1..], StringComparison.OrdinalIgnoreCase)
                : string.Equals(address.IdnHost, host, StringComparison.OrdinalIgnoreCase));
    }
}
