using System.Text.Json.Nodes;
using NextGpt.Bots.Teams;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>A person's say over their own words, and the same for others by administrators.</summary>
internal static class PrivacyEndpoints
{
    /// <summary>Maps <c>/api/privacy</c>.</summary>
    public static void MapPrivacy(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/privacy").WithMetadata(new NeedsScope(Scope.Chat));
        own.MapGet("consent", (HttpContext context, KeptTurns kept) =>
                Results.Json(Write(kept.GetConsent(Caller.Of(context).Surface, Caller.Of(context).PersonId), kept)))
            .WithName("getConsent").WithSummary("What one has allowed, and the texts one is asked to agree to.");
        own.MapPut("consent", SetConsentAsync).WithName("setConsent")
            .WithSummary("Allows or withdraws; withdrawing keeping erases what was kept.")
            .Accepts<JsonObject>("application/json");
        own.MapGet("export", (HttpContext context, KeptTurns kept) =>
                ExportAsync(context, kept, Caller.Of(context).Surface, Caller.Of(context).PersonId))
            .WithName("exportOwn").WithSummary("A ZIP of one's own kept turns.");
        own.MapDelete("turns", (HttpContext context, KeptTurns kept) =>
                EraseAsync(context, kept, Caller.Of(context).Surface, Caller.Of(context).PersonId))
            .WithName("eraseOwn").WithSummary("Erases everything of oneself.");

        var people = routes.MapGroup("/api/privacy/people/{surface}/{personId}").WithMetadata(new NeedsScope(Scope.Admin));
        people.MapGet("export", (HttpContext context, KeptTurns kept, string surface, string personId) =>
                ExportAsync(context, kept, surface, personId)).WithName("exportPerson").WithSummary("A ZIP of a person's kept turns.");
        people.MapDelete("", EraseAsync).WithName("erasePerson").WithSummary("Erases everything of a person.");

        var tenants = routes.MapGroup("/api/privacy/tenants/{tenantId}").WithMetadata(new NeedsScope(Scope.Admin));
        tenants.MapGet("export", (HttpContext context, KeptTurns kept, TenantOffboarding tenant, string tenantId) =>
                ExportAsync(kept, file => tenant.ExportAsync(tenantId, file, context.RequestAborted)))
            .WithName("exportTenant").WithSummary("A ZIP of a Teams tenant: a report, and what is kept of each of its people.");
        tenants.MapDelete("", async (HttpContext context, KeptTurns kept, TenantOffboarding tenant, string tenantId) =>
                kept.UnavailableBecause is { } because
                    ? new ErrorResult(ErrorCatalogue.NotLogged.With(because) with { HttpStatus = 503 })
                    : Results.Json(Write(await tenant.EraseAsync(tenantId, context.RequestAborted))))
            .WithName("eraseTenant").WithSummary("Erases everything of a Teams tenant's people; answers with a report.");
    }

    /// <summary>The report of an off-boarding.</summary>
    internal static JsonObject Write(TenantReport report) => new()
    {
        ["tenant"] = report.Tenant,
        ["people"] = report.People,
        ["conversations"] = report.Conversations,
        ["removed"] = report.Turns,
        ["at"] = report.At.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
    };

    private static JsonObject Write(ConsentState state, KeptTurns kept) => new()
    {
        ["keep"] = state.Keep,
        ["train"] = state.Train,
        ["text_version"] = state.TextVersion,
        ["not_logged_because"] = kept.UnavailableBecause,
        ["texts"] = new JsonObject
        {
            ["version"] = kept.ConsentVersion,
            ["keep"] = ConsentText.KeepFor(kept.RetentionDays),
            ["train"] = ConsentText.Train,
        },
    };

    private static async Task<IResult> SetConsentAsync(HttpContext context, KeptTurns kept)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        using (body)
        {
            if (body is null)
            {
                return new ErrorResult(error ?? ErrorCatalogue.Internal.With());
            }

            try
            {
                var (keep, train) = ReadConsent(body.RootElement);
                var caller = Caller.Of(context);
                return Results.Json(Write(
                    await kept.SetConsentAsync(caller.Surface, caller.PersonId, keep, train, context.RequestAborted), kept));
            }
            catch (FieldException wrong)
            {
                return new ErrorResult(wrong.Error);
            }
            catch (ArgumentException wrong)
            {
                return new ErrorResult(ErrorCatalogue.InvalidRequest.With(KeyEndpoints.SentenceOf(wrong)));
            }
        }
    }

    private static (bool Keep, bool Train) ReadConsent(System.Text.Json.JsonElement body)
    {
        var fields = new JsonFields(body);
        return (
            fields.Flag("keep") ?? throw new FieldException("keep", "keep must be true or false."),
            fields.Flag("train") ?? false);
    }

    private static Task<IResult> ExportAsync(HttpContext context, KeptTurns kept, string surface, string personId) =>
        ExportAsync(kept, file => kept.ExportAsync(surface, personId, file, context.RequestAborted));

    private static async Task<IResult> ExportAsync(KeptTurns kept, Func<Stream, Task> write)
    {
        if (kept.UnavailableBecause is { } because)
        {
            return new ErrorResult(ErrorCatalogue.NotLogged.With(because) with { HttpStatus = 503 });
        }

        // Through a file that ends with the request: the archive is written seekably and fails before the answer begins.
        var file = new FileStream(
            Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 65_536,
            FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        try
        {
            await write(file);
            file.Position = 0;
            return Results.File(file, "application/zip", "nextgpt-export.zip");
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private static async Task<IResult> EraseAsync(
        HttpContext context, KeptTurns kept, string surface, string personId)
    {
        if (kept.UnavailableBecause is { } because)
        {
            return new ErrorResult(ErrorCatalogue.NotLogged.With(because) with { HttpStatus = 503 });
        }

        var removed = await kept.EraseAsync(surface, personId, context.RequestAborted);
        return Results.Json(new JsonObject { ["removed"] = removed });
    }
}
