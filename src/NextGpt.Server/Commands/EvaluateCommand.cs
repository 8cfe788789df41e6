using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Model;
using NextGpt.Tuning.Evaluation;

namespace NextGpt.Server.Commands;

/// <summary><c>evaluate</c>: measures a model through the path that people's requests take.</summary>
internal static class EvaluateCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var package = new Option<string?>("--package") { Description = "The model; without it the one of the settings.", HelpName = "FOLDER" };
        var judge = new Option<string?>("--judge") { Description = "An encoder that had no part in the model; drawings, sounds and clips are judged by it.", HelpName = "FOLDER" };
        var world = new Option<string?>("--world") { Description = "The world of `data fetch`; without it what needs one is left out.", HelpName = "FOLDER" };
        var quick = new Option<bool>("--quick") { Description = "Only a small fixed part, compared with the figures that were stored for the model that comes with the program." };
        var rows = new Option<string?>("--rows") { Description = $"Only these, measured anew: {string.Join(",", ModelEvaluation.RowNames)}.", HelpName = "A,B" };
        var place = new Option<string?>("--out") { Description = "Where report, sheets and finished rows go; run it again to go on.", HelpName = "FOLDER" };
        var most = new Option<int?>("--most") { Description = "At most so many requests per figure, to try it out.", HelpName = "N" };
        var seed = new Option<int?>("--seed") { Description = "Everything drawn by chance follows from it.", HelpName = "N" };
        var command = new Command(
            "evaluate", "Measure a model: naming, drawing, sounding, filming, switching, talk, honesty. Exit code 1: --quick found it worse than it was.")
        {
            package, judge, world, quick, rows, place, most, seed,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(most) is < 1)
            {
                throw new CommandFailure(ExitCode.Usage, "--most must be at least 1.");
            }

            var settings = shared.CheckedSettings(parsed).GetSection(ModelOptions.SectionName).Get<ModelOptions>() ?? new ModelOptions();
            var quickly = parsed.GetValue(quick);
            var options = new EvaluationOptions
            {
                Model = parsed.GetValue(package) is { } named ? WithPath(settings, named) : settings,
                Judge = parsed.GetValue(judge),
                World = parsed.GetValue(world),
                Quick = quickly,
                Rows = parsed.GetValue(rows)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
                Out = parsed.GetValue(place) ?? (quickly ? null : "evaluation"),
                Most = parsed.GetValue(most),
            };
            if (parsed.GetValue(seed) is { } number)
            {
                options = options with { Seed = number };
            }

            var stored = quickly && File.Exists(ModelEvaluation.StoredFigures) ? QuickFigures.Read(ModelEvaluation.StoredFigures) : null;
            var report = await new ModelEvaluation(options, surroundings.Error, surroundings.Time).RunAsync(cancellationToken);
            var failures = stored?.Compare(report, options.Rows.Count == 0 ? null : options.Rows) ?? [];
            surroundings.Write(shared.Json(parsed), Json(report, failures), () => Lines(report, options, stored, failures));
            return failures.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static IEnumerable<string> Lines(EvaluationReport report, EvaluationOptions options, QuickFigures? stored, IReadOnlyList<string> failures)
    {
        if (options.Out is { } folder)
        {
            yield return $"The report is {Path.Combine(folder, "report.md")}.";
        }
        else
        {
            yield return report.Markdown();
        }

        foreach (var failure in failures)
        {
            yield return $"Worse than it was: {failure}";
        }

        if (stored is not null && failures.Count == 0)
        {
            yield return $"Nothing is worse than the figures stored for {stored.ModelId}.";
        }
    }

    private static JsonObject Json(EvaluationReport report, IReadOnlyList<string> failures) => new()
    {
        ["model"] = report.ModelId,
        ["package_hash"] = report.PackageHash,
        ["commit"] = report.Commit,
        ["seed"] = report.Seed,
        ["worse"] = new JsonArray([.. failures.Select(failure => (JsonNode)failure)]),
        ["figures"] = JsonSerializer.SerializeToNode(report.Figures),
        ["not_measured"] = new JsonArray([.. report.Rows.SelectMany(row => row.NotRun is { } why ? [$"{row.Row}: {why}"] : row.Gaps).Select(gap => (JsonNode)gap)]),
    };

    private static ModelOptions WithPath(ModelOptions options, string path) => new()
    {
        Path = path,
        Device = options.Device,
        Libtorch = options.Libtorch,
        MaxContextTokens = options.MaxContextTokens,
        MaxReplyTokens = options.MaxReplyTokens,
        Threads = options.Threads,
        MaxQueuedRequests = options.MaxQueuedRequests,
        SystemText = options.SystemText,
        Template = options.Template,
        MaxMediaPerReply = options.MaxMediaPerReply,
        DecoderRest = options.DecoderRest,
        PrefixCacheMegabytes = options.PrefixCacheMegabytes,
    };
}
