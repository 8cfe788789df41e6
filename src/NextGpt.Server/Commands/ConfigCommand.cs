using System.CommandLine;
using System.Text.Json.Nodes;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Commands;

/// <summary><c>config check</c>: names each wrong or unknown setting (CLI-3).</summary>
internal static class ConfigCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var check = new Command("check", "Name each wrong or unknown setting and the nearest valid one.");
        var verbose = new Option<bool>("--verbose") { Description = "List all settings too." };
        check.Add(verbose);
        check.SetAction(parsed => Check(surroundings, shared, parsed, parsed.GetValue(verbose)));
        return new Command("config", "Look at the settings.") { check };
    }

    private static int Check(Surroundings surroundings, SharedOptions shared, ParseResult parsed, bool verbose)
    {
        var settings = shared.ReadSettings(parsed);
        var problems = SettingsCheck.Run(settings);
        if (problems.Count == 0)
        {
            var server = settings.GetSection(ServerOptions.SectionName).Get<ServerOptions>() ?? new ServerOptions();
            problems = [.. ListeningRules.Mistakes(server)];
        }

        var json = new JsonObject
        {
            ["ok"] = problems.Count == 0,
            ["problems"] = new JsonArray([.. problems.Select(problem =>
                new JsonObject { ["setting"] = problem.Name, ["message"] = problem.Sentence })]),
        };
        if (verbose)
        {
            json["settings"] = new JsonObject(
                SettingsCheck.Names.Select(name => KeyValuePair.Create<string, JsonNode?>(name, settings[name])));
        }

        surroundings.Write(shared.Json(parsed), json, () =>
        [
            .. verbose ? SettingsCheck.Names.Select(name => $"{name} = {settings[name] ?? "(default)"}") : [],
            .. problems.Count == 0 ? ["The settings are good."] : problems.Select(problem => problem.Sentence),
        ]);
        return problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
