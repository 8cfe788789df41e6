using NextGpt.Host;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Pages;

namespace NextGpt.Server.Web.Rendering;

/// <summary>The media of one answer as one reader sees them while they are made.</summary>
/// <param name="view">Makes the markup.</param>
/// <param name="person">Who looks.</param>
/// <param name="turn">The turn as it was found.</param>
/// <param name="files">Its files once they have been read.</param>
internal sealed class ShownMedia(MediaView view, string person, ChatTurn turn, Func<IReadOnlyList<PastMedium>> files)
{
    private ChatTurn _turn = turn with { Media = [], UnderWay = [] };
    private string? _news;
    private bool _grown;

    /// <summary>Takes in a part of the answer.</summary>
    public void Add(ReplyPart part)
    {
        if (part is MediaStarted or MediaProgress or MediaReady or MediaLost)
        {
            _turn = _turn.After(part);
            _grown = true;
            _news = part switch
            {
                MediaStarted begun => $"{MediaWords.MakingOf(begun.Kind)}.",
                MediaReady ready => $"The {MediaWords.FileWordOf(ready.File.Kind)} is ready.",
                MediaLost lost => lost.Sentence,
                _ => _news,
            };
        }
    }

    /// <summary>The question's files as markup.</summary>
    public Html Files() => view.Asked(person, _turn with { Media = files(), FileNames = [] });

    /// <summary>The markup if something changed since it was taken last, and what to say of it or null.</summary>
    public (Html Html, string? News)? Take()
    {
        if (!_grown)
        {
            return null;
        }

        var news = _news;
        (_grown, _news) = (false, null);
        return (view.Items(person, _turn), news);
    }
}
