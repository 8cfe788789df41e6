using System.CommandLine;
using NextGpt.Bots.Teams;
using NextGpt.Bots.Teams.AppPackage;

namespace NextGpt.Server.Commands;

/// <summary><c>teams package</c>: the ZIP that an administrator uploads to Teams.</summary>
internal static class TeamsCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var file = new Option<string>("--out") { Description = "The ZIP to write.", HelpName = "FILE", Required = true };
        var version = new Option<string>("--package-version")
        {
            Description = "Raise it when you upload the package again.",
            HelpName = "VERSION",
            DefaultValueFactory = _ => "1.0.0",
        };
        var package = new Command("package", "Write the app package (manifest and icons) for the Teams administrator.") { file, version };
        package.SetAction(parsed =>
        {
            var options = shared.CheckedSettings(parsed).GetSection(TeamsOptions.SectionName).Get<TeamsOptions>() ?? new TeamsOptions();
            using var made = new MemoryStream();
            TeamsAppPackage.Write(options, parsed.GetValue(version) ?? "1.0.0", made);
            var path = Path.GetFullPath(parsed.GetValue(file) ?? "nextgpt-teams.zip");
            if (!shared.DryRun(parsed))
            {
                File.WriteAllBytes(path, made.ToArray());
            }

            surroundings.Output.WriteLine($"{path} ({made.Length} bytes): upload it in the Teams admin center under Manage apps.");
            return ExitCode.Done;
        });
        return new Command("teams", "Set up the Teams bot.") { package };
    }
}
