using Microsoft.AspNetCore.Antiforgery;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Pages;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>Marks an endpoint that anybody may ask.</summary>
internal sealed class OpenToAll;

/// <summary>Marks an endpoint for those who may invite others.</summary>
internal sealed class AdminsOnly;

/// <summary>
/// Around every page and every request of a page: strict content policy, who asks, and for changes the token (WEB-6, WEB-7).
/// </summary>
internal sealed class PageGuard(AccountStore accounts, IAntiforgery antiforgery) : IEndpointFilter
{
    private const string PersonKey = "nextgpt.person";

    /// <summary>Nothing is loaded but our own files (and pictures that somebody is about to send); no script, style or frame from anywhere else, none in the markup.</summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types nextgpt";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        SetHeaders(http.Response.Headers);
        var metadata = http.GetEndpoint()?.Metadata;
        var person = await Session.FindAsync(http, accounts);
        http.Items[PersonKey] = person;
        var isRequestOfScript = http.Request.Path.StartsWithSegments("/chat")
            || http.Request.Path.StartsWithSegments("/media");
        if (person is null && metadata?.GetMetadata<OpenToAll>() is null)
        {
            return isRequestOfScript
                ? new ErrorResult(ErrorCatalogue.InvalidRequest.With("Your session has ended; sign in again.")
                    with
                { HttpStatus = 401, Code = "unauthorized" })
                : Results.LocalRedirect("/login" + (http.Request.Path == "/" ? "" : $"?back={http.Request.Path}"));
        }

        if (metadata?.GetMetadata<AdminsOnly>() is not null && person is not { IsAdmin: true })
        {
            return PageResult.Notice(404, "Not here", "There is no such page, or it is not for you.");
        }

        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)
            && !await antiforgery.IsRequestValidAsync(http))
        {
            const string Sentence = "This page is out of date; reload it and try again.";
            return isRequestOfScript
                ? new ErrorResult(ErrorCatalogue.InvalidRequest.With(Sentence) with { HttpStatus = 400 })
                : PageResult.Notice(400, "Please try again", Sentence);
        }

        return await next(context);
    }

    /// <summary>Who asks; only on endpoints that are not open to all.</summary>
    public static Account PersonOf(HttpContext context) => (Account?)context.Items[PersonKey]
        ?? throw new InvalidOperationException("This endpoint is open to all, so nobody in particular asks.");

    /// <summary>The token for the page about to be sent.</summary>
    public static string TokenFor(HttpContext context, IAntiforgery antiforgery) =>
        antiforgery.GetAndStoreTokens(context).RequestToken ?? "";

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-cache, no-store";   // in the words the antiforgery service wants
        headers.Pragma = "no-cache";
    }
}

/// <summary>Markup as an answer.</summary>
internal sealed class PageResult(Html html, int status = 200) : IResult
{
    /// <summary>A page with a sentence.</summary>
    public static PageResult Notice(int status, string title, string sentence) => new(Page.Notice(title, sentence), status);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        return httpContext.Response.WriteAsync(html.ToString(), httpContext.RequestAborted);
    }
}
