using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;
using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Pages;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>Joining by link, signing in and out, one's own password, the admin's people (WEB-7).</summary>
internal static partial class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/login", ShowSignIn).WithMetadata(new OpenToAll());
        pages.MapPost("/login", SignInAsync).WithMetadata(new OpenToAll());
        pages.MapPost("/logout", async (HttpContext context) =>
        {
            await Session.EndAsync(context);
            return Results.LocalRedirect("/login");
        });
        pages.MapGet("/join/{secret}", ShowJoin).WithMetadata(new OpenToAll());
        pages.MapPost("/join/{secret}", JoinAsync).WithMetadata(new OpenToAll());
        pages.MapGet("/account", (HttpContext context, IAntiforgery antiforgery) => new PageResult(
            AccountPages.Own(PageGuard.PersonOf(context), PageGuard.TokenFor(context, antiforgery))));
        pages.MapPost("/account", ChangePasswordAsync);
        var people = pages.MapGroup("/people").WithMetadata(new AdminsOnly());
        people.MapGet("", (HttpContext context, AccountStore accounts, IAntiforgery antiforgery) =>
            ShowPeople(context, accounts, antiforgery));
        people.MapPost("/invite", InviteAsync);
        people.MapPost("/{id}/link", RenewPassword);
        people.MapPost("/{id}/remove", RemoveAsync);
    }

    private static async Task<IResult> ShowSignIn(
        HttpContext context, AccountStore accounts, IAntiforgery antiforgery, string? back)
    {
        if (await Session.FindAsync(context, accounts) is not null)
        {
            return Results.LocalRedirect("/");
        }

        return new PageResult(accounts.Accounts.Count == 0
            ? AccountPages.NobodyYet()
            : AccountPages.SignIn(PageGuard.TokenFor(context, antiforgery), LocalPath(back)));
    }

    private static async Task<IResult> SignInAsync(
        HttpContext context, AccountStore accounts, SignInThrottle throttle, IAntiforgery antiforgery,
        ILogger<AccountStore> logger)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var name = form["name"].ToString();
        var back = LocalPath(form["back"]);
        var address = $"address {context.Connection.RemoteIpAddress}";
        var byName = $"name {name.Trim().ToUpperInvariant()}";
        var wait = throttle.WaitFor(address, byName);
        if (wait > TimeSpan.Zero)
        {
            var seconds = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            context.Response.Headers.RetryAfter = seconds;
            return Again($"Too many wrong passwords; wait {seconds} s, then try again.", 429);
        }

        if (accounts.SignIn(name, form["password"]) is not { } account)
        {
            throttle.CountFailure(address, byName);
            LogWrongPassword(logger);
            return Again("The name or the password is not right; try again.", 400);
        }

        await Session.BeginAsync(context, account);
        return Results.LocalRedirect(back ?? "/");

        PageResult Again(string error, int status) => new(
            AccountPages.SignIn(PageGuard.TokenFor(context, antiforgery), back, error, name), status);
    }

    private static PageResult ShowJoin(HttpContext context, string secret, AccountStore accounts, IAntiforgery antiforgery)
    {
        var (state, person) = accounts.Look(secret);
        return state == InvitationState.Open
            ? new PageResult(AccountPages.Join(secret, person?.Name, PageGuard.TokenFor(context, antiforgery)))
            : PageResult.Notice(410, "This link cannot be used", AccountStore.SentenceFor(state));
    }

    private static async Task<IResult> JoinAsync(
        HttpContext context, string secret, AccountStore accounts, IAntiforgery antiforgery)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (state, person) = accounts.Look(secret);
        if (state != InvitationState.Open)
        {
            return PageResult.Notice(410, "This link cannot be used", AccountStore.SentenceFor(state));
        }

        try
        {
            await Session.BeginAsync(context, accounts.Accept(secret, form["name"], form["password"]));
            return Results.LocalRedirect("/");
        }
        catch (AccountRefusedException refusal)
        {
            return new PageResult(
                AccountPages.Join(
                    secret, person?.Name, PageGuard.TokenFor(context, antiforgery), refusal.Message, form["name"]),
                400);
        }
    }

    private static async Task<IResult> ChangePasswordAsync(
        HttpContext context, AccountStore accounts, SignInThrottle throttle, IAntiforgery antiforgery)
    {
        var person = PageGuard.PersonOf(context);
        var key = $"name {person.Name.ToUpperInvariant()}";
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (throttle.WaitFor(key) > TimeSpan.Zero)
        {
            return Again("Too many wrong passwords; wait a minute, then try again.", 429);
        }

        try
        {
            await Session.BeginAsync(context, accounts.ChangePassword(person.Id, form["old"], form["new"]));
            return Results.LocalRedirect("/");
        }
        catch (AccountRefusedException refusal)
        {
            throttle.CountFailure(key);
            return Again(refusal.Message, 400);
        }

        PageResult Again(string error, int status) =>
            new(AccountPages.Own(person, PageGuard.TokenFor(context, antiforgery), error), status);
    }

    private static PageResult ShowPeople(
        HttpContext context, AccountStore accounts, IAntiforgery antiforgery,
        (string Secret, string For)? link = null, string? error = null)
    {
        (string, string)? made = link is { } given
            ? ($"{context.Request.Scheme}://{context.Request.Host}/join/{given.Secret}", given.For)
            : null;
        var page = AccountPages.People(
            accounts.Accounts, PageGuard.PersonOf(context), PageGuard.TokenFor(context, antiforgery), made, error);
        return new PageResult(page, error is null ? 200 : 400);
    }

    private static async Task<IResult> InviteAsync(HttpContext context, AccountStore accounts, IAntiforgery antiforgery)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        return ShowPeople(
            context, accounts, antiforgery, (accounts.Invite(form["admin"] == "yes"), "the person you invite"));
    }

    private static PageResult RenewPassword(
        HttpContext context, string id, AccountStore accounts, IAntiforgery antiforgery)
    {
        try
        {
            var secret = accounts.Invite(isAdmin: false, id);
            return ShowPeople(context, accounts, antiforgery, (secret, accounts.Find(id)?.Name ?? "them"));
        }
        catch (AccountRefusedException refusal)
        {
            return ShowPeople(context, accounts, antiforgery, error: refusal.Message);
        }
    }

    private static async Task<IResult> RemoveAsync(
        HttpContext context, string id, AccountStore accounts, ChatDesk desk, IAntiforgery antiforgery)
    {
        if (id == PageGuard.PersonOf(context).Id)
        {
            return ShowPeople(context, accounts, antiforgery, error: "Your own account stays; another admin can remove it.");
        }

        try
        {
            accounts.Remove(id);
            await desk.EraseAsync(id, context.RequestAborted);
            return Results.LocalRedirect("/people");
        }
        catch (AccountRefusedException refusal)
        {
            return ShowPeople(context, accounts, antiforgery, error: refusal.Message);
        }
    }

    /// <summary>A path of this page to go back to; anything else is dropped.</summary>
    private static string? LocalPath(string? path) =>
        path is { Length: > 1 and < 200 } && path[0] == '/' && path[1] is not '/' and not '\\'
        && path.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '-' or '_')
            ? path
            : null;

    [LoggerMessage(4020, LogLevel.Warning, "A sign-in to the web page failed: wrong name or password")]
    private static partial void LogWrongPassword(ILogger logger);
}
