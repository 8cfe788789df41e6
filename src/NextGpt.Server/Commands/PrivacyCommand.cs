using System.CommandLine;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams;
using NextGpt.Conversations;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Instance;

namespace NextGpt.Server.Commands;

/// <summary><c>privacy export|erase</c> of one person or of a Teams tenant, for administrators (PRI-3, PRI-4, TEA-5).</summary>
internal static class PrivacyCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared) =>
        new("privacy", "Export or erase what is kept of a person or of a Teams tenant.")
        {
            CreateExport(surroundings, shared),
            CreateErase(surroundings, shared),
        };

    private static (Option<string?> Surface, Option<string?> Person, Option<string?> Tenant) WhoseOptions() => (
        new Option<string?>("--surface") { Description = "Where the person is known: console, web, api, discord or teams." },
        new Option<string?>("--person") { Description = "The surface's id of the person." },
        new Option<string?>("--tenant") { Description = "The id of a Teams tenant, in place of --surface and --person." });

    /// <summary>Either a person of a surface or a tenant.</summary>
    private static void CheckWhose(Command command, Option<string?> surface, Option<string?> person, Option<string?> tenant) =>
        command.Validators.Add(result =>
        {
            var (where, who, of) = (result.GetValue(surface), result.GetValue(person), result.GetValue(tenant));
            if (of is null ? where is null || who is null : where is not null || who is not null)
            {
                result.AddError("Name a person with --surface and --person, or a Teams tenant with --tenant.");
            }
        });

    private static Command CreateExport(Surroundings surroundings, SharedOptions shared)
    {
        var (surface, person, tenant) = WhoseOptions();
        var file = new Option<string>("--out")
        {
            Description = "The ZIP file to write; nothing is overwritten.",
            DefaultValueFactory = _ => "nextgpt-export.zip",
        };
        var export = new Command("export", "Write a ZIP of a person's kept turns, or of all people of a tenant.")
        {
            surface, person, tenant, file,
        };
        CheckWhose(export, surface, person, tenant);
        export.SetAction(async (parsed, cancellationToken) =>
        {
            var (where, who, of, to) = (
                parsed.GetValue(surface) ?? "", parsed.GetValue(person) ?? "", parsed.GetValue(tenant), parsed.GetRequiredValue(file));
            if (File.Exists(to))
            {
                throw new CommandFailure(ExitCode.Failed, $"{to} is there already; name another file with --out.");
            }

            if (shared.DryRun(parsed))
            {
                surroundings.Output.WriteLine($"{to} would be written.");
                return ExitCode.Done;
            }

            using var archive = new MemoryStream();
            await ActAsync(
                shared, surroundings, parsed,
                async client =>
                {
                    using var answer = await client.GetAsync(
                        RouteOf(where, who, of, "/export"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                    await ServerAnswer.ThrowIfFailedAsync(answer, cancellationToken);
                    await answer.Content.CopyToAsync(archive, cancellationToken);
                },
                (log, settings) => of is null
                    ? log.ExportAsync(log.KeyOf(where, who), archive, cancellationToken)
                    : OffboardingOf(log, settings, surroundings).ExportAsync(of, archive, cancellationToken),
                cancellationToken);
            await File.WriteAllBytesAsync(to, archive.ToArray(), cancellationToken);
            surroundings.Write(
                shared.Json(parsed), new JsonObject { ["file"] = to, ["bytes"] = archive.Length },
                () => [$"Written to {to} ({archive.Length} bytes)."]);
            return ExitCode.Done;
        });
        return export;
    }

    private static Command CreateErase(Surroundings surroundings, SharedOptions shared)
    {
        var (surface, person, tenant) = WhoseOptions();
        var erase = new Command("erase", "Erase everything that is kept of a person or of a tenant. Needs --yes.") { surface, person, tenant };
        CheckWhose(erase, surface, person, tenant);
        erase.SetAction(async (parsed, cancellationToken) =>
        {
            var (where, who, of) = (parsed.GetValue(surface) ?? "", parsed.GetValue(person) ?? "", parsed.GetValue(tenant));
            var whom = of is null ? "this person" : "this tenant's people";
            if (shared.DryRun(parsed))
            {
                surroundings.Output.WriteLine($"Everything that is kept of {whom} would be erased.");
                return ExitCode.Done;
            }

            if (!shared.Yes(parsed))
            {
                throw new CommandFailure(
                    ExitCode.Refused, $"This erases everything that is kept of {whom}; say --yes to do it.");
            }

            JsonObject report = [];
            await ActAsync(
                shared, surroundings, parsed,
                async client =>
                {
                    using var answer = await client.DeleteAsync(RouteOf(where, who, of, ""), cancellationToken);
                    report = (await ServerAnswer.ReadAsync(answer, cancellationToken)).AsObject();
                },
                async (log, settings) => report = of is null
                    ? new JsonObject { ["removed"] = await log.EraseAsync(log.KeyOf(where, who), cancellationToken) }
                    : PrivacyEndpoints.Write(
                        await OffboardingOf(log, settings, surroundings).EraseAsync(of, cancellationToken)),
                cancellationToken);
            surroundings.Write(
                shared.Json(parsed), report,
                () => of is null
                    ? [$"{report["removed"]} kept turns were erased."]
                    : [$"Tenant {of}: {report["removed"]} kept turns of {report["people"]} people in {report["conversations"]} conversations were erased at {report["at"]}."]);
            return ExitCode.Done;
        });
        return erase;
    }

    private static Uri RouteOf(string surface, string person, string? tenant, string end) => new(
        tenant is null
            ? $"/api/privacy/people/{Uri.EscapeDataString(surface)}/{Uri.EscapeDataString(person)}{end}"
            : $"/api/privacy/tenants/{Uri.EscapeDataString(tenant)}{end}",
        UriKind.Relative);

    private static TenantOffboarding OffboardingOf(ConversationLog log, IConfiguration settings, Surroundings surroundings) =>
        TenantOffboarding.OfLog(
            log, settings.GetSection(TeamsOptions.SectionName).Get<TeamsOptions>() ?? new TeamsOptions(),
            LogOpening.OptionsOf(settings).Folder, surroundings.Time);

    private static async Task ActAsync(
        SharedOptions shared, Surroundings surroundings, ParseResult parsed, Func<HttpClient, Task> onServer,
        Func<ConversationLog, IConfiguration, Task> onLog, CancellationToken cancellationToken)
    {
        var settings = shared.CheckedSettings(parsed);
        if (await RunningServer.FindAsync(SharedOptions.FolderOf(settings), cancellationToken) is { } server)
        {
            using var client = server.Connect();
            await onServer(client);
            return;
        }

        await using var log = await ConversationLog.OpenAsync(
            LogOpening.OptionsOf(settings), surroundings.Time, cancellationToken);
        await onLog(log, settings);
    }
}
