using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>The frame every page shares.</summary>
internal static class Page
{
    /// <summary>A whole document.</summary>
    /// <param name="title">For the window.</param>
    /// <param name="body">Everything inside <c>body</c>.</param>
    /// <param name="script">A script of ours to run, or null.</param>
    /// <param name="token">The token that changes must carry, or null where the page changes nothing by script.</param>
    public static Html Document(string title, Html body, string? script = null, string? token = null) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href="{Asset.PathOf("icon.svg")}">
        <link rel="stylesheet" href="{Asset.PathOf("app.css")}">
        <script src="{Asset.PathOf("theme.js")}"></script>
        {(token is null ? Html.Empty : Html.Of($"<meta name=\"token\" content=\"{token}\">"))}
        {(script is null ? Html.Empty : Html.Of($"<script type=\"module\" src=\"{Asset.PathOf(script)}\"></script>"))}
        </head>
        <body>
        {body}
        </body>
        </html>
        """);

    /// <summary>A page with one card: sign in, join, people, errors.</summary>
    public static Html Card(string title, Html content, bool wide = false) => Document(
        $"{title} · NextGpt",
        Html.Of($"""
            <main class="sheet-page"><div class="{(wide ? "card wide" : "card")}">
            {Icons.Mark}
            <h1>{title}</h1>
            {content}
            </div></main>
            """));

    /// <summary>A card with a sentence and the way back.</summary>
    public static Html Notice(string title, string sentence) =>
        Card(title, Html.Of($"""<p class="lead">{sentence}</p><p><a class="button" href="/">To the conversations</a></p>"""));

    /// <summary>The hidden field that carries the token of a form.</summary>
    public static Html TokenField(string token) =>
        Html.Of($"""<input type="hidden" name="token" value="{token}">""");
}
