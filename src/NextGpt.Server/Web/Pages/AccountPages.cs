using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>Signing in, joining by link, one's own account, and the admin's list of people (WEB-7).</summary>
internal static class AccountPages
{
    public static Html SignIn(string token, string? back, string? error = null, string? name = null) => Page.Card(
        "Sign in",
        Html.Of($"""
            {Error(error)}
            <form method="post" action="/login">{Page.TokenField(token)}
            <input type="hidden" name="back" value="{back}">
            {Field("Name", "name", "text", "username", name)}
            {Field("Password", "password", "password", "current-password")}
            <button class="button main">Sign in</button>
            </form>
            """));

    public static Html NobodyYet() => Page.Card(
        "Welcome",
        Html.Of($"""
            <p class="lead">Nobody has an account here yet. Open the one-time link that the program printed when it was started; it makes you the admin, who can then invite others.</p>
            <p class="lead">If the link has expired, start the program again: it prints a new one.</p>
            """));

    /// <param name="secret">The link's.</param>
    /// <param name="renewedName">Whose password is renewed, or null for a new account.</param>
    /// <param name="token">The token that the form carries.</param>
    /// <param name="error">What was wrong with the last try.</param>
    /// <param name="name">The name of the last try.</param>
    public static Html Join(string secret, string? renewedName, string token, string? error = null, string? name = null) =>
        Page.Card(
            renewedName is null ? "Make your account" : "Choose a new password",
            Html.Of($"""
                <p class="lead">{(renewedName is null ? "You were invited to talk to the model on this machine. An AI answers; it can be wrong. Nothing you write is kept unless you say so." : $"For {renewedName}.")}</p>
                {Error(error)}
                <form method="post" action="/join/{secret}">{Page.TokenField(token)}
                {(renewedName is null ? Field("Name", "name", "text", "username", name) : Html.Empty)}
                {Field($"Password, {AccountStore.ShortestPassword} characters or more", "password", "password", "new-password")}
                <button class="button main">{(renewedName is null ? "Make account" : "Set password")}</button>
                </form>
                """));

    public static Html Own(Account person, string token, string? error = null) => Page.Card(
        person.Name,
        Html.Of($"""
            <p class="lead">{(person.IsAdmin ? "You may invite and remove people." : "Ask the admin if your name should change or your account should go.")} Changing the password ends your sessions elsewhere.</p>
            {Error(error)}
            <form method="post" action="/account">{Page.TokenField(token)}
            {Field("Present password", "old", "password", "current-password")}
            {Field($"New password, {AccountStore.ShortestPassword} characters or more", "new", "password", "new-password")}
            <button class="button main">Change password</button>
            </form>
            <p><a class="button" href="/">To the conversations</a></p>
            """));

    /// <param name="people">Everybody.</param>
    /// <param name="self">Who looks.</param>
    /// <param name="token">The token that the forms carry.</param>
    /// <param name="link">A link just made, with what it is for; shown once.</param>
    /// <param name="error">What was wrong with the last try.</param>
    public static Html People(
        IReadOnlyList<Account> people, Account self, string token, (string Address, string For)? link = null,
        string? error = null) => Page.Card(
        "People",
        Html.Of($"""
            {Error(error)}
            {(link is { } made ? Html.Of($"""<section><p role="status">Give this link to {made.For}. It works once and is not shown again.</p><p class="link">{made.Address}</p></section>""") : Html.Empty)}
            <table class="people"><thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Since</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
            <tbody>{people.Select(person => Row(person, self, token))}</tbody></table>
            <form class="inline" method="post" action="/people/invite">{Page.TokenField(token)}
            <label class="field"><span>Invite somebody who may</span><select name="admin"><option value="no">talk</option><option value="yes">talk, invite and remove</option></select></label>
            <button class="button main">Make a link</button>
            </form>
            <p><a class="button" href="/">To the conversations</a></p>
            """),
        wide: true);

    private static Html Row(Account person, Account self, string token)
    {
        var remove = person.Id == self.Id
            ? Html.Empty
            : Html.Of($"""<form method="post" action="/people/{person.Id}/remove">{Page.TokenField(token)}<button class="button danger" aria-label="Remove {person.Name} and everything kept of them">Remove</button></form>""");
        return Html.Of($"""
            <tr><td><bdi>{person.Name}</bdi></td><td>{(person.IsAdmin ? "talk, invite, remove" : "talk")}</td><td>{person.CreatedAt.UtcDateTime.ToString("d MMM yyyy", System.Globalization.CultureInfo.InvariantCulture)}</td>
            <td><div class="acts"><form method="post" action="/people/{person.Id}/link">{Page.TokenField(token)}<button class="button" aria-label="New password link for {person.Name}">New password</button></form>{remove}</div></td></tr>
            """);
    }

    private static Html Field(string label, string name, string type, string autocomplete, string? value = null) =>
        Html.Of($"""<label class="field"><span>{label}</span><input name="{name}" type="{type}" autocomplete="{autocomplete}" value="{value}" required></label>""");

    private static Html Error(string? error) =>
        error is null ? Html.Empty : Html.Of($"""<p class="error" role="alert">{error}</p>""");
}
