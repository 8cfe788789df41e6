using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NextGpt.Server.Settings;
using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Endpoints;
using NextGpt.Server.Web.Pages;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web;

/// <summary>The web page: its services, its routes, its one-time link.</summary>
internal static class WebChat
{
    /// <summary>Adds what the page needs.</summary>
    public static IServiceCollection AddWebChat(this IServiceCollection services)
    {
        services.AddOptions<WebOptions>().BindConfiguration(WebOptions.SectionName)
            .ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AccountStore>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<ChatDesk>();
        services.AddSingleton<AnswerRenderer>();
        services.AddSingleton<MediaLinks>();
        services.AddSingleton<MediaView>();
        services.AddSingleton<TurnView>();
        services.AddSingleton<ChatPage>();
        services.AddSingleton<PageSources>();
        services.AddSessionKeys();
        services.AddAuthentication().AddCookie(Session.Scheme);
        services.ConfigureOptions<Session.CookieSetup>();
        services.AddAntiforgery(static options =>
        {
            options.FormFieldName = "token";
            options.HeaderName = "x-token";
            options.Cookie.Name = "nextgpt.token";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.HttpOnly = true;
            options.SuppressXFrameOptionsHeader = true;   // the content policy says it
        });
        return services;
    }

    /// <summary>Maps the page and its requests.</summary>
    public static IEndpointRouteBuilder MapWebChat(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/assets/{version}/{name}", SendAsset).ExcludeFromDescription();
        var pages = routes.MapGroup("").AddEndpointFilter<PageGuard>().ExcludeFromDescription();
        pages.MapAccounts();
        pages.MapChatPages();
        pages.MapChatTurns();
        pages.MapChatMedia();
        pages.MapPersonData();
        return routes;
    }

    /// <summary>The link printed at start with which the first person signs in; null if none is needed.</summary>
    /// <param name="services">The running program's services.</param>
    /// <param name="address">Where it listens.</param>
    public static Uri? OneTimeLink(IServiceProvider services, Uri address) =>
        services.GetRequiredService<AccountStore>().InviteFirst() is { } secret
            ? new Uri(address, $"/join/{secret}")
            : null;

    /// <summary>Sessions outlive a restart: their keys lie in the data folder, for the owner's eyes only.</summary>
    private static void AddSessionKeys(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("NextGpt.Chat");

        // It warns that the keys are not encrypted on disk; their mode is what protects them.
        services.AddLogging(static logging => logging.AddFilter(
            "Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", LogLevel.Error));
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider =>
            new ConfigureOptions<KeyManagementOptions>(options => options.XmlRepository = new SessionKeyFolder(
                Path.Combine(provider.GetRequiredService<IOptions<DataOptions>>().Value.Folder, "web", "session-keys"))));
    }

    private static IResult SendAsset(HttpContext context, string version, string name)
    {
        if (Asset.Find(name) is not { } asset)
        {
            return Results.NotFound();
        }

        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl =
            version == Asset.Version ? "public, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(asset.Bytes, asset.MediaType);
    }
}
