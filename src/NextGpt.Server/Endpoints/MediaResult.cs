using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;
using NextGpt.Media;

namespace NextGpt.Server.Endpoints;

/// <summary>
/// A medium as an answer: its true type and no other, never a page, in ranges for players, revalidated by those who keep it
/// (WEB-4, API-5).
/// </summary>
internal sealed class MediaResult(MediaFile file, bool asDownload) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var headers = httpContext.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "private, no-cache";
        headers.Remove(HeaderNames.Pragma);
        var hash = Convert.ToHexStringLower(SHA256.HashData(file.Bytes.Span));
        headers.ContentDisposition = string.Create(
            CultureInfo.InvariantCulture,
            $"{(asDownload ? "attachment" : "inline")}; filename=\"{MediaWords.FileWordOf(file.Kind)}-{hash[..8]}.{file.Format.Extension}\"");
        return Results.Bytes(
            file.Bytes, file.Format.MediaType, enableRangeProcessing: true,
            entityTag: new EntityTagHeaderValue($"\"{hash[..32]}\"")).ExecuteAsync(httpContext);
    }
}
