using System.CommandLine;
using System.Globalization;
using NextGpt.Tuning.Data.World;

namespace NextGpt.Server.Commands;

/// <summary><c>data fetch</c>: rebuilds the training world from public packages.</summary>
internal static class DataCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var folder = new Option<string>("--folder")
        {
            Description = "Where the world goes (about 2 GB while it is built).",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => "world",
        };
        var core = new Option<bool>("--core") { Description = "Leave out what may only be measured on." };
        var fetch = new Command("fetch", "Download, check and lay out the training world; run it again to go on where it stopped.")
        {
            folder,
            core,
        };
        fetch.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = shared.CheckedSettings(parsed);
            var options = settings.GetSection(WorldOptions.SectionName).Get<WorldOptions>() ?? new WorldOptions();
            var withTests = !parsed.GetValue(core);
            if (shared.DryRun(parsed))
            {
                foreach (var source in WorldSource.All.Where(source => withTests || !source.TestOnly))
                {
                    surroundings.Output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{source.Name} {source.Version} ({source.Licence}{(source.TestOnly ? ", for measuring only" : string.Empty)}) {source.Addresses(options)[0]}"));
                }

                return ExitCode.Done;
            }

            using var client = new HttpClient { Timeout = TimeSpan.FromHours(1) };
            await new WorldFetch(client, options, surroundings.Output)
                .RunAsync(Path.GetFullPath(parsed.GetValue(folder) ?? "world"), withTests, cancellationToken);
            return ExitCode.Done;
        });
        return new Command("data", "Handle the training data of the embedded model.") { fetch };
    }
}
