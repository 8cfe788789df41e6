using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace NextGpt.Server.Web.Accounts;

/// <summary>A signed-in person: a cookie that scripts cannot read and other sites cannot send.</summary>
internal static class Session
{
    public const string Scheme = "nextgpt.web";

    private const string StampClaim = "stamp";

    /// <summary>Signs a person in.</summary>
    public static Task BeginAsync(HttpContext context, Account account) => context.SignInAsync(
        Scheme, PrincipalOf(account), new AuthenticationProperties { IsPersistent = true });

    /// <summary>What a session says of its person.</summary>
    internal static ClaimsPrincipal PrincipalOf(Account account) => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.NameIdentifier, account.Id),
            new Claim(ClaimTypes.Name, account.Name),
            new Claim(StampClaim, account.Stamp),
        ],
        Scheme));

    /// <summary>Signs the person out, here.</summary>
    public static Task EndAsync(HttpContext context) => context.SignOutAsync(Scheme);

    /// <summary>Who asks, or null; an account that is gone or has a new password since is nobody.</summary>
    public static async Task<Account?> FindAsync(HttpContext context, AccountStore accounts)
    {
        var result = await context.AuthenticateAsync(Scheme);
        if (result.Principal is not { } principal)
        {
            return null;
        }

        var account = accounts.Find(principal.FindFirstValue(ClaimTypes.NameIdentifier));
        if (account is null || account.Stamp != principal.FindFirstValue(StampClaim))
        {
            return null;
        }

        context.User = principal;   // the change token is bound to the person
        return account;
    }

    /// <summary>The cookie (WEB-7).</summary>
    internal sealed class CookieSetup(IOptions<WebOptions> options, TimeProvider time)
        : IConfigureNamedOptions<CookieAuthenticationOptions>
    {
        public void Configure(string? name, CookieAuthenticationOptions cookie)
        {
            if (name != Scheme)
            {
                return;
            }

            cookie.Cookie.Name = "nextgpt.session";
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.ExpireTimeSpan = options.Value.SessionLifetime;
            cookie.SlidingExpiration = true;
            cookie.TimeProvider = time;
        }

        public void Configure(CookieAuthenticationOptions options) => Configure(Options.DefaultName, options);
    }
}
