using System.CommandLine;
using System.Text.Json.Nodes;
using NextGpt.Conversations;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Instance;

namespace NextGpt.Server.Commands;

/// <summary><c>log verify|stats|compact|backup|restore</c>, through the running server or on the files, never both (CLI-2).</summary>
internal static class LogCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var target = new Argument<string?>("folder")
        {
            Description = "A new folder for the backup; without it one is made in the folder of backups.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var source = new Argument<string>("folder") { Description = "The backup." };
        var backup = Verb(
            "backup", "Make a backup, also while the server runs.", target, changes: true,
            parsed => $"api/log/backup{(parsed.GetValue(target) is { } to ? $"?target={Uri.EscapeDataString(Path.GetFullPath(to))}" : "")}",
            async (log, parsed, cancellationToken) => LogEndpoints.Write(await log.BackupAsync(
                parsed.GetValue(target) is { } to ? Path.GetFullPath(to) : null, cancellationToken)));
        var restore = new Command(
            "restore", "Put a backup in place of the log; later erasures are applied again. Needs --yes.") { source };
        restore.SetAction((parsed, cancellationToken) =>
            RestoreAsync(surroundings, shared, parsed, parsed.GetRequiredValue(source), cancellationToken));
        return new Command("log", "Look after the log of conversations.")
        {
            Verb(
                "verify", "Read the whole log and list what is damaged; exit code 1 if anything is.", null, changes: false,
                _ => "api/log/verify",
                async (log, _, cancellationToken) => LogEndpoints.Write(await log.VerifyAsync(cancellationToken))),
            Verb(
                "stats", "Count what is kept.", null, changes: false, _ => "api/log/stats",
                (log, _, _) => Task.FromResult(LogEndpoints.Write(log.GetStats()))),
            Verb(
                "compact", "Free the space of what was erased.", null, changes: true, _ => "api/log/compact",
                async (log, _, cancellationToken) => LogEndpoints.Write(await log.CompactAsync(cancellationToken))),
            backup,
            restore,
        };

        Command Verb(
            string name, string description, Argument? argument, bool changes, Func<ParseResult, string> route,
            Func<ConversationLog, ParseResult, CancellationToken, Task<JsonObject>> onLog)
        {
            var verb = new Command(name, description);
            if (argument is not null)
            {
                verb.Add(argument);
            }

            verb.SetAction(async (parsed, cancellationToken) =>
            {
                if (changes && shared.DryRun(parsed))
                {
                    surroundings.Output.WriteLine($"`log {name}` would be done.");
                    return ExitCode.Done;
                }

                var report = await ActAsync(
                    surroundings, shared, parsed, route(parsed), isRead: name == "stats",
                    log => onLog(log, parsed, cancellationToken), cancellationToken);
                surroundings.Write(shared.Json(parsed), report, () => Lines(report));
                return (bool?)report["is_sound"] is false ? ExitCode.Failed : ExitCode.Done;
            });
            return verb;
        }
    }

    private static async Task<JsonObject> ActAsync(
        Surroundings surroundings, SharedOptions shared, ParseResult parsed, string route, bool isRead,
        Func<ConversationLog, Task<JsonObject>> onLog, CancellationToken cancellationToken)
    {
        var settings = shared.CheckedSettings(parsed);
        if (await RunningServer.FindAsync(SharedOptions.FolderOf(settings), cancellationToken) is { } server)
        {
            using var client = server.Connect();
            var uri = new Uri($"/{route}", UriKind.Relative);
            using var answer = isRead
                ? await client.GetAsync(uri, cancellationToken)
                : await client.PostAsync(uri, null, cancellationToken);
            return await ServerAnswer.ReadAsync(answer, cancellationToken);
        }

        await using var log = await ConversationLog.OpenAsync(
            LogOpening.OptionsOf(settings), surroundings.Time, cancellationToken);
        return await onLog(log);
    }

    private static async Task<int> RestoreAsync(
        Surroundings surroundings, SharedOptions shared, ParseResult parsed, string source,
        CancellationToken cancellationToken)
    {
        var settings = shared.CheckedSettings(parsed);
        if (!Directory.Exists(source))
        {
            throw new CommandFailure(ExitCode.Failed, $"There is no backup folder {source}; name one that `log backup` made.");
        }

        if (await RunningServer.FindAsync(SharedOptions.FolderOf(settings), cancellationToken) is { } server)
        {
            throw new CommandFailure(
                ExitCode.Locked,
                $"The log is in use by process {server.ProcessId}; stop the server, restore, and start it again.");
        }

        if (shared.DryRun(parsed))
        {
            surroundings.Output.WriteLine($"The log would be replaced by {source}.");
            return ExitCode.Done;
        }

        if (!shared.Yes(parsed))
        {
            throw new CommandFailure(
                ExitCode.Refused, "This replaces the log by the backup; say --yes to do it.");
        }

        var report = LogEndpoints.Write(await ConversationLog.RestoreAsync(
            LogOpening.OptionsOf(settings), Path.GetFullPath(source), surroundings.Time, cancellationToken));
        surroundings.Write(shared.Json(parsed), report, () => Lines(report));
        return ExitCode.Done;
    }

    private static IEnumerable<string> Lines(JsonObject report) => report.Select(field =>
        $"{field.Key.Replace('_', ' '),-22} {(field.Value is JsonArray list
            ? list.Count == 0 ? "none" : string.Join(", ", list.Select(item => item?.ToJsonString()))
            : field.Value?.ToString() ?? "-")}");
}
