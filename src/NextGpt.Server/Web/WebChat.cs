namespace NextGpt.Server.Web;

/// <summary>The web page: its services, its routes, its one-time link.</summary>
internal static class WebChat
{
    /// <summary>Adds what the page needs.</summary>
    public static IServiceCollection AddWebChat(this IServiceCollection services) => services;

    /// <summary>Maps the page and its requests.</summary>
    public static IEndpointRouteBuilder MapWebChat(this IEndpointRouteBuilder routes) => routes;

    /// <summary>The link printed at start with which the first person signs in; null if none is needed.</summary>
    /// <param name="services">The running program's services.</param>
    /// <param name="address">Where it listens.</param>
    public static Uri? OneTimeLink(IServiceProvider services, Uri address) => null;
}
