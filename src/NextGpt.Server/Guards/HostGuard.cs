using System.Net;
using Microsoft.Extensions.Options;
using NextGpt.Host;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Guards;

/// <summary>
/// Answers only for this server's own names and its own pages, on every route, so that a web page elsewhere cannot reach
/// a local server by rebinding a name or by a request across origins (API-2).
/// </summary>
internal sealed class HostGuard(RequestDelegate next, IOptions<ServerOptions> options)
{
    private readonly HashSet<string> _hosts = new(
        [.. options.Value.AllowedHosts, "localhost", options.Value.AddressUri.Host], StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        var host = context.Request.Host;
        if (!IsServed(host.Host))
        {
            return ErrorAnswer.WriteAsync(context, ErrorCatalogue.HostNotServed.With(Printable(host.Value ?? "")));
        }

        var origin = context.Request.Headers.Origin.ToString();
        return origin.Length == 0 || IsOwnPage(origin, host)
            ? next(context)
            : ErrorAnswer.WriteAsync(context, ErrorCatalogue.OriginNotAllowed.With(Printable(origin)));
    }

    private bool IsServed(string host) =>
        _hosts.Contains(host) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>A page of ours has the host and port that the request names; behind a proxy the scheme differs.</summary>
    private static bool IsOwnPage(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page)
        && page.Scheme is "http" or "https"
        && string.Equals(page.Host, host.Host, StringComparison.OrdinalIgnoreCase)
        && (host.Port is { } port ? page.Port == port : page.IsDefaultPort);

    /// <summary>A foreign value as it may be repeated in an answer: short, without control characters.</summary>
    private static string Printable(string value) =>
        new([.. value.Where(character => !char.IsControl(character)).Take(100)]);
}
