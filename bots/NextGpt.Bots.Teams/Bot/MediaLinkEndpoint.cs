using Microsoft.AspNetCore.Http;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>Gives the file behind a signed, expiring link; everything else is not found.</summary>
internal static class MediaLinkEndpoint
{
    public static IResult Get(OfferedFiles offers, HttpContext context, string id, long until, string mark)
    {
        if (offers.Find(id, until, mark) is not { } file)
        {
            return Results.NotFound();
        }

        var headers = context.Response.Headers;
        headers.CacheControl = "private, no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; media-src 'self'; sandbox";
        headers.ContentDisposition = $"inline; filename=\"{file.Name}\"";
        return Results.Bytes(file.Bytes, file.MediaType, enableRangeProcessing: true);
    }
}
