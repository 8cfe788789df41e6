using System.Globalization;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Pages;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>Consent, export, erasure: a person's say over their own words (WEB-5, PRI-2 to PRI-4).</summary>
internal static class PersonDataEndpoints
{
    public static void MapPersonData(this IEndpointRouteBuilder pages)
    {
        pages.MapPut("/chat/consent", ConsentAsync);
        pages.MapGet("/chat/export", ExportAsync);
        pages.MapPost("/chat/erase", EraseAsync);
    }

    private static async Task<IResult> ConsentAsync(HttpContext context, ConsentRequest request, ChatDesk desk)
    {
        if (request.Version != ConsentText.VersionFor(desk.RetentionDays))
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With(
                "The text about keeping has changed; reload the page, read it and choose again."));
        }

        if (request.Train && !request.Keep)
        {
            return new ErrorResult(ErrorCatalogue.InvalidRequest.With(
                "Conversations can improve the model only if they are kept; switch keeping on too."));
        }

        var consent = await desk.SetConsentAsync(
            PageGuard.PersonOf(context).Id, request.Keep, request.Train, context.RequestAborted);
        return Results.Json(new
        {
            Html = DataSheet.Render(consent, desk.NotKeptBecause, desk.RetentionDays).ToString(),
            Keeps = consent.Keep,
        });
    }

    private static async Task<IResult> ExportAsync(HttpContext context, ChatDesk desk, TimeProvider time)
    {
        if (desk.NotKeptBecause is { } because)
        {
            return PageResult.Notice(503, "Nothing can be exported now", $"The log cannot be read: {because}");
        }

        // Whole before the first byte is sent: a broken export must not look like a short one. Gone when closed.
        var file = OwnerOnlyFile.OpenTemporary();
        context.Response.RegisterForDisposeAsync(file);
        await desk.ExportAsync(PageGuard.PersonOf(context).Id, file, context.RequestAborted);
        file.Position = 0;
        var day = time.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return Results.Stream(file, "application/zip", $"nextgpt-{day}.zip");
    }

    private static async Task<IResult> EraseAsync(HttpContext context, ChatDesk desk)
    {
        var removed = await desk.EraseAsync(PageGuard.PersonOf(context).Id, context.RequestAborted);
        return Results.Json(new { Removed = removed });
    }

    private sealed record ConsentRequest(bool Keep, bool Train, string? Version);
}
