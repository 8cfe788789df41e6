using System.Globalization;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>Pictures, sounds and clips of a turn as markup, with alternative text, progress and sentences for lost ones (WEB-4).</summary>
internal sealed class MediaView(MediaLinks links)
{
    /// <summary>The files of a question.</summary>
    public Html Asked(string person, ChatTurn turn)
    {
        var files = turn.Media.Where(medium => medium.FromPerson).ToList();
        var names = files.Count > 0 ? [] : turn.FileNames;
        return files.Count + names.Count == 0
            ? Html.Empty
            : Html.Of($"""<ul class="files" aria-label="Attached">{files.Select(file => Html.Of($"<li>{Show(person, file)}</li>"))}{names.Select(name => Html.Of($"""<li class="name">{Icons.Clip}<span>{name}</span></li>"""))}</ul>""");
    }

    /// <summary>The media of an answer, also those under way and the lost ones.</summary>
    public Html Answered(string person, ChatTurn turn)
    {
        var made = turn.Media.Where(medium => !medium.FromPerson).ToList();
        return Html.Of($"""<ul class="media" aria-label="Media of the answer"{(made.Count + turn.UnderWay.Count == 0 ? Html.Of($" hidden") : Html.Empty)}>{Items(person, turn)}</ul>""");
    }

    /// <summary>The items of <see cref="Answered"/> alone.</summary>
    public Html Items(string person, ChatTurn turn) => Html.Join(
    [
        .. turn.Media.Where(medium => !medium.FromPerson).Select(medium => medium.Lost is { } sentence
            ? Html.Of($"""<li><p class="{(turn.FinishReason == "cancelled" ? "quiet" : "lost")}">{sentence}</p></li>""")
            : Html.Of($"""<li>{Figure(person, medium)}</li>""")),
        .. turn.UnderWay.Select(Making),
    ]);

    private Html Figure(string person, PastMedium medium) => Html.Of($"""
        <figure class="medium" data-kind="{MediaWords.NameOf(medium.Kind)}">{Show(person, medium)}<figcaption>{Caption(medium)}<span>Made by the AI</span>{Save(person, medium)}</figcaption></figure>
        """);

    /// <summary>A picture says its caption to those who do not see it; a sound and a clip have it in sight.</summary>
    private static Html Caption(PastMedium medium) => IsPicture(medium)
        ? Html.Empty
        : Html.Of($"<b>{medium.Caption}</b>");

    private Html Save(string person, PastMedium medium) => medium.IsThere
        ? Html.Of($"""<a href="{links.Make(person, medium.MediaId)}&amp;download=1" download>Save the {MediaWords.FileWordOf(medium.Kind)}</a>""")
        : Html.Empty;

    private Html Show(string person, PastMedium medium)
    {
        if (!medium.IsThere)
        {
            return Html.Of($"""<p class="lost">{medium.Caption}: not remembered any more.</p>""");
        }

        var address = links.Make(person, medium.MediaId);
        return medium switch
        {
            _ when IsPicture(medium) => Html.Of($"""<img src="{address}" alt="{medium.Caption}">"""),
            { Kind: MediaKind.Audio } => Html.Of($"""<audio controls preload="metadata" src="{address}" aria-label="{medium.Caption}"></audio>"""),
            _ => Html.Of($"""<video controls loop muted playsinline preload="metadata" src="{address}" aria-label="{medium.Caption}"></video>"""),
        };
    }

    /// <summary>Whether the browser shows it as a picture: animated WebP and GIF are.</summary>
    private static bool IsPicture(PastMedium medium) => medium.MediaType.StartsWith("image/", StringComparison.Ordinal);

    private static Html Making(MediumUnderWay medium)
    {
        var percent = (int)Math.Floor(medium.Share * 100);
        var what = MediaWords.MakingOf(medium.Kind);
        var text = string.Create(CultureInfo.InvariantCulture, $"{what}… {percent} %");
        return Html.Of($"""
            <li class="making" data-what="{what}"><progress max="100" value="{percent}" aria-label="{what}"></progress><span>{text}</span></li>
            """);
    }
}
