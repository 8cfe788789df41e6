using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Endpoints;

/// <summary>A question as it came in a request: its JSON and its files.</summary>
/// <param name="Body">The JSON object.</param>
/// <param name="Files">The files, in order.</param>
internal sealed record TurnForm(JsonDocument Body, IReadOnlyList<IncomingFile> Files) : IDisposable
{
    private const int LongestBody = 1024 * 1024;
    private const int MostSections = 100;

    /// <summary>
    /// Reads a question: JSON alone, or multipart/form-data with one part <c>turn</c> (JSON) and parts <c>file</c>. All in
    /// memory: what is not consented to is never written to a disk (PRI-1), also not to a temporary file.
    /// </summary>
    public static async Task<(TurnForm? Form, TurnError? Error)> ReadAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            var (body, error) = await JsonBody.ReadAsync(context);
            return body is null ? (null, error) : (new TurnForm(body, []), null);
        }

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (boundary is not { Length: > 0 and <= 70 })
        {
            return (null, ErrorCatalogue.InvalidRequest.With("The form has no boundary; send what /openapi.json describes."));
        }

        var turns = context.RequestServices.GetRequiredService<IOptions<TurnOptions>>().Value;
        var server = context.RequestServices.GetRequiredService<IOptions<ServerOptions>>().Value;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = Math.Max(
                server.MaxRequestMegabytes * 1024L * 1024,
                (turns.MaxFiles * turns.MaxFileMegabytes * 1024L * 1024) + (2 * LongestBody));
        }

        // Each file has the time of a request, and the words another.
        var patience = server.RequestTimeout * (turns.MaxFiles + 1);
        using var late = new CancellationTokenSource(patience, context.RequestServices.GetRequiredService<TimeProvider>());
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            return await ReadAsync(new MultipartReader(boundary, context.Request.Body), turns, any.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
            return (null, ErrorCatalogue.RequestTooSlow.With(patience.TotalSeconds));
        }
        catch (Exception malformed) when (malformed is InvalidDataException or JsonException
            || (malformed is IOException and not BadHttpRequestException))
        {
            return (null, ErrorCatalogue.InvalidRequest.With("The form is malformed; send what /openapi.json describes."));
        }
    }

    public void Dispose() => Body.Dispose();

    private static async Task<(TurnForm? Form, TurnError? Error)> ReadAsync(
        MultipartReader reader, TurnOptions options, CancellationToken cancellationToken)
    {
        JsonDocument? body = null;
        var files = new List<IncomingFile>();
        var (came, sections) = (0, 0);
        TurnError? tooLarge = null;
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (++sections > MostSections
                || !ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
            {
                throw new InvalidDataException("A part without a name, or too many parts.");
            }

            var field = HeaderUtilities.RemoveQuotes(disposition.Name).Value;
            if (field == "turn" && body is null)
            {
                var json = await ReadAsync(section.Body, LongestBody, cancellationToken)
                    ?? throw new InvalidDataException("The part turn is too long.");
                body = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = JsonBody.MaxDepth });
            }
            else if (field == "file" && ++came <= options.MaxFiles)
            {
                var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
                var most = options.MaxFileMegabytes * 1024 * 1024;
                if (await ReadAsync(section.Body, most, cancellationToken) is { } bytes)
                {
                    files.Add(new IncomingFile(HeaderUtilities.RemoveQuotes(name).Value ?? "", bytes, section.ContentType));
                }
                else
                {
                    tooLarge ??= ErrorCatalogue.FileTooLarge.With(
                        "A file", options.MaxFileMegabytes + 0.1, options.MaxFileMegabytes);
                }
            }
        }

        var error = came > options.MaxFiles ? ErrorCatalogue.TooManyFiles.With(came, options.MaxFiles)
            : tooLarge ?? (body?.RootElement.ValueKind == JsonValueKind.Object
                ? null
                : ErrorCatalogue.InvalidRequest.With("The form has no part \"turn\" with a JSON object."));
        if (error is null && body is not null)
        {
            return (new TurnForm(body, files), null);
        }

        body?.Dispose();
        return (null, error);
    }

    /// <summary>All bytes of a part; null if there are more than allowed (the rest is read past).</summary>
    private static async Task<byte[]?> ReadAsync(Stream part, int most, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[81_920];
        var isTooLong = false;
        for (int read; (read = await part.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            isTooLong |= bytes.Length + read > most;
            if (!isTooLong)
            {
                bytes.Write(buffer, 0, read);
            }
        }

        return isTooLong ? null : bytes.ToArray();
    }
}
