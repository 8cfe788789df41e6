using NextGpt.Host;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Guards;
using NextGpt.Server.Web.Chats;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>Media on the page: only for the person whose turn they belong to, only for a while (WEB-4, THR-10).</summary>
internal static class ChatMediaEndpoints
{
    public static void MapChatMedia(this IEndpointRouteBuilder pages) => pages.MapGet("/media/{id}", Read);

    private static IResult Read(
        HttpContext context, string id, long? until, string? mark, string? download, ConversationShelf shelf, MediaLinks links)
    {
        // Another's, an expired and an unknown one cannot be told apart.
        var person = PageGuard.PersonOf(context).Id;
        return links.IsGood(person, id, until ?? 0, mark ?? "")
            && shelf.ReadMedium(ChatDesk.Surface, person, id) is { } file
            ? new MediaResult(file, asDownload: download is not null)
            : new ErrorResult(ErrorCatalogue.NoSuchThing.With("medium"));
    }
}
