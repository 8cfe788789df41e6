using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>Media of one's own turns, by key (API-5).</summary>
internal static class MediaEndpoints
{
    /// <summary>Maps <c>/api/media</c>.</summary>
    public static void MapMedia(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/media/{mediaId}", Read).WithMetadata(new NeedsScope(Scope.Chat))
            .WithName("readMedium").WithSummary("The file of a picture, sound or clip of an own turn.")
            .Produces(200, contentType: "image/png");

    private static IResult Read(HttpContext context, ConversationShelf shelf, string mediaId, string? user, string? download)
    {
        var caller = Caller.Of(context);
        var person = string.IsNullOrEmpty(user) ? caller.PersonId : $"{caller.PersonId}/{user}";
        return shelf.ReadMedium(caller.Surface, person, mediaId) is { } file
            ? new MediaResult(file, asDownload: download is not null)
            : new ErrorResult(ErrorCatalogue.NoSuchThing.With("medium"));
    }
}
