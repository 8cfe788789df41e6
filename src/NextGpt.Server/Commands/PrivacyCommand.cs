using System.CommandLine;
using System.Text.Json.Nodes;
using NextGpt.Conversations;
using NextGpt.Server.Instance;

namespace NextGpt.Server.Commands;

/// <summary><c>privacy export|erase</c> of one person, for administrators (PRI-3, PRI-4).</summary>
internal static class PrivacyCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared) =>
        new("privacy", "Export or erase what is kept of a person.")
        {
            CreateExport(surroundings, shared),
            CreateErase(surroundings, shared),
        };

    private static (Option<string> Surface, Option<string> Person) PersonOptions() => (
        new Option<string>("--surface")
        {
            Description = "Where the person is known: console, web, api, discord or teams.",
            Required = true,
        },
        new Option<string>("--person") { Description = "The surface's id of the person.", Required = true });

    private static Command CreateExport(Surroundings surroundings, SharedOptions shared)
    {
        var (surface, person) = PersonOptions();
        var file = new Option<string>("--out")
        {
            Description = "The ZIP file to write; nothing is overwritten.",
            DefaultValueFactory = _ => "nextgpt-export.zip",
        };
        var export = new Command("export", "Write a ZIP of a person's kept turns.") { surface, person, file };
        export.SetAction(async (parsed, cancellationToken) =>
        {
            var (where, who, to) =
                (parsed.GetRequiredValue(surface), parsed.GetRequiredValue(person), parsed.GetRequiredValue(file));
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
                        PersonRoute(where, who, "/export"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                    await ServerAnswer.ThrowIfFailedAsync(answer, cancellationToken);
                    await answer.Content.CopyToAsync(archive, cancellationToken);
                },
                log => log.ExportAsync(log.KeyOf(where, who), archive, cancellationToken),
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
        var (surface, person) = PersonOptions();
        var erase = new Command("erase", "Erase everything that is kept of a person. Needs --yes.") { surface, person };
        erase.SetAction(async (parsed, cancellationToken) =>
        {
            var (where, who) = (parsed.GetRequiredValue(surface), parsed.GetRequiredValue(person));
            if (shared.DryRun(parsed))
            {
                surroundings.Output.WriteLine("Everything that is kept of this person would be erased.");
                return ExitCode.Done;
            }

            if (!shared.Yes(parsed))
            {
                throw new CommandFailure(
                    ExitCode.Refused, "This erases everything that is kept of this person; say --yes to do it.");
            }

            var removed = 0;
            await ActAsync(
                shared, surroundings, parsed,
                async client =>
                {
                    using var answer = await client.DeleteAsync(PersonRoute(where, who, ""), cancellationToken);
                    removed = (int?)(await ServerAnswer.ReadAsync(answer, cancellationToken))["removed"] ?? 0;
                },
                async log => removed = await log.EraseAsync(log.KeyOf(where, who), cancellationToken),
                cancellationToken);
            surroundings.Write(
                shared.Json(parsed), new JsonObject { ["removed"] = removed }, () => [$"{removed} kept turns were erased."]);
            return ExitCode.Done;
        });
        return erase;
    }

    private static Uri PersonRoute(string surface, string person, string end) => new(
        $"/api/privacy/people/{Uri.EscapeDataString(surface)}/{Uri.EscapeDataString(person)}{end}", UriKind.Relative);

    private static async Task ActAsync(
        SharedOptions shared, Surroundings surroundings, ParseResult parsed, Func<HttpClient, Task> onServer,
        Func<ConversationLog, Task> onLog, CancellationToken cancellationToken)
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
        await onLog(log);
    }
}
