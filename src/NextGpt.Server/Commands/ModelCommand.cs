using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;

namespace NextGpt.Server.Commands;

/// <summary><c>model convert|verify|fit|detect</c>: makes model packages, looks after them, and knows what they made (CLI-1, AID-1).</summary>
internal static class ModelCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared) => new("model", "Make and check model packages.")
    {
        Convert(surroundings, shared),
        Verify(surroundings, shared),
        Fit(surroundings, shared),
        DetectCommand.Create(surroundings, shared),
    };

    private static Command Convert(Surroundings surroundings, SharedOptions shared)
    {
        var sources = new Argument<string[]>("source")
        {
            Description = "Files and folders of checkpoints in any order: language model, imagebind_huge.pth, diffusers folders, "
                + "NExT-GPT's own files. Each is recognised by its content; nothing in them is run.",
            Arity = ArgumentArity.OneOrMore,
        };
        var to = new Option<string>("--to") { Description = "The new folder of the package.", Required = true, HelpName = "PACKAGE" };
        var id = new Option<string?>("--id") { Description = "The model's id; default is the folder's name." };
        var licences = new Option<string[]>("--licence")
        {
            Description = $"Terms of a part, PART=SPDX; parts are {string.Join(", ", ConversionParts.All)}.",
            HelpName = "PART=SPDX",
            AllowMultipleArgumentsPerToken = true,
        };
        var alpha = new Option<double?>("--lora-alpha") { Description = "Strength of a LoRA without adapter_config.json." };
        var command = new Command("convert", "Make a model package of published checkpoints.") { sources, to, id, licences, alpha };
        command.SetAction((parsed, cancellationToken) =>
        {
            var request = new ConversionRequest
            {
                Sources = parsed.GetRequiredValue(sources),
                Target = parsed.GetRequiredValue(to),
                Id = parsed.GetValue(id),
                Licences = LicencesOf(parsed.GetValue(licences) ?? []),
                LoraAlpha = parsed.GetValue(alpha),
            };
            var dryRun = shared.DryRun(parsed);
            var line = new ProgressLine(surroundings);
            var report = dryRun ? ModelConverter.Plan(request) : ModelConverter.Convert(request, line, cancellationToken);
            line.End();
            surroundings.Write(
                shared.Json(parsed),
                new JsonObject
                {
                    ["package"] = report.Folder,
                    ["written"] = !dryRun,
                    ["size_bytes"] = report.SizeBytes,
                    ["parts"] = new JsonObject(report.Parts.Select(part => KeyValuePair.Create<string, JsonNode?>(part.Key, part.Value))),
                    ["notes"] = new JsonArray([.. report.Notes.Select(note => JsonValue.Create(note))]),
                },
                () =>
                [
                    .. report.Parts.Select(part => $"{part.Key,-10} {part.Value}"),
                    .. report.Notes,
                    $"{report.Folder} {(dryRun ? "would be" : "was")} written, {Gigabytes(report.SizeBytes)}.",
                ]);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Verify(Surroundings surroundings, SharedOptions shared)
    {
        var folder = new Argument<string>("package") { Description = "The package's folder." };
        var command = new Command(
            "verify", "Compare every file with its size and SHA-256, and every weight with the network that will load it.") { folder };
        command.SetAction((parsed, cancellationToken) =>
        {
            var place = parsed.GetRequiredValue(folder);
            var problems = Problems(place, surroundings, cancellationToken);
            surroundings.Write(
                shared.Json(parsed),
                new JsonObject
                {
                    ["package"] = Path.GetFullPath(place),
                    ["ok"] = problems.Count == 0,
                    ["problems"] = new JsonArray([.. problems.Select(problem => JsonValue.Create(problem))]),
                },
                () => problems.Count == 0 ? [$"{place} is whole: every file as it was written, every weight where its network wants it."] : problems);
            return Task.FromResult(problems.Count == 0 ? ExitCode.Done : ExitCode.Failed);
        });
        return command;
    }

    private static Command Fit(Surroundings surroundings, SharedOptions shared)
    {
        var folder = new Argument<string>("package") { Description = "The package's folder." };
        var device = new Option<string>("--device")
        {
            Description = "auto (the first GPU, else the CPU), cpu or cuda:N.",
            DefaultValueFactory = _ => "auto",
        };
        var memory = new Option<double?>("--memory") { Description = "Plan for a device with this memory in GB instead of asking this machine's." };
        var context = new Option<int?>("--context") { Description = "Prompt plus reply in tokens; default is the package's, at most 2048." };
        var command = new Command("fit", "Say whether a package fits a device's memory, and what will be off-loaded.")
        {
            folder, device, memory, context,
        };
        command.SetAction((parsed, _) =>
        {
            var asked = parsed.GetRequiredValue(device);
            var size = parsed.GetValue(memory);
            var tokens = parsed.GetValue(context);
            if (size is <= 0 or > 1e6 || tokens is < 16 or > 1 << 20)
            {
                throw new CommandFailure(ExitCode.Usage, "--memory must be above 0 GB, --context 16 to 1048576 tokens.");
            }

            var (name, bytes) = size is { } planned
                ? (asked == "auto" ? "cuda:0" : asked, (long)(planned * 1e9))
                : DeviceMemory.Of(asked);
            var report = PackageFit.Estimate(ModelPackage.Open(parsed.GetRequiredValue(folder)), name, bytes, tokens);
            surroundings.Write(shared.Json(parsed), Json(report), () => Lines(report));
            return Task.FromResult(report.Verdict == FitVerdict.TooLarge ? ExitCode.Failed : ExitCode.Done);
        });
        return command;
    }

    private static List<string> Problems(string folder, Surroundings surroundings, CancellationToken cancellationToken)
    {
        ModelPackage package;
        try
        {
            package = ModelPackage.Open(folder);
        }
        catch (InvalidDataException broken)
        {
            return [broken.Message];
        }

        var line = new ProgressLine(surroundings);
        List<string> problems = [.. package.Verify(line, cancellationToken)];
        line.End();
        problems.AddRange(PackageShapes.Problems(package, cancellationToken));
        return problems;
    }

    private static Dictionary<string, string> LicencesOf(string[] stated)
    {
        var licences = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in stated)
        {
            var at = entry.IndexOf('=', StringComparison.Ordinal);
            var part = at > 0 ? entry[..at] : "";
            if (!ConversionParts.All.Contains(part) || at == entry.Length - 1)
            {
                throw new CommandFailure(
                    ExitCode.Usage,
                    $"--licence is '{entry}'; PART=SPDX was expected, for example encoder=CC-BY-NC-SA-4.0. Parts are "
                    + $"{string.Join(", ", ConversionParts.All)}.");
            }

            if (!licences.TryAdd(part, entry[(at + 1)..]))
            {
                throw new CommandFailure(ExitCode.Usage, $"--licence states {part} twice.");
            }
        }

        return licences;
    }

    private static JsonObject Json(FitReport report) => new()
    {
        ["verdict"] = report.Verdict switch
        {
            FitVerdict.Whole => "whole",
            FitVerdict.OffLoaded => "off_loaded",
            _ => "too_large",
        },
        ["device"] = report.Device,
        ["device_bytes"] = report.DeviceBytes,
        ["needed_bytes"] = report.NeededBytes,
        ["least_bytes"] = report.LeastBytes,
        ["context_tokens"] = report.ContextTokens,
        ["key_value_bytes"] = report.KeyValueBytes,
        ["off_loaded"] = new JsonArray([.. report.OffLoaded.Select(part => JsonValue.Create(part))]),
        ["parts"] = new JsonArray([.. report.Parts.Select(part => new JsonObject
        {
            ["name"] = part.Name,
            ["parameters"] = part.Parameters,
            ["weight_bytes"] = part.WeightBytes,
            ["work_bytes"] = part.WorkBytes,
            ["type"] = part.ElementType,
        })]),
    };

    private static IEnumerable<string> Lines(FitReport report)
    {
        yield return $"{"part",-12} {"parameters",16} {"weights",12} {"work",12}  type";
        foreach (var part in report.Parts)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{part.Name,-12} {part.Parameters,16:N0} {Gigabytes(part.WeightBytes),12} {Gigabytes(part.WorkBytes),12}  {part.ElementType}");
        }

        yield return $"Keys and values of {report.ContextTokens} tokens: {Gigabytes(report.KeyValueBytes)} (in the language model's work, which is an estimate).";
        yield return report.Verdict switch
        {
            FitVerdict.Whole => $"It fits {report.Device}: {Gigabytes(report.NeededBytes)} of {Gigabytes(report.DeviceBytes)}.",
            FitVerdict.OffLoaded => $"It fits {report.Device} with {Gigabytes(report.DeviceBytes)} when {string.Join(", ", report.OffLoaded)} "
                + $"{(report.OffLoaded.Count == 1 ? "is" : "are")} off-loaded between uses; all at once needs {Gigabytes(report.NeededBytes)}.",
            _ => $"It does not fit {report.Device}: at least {Gigabytes(report.LeastBytes)} are needed, it has {Gigabytes(report.DeviceBytes)}. "
                + "Choose a smaller model, a shorter --context or another device.",
        };
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.000} GB");

    /// <summary>One line that is written over, and only for a person who looks.</summary>
    private sealed class ProgressLine(Surroundings surroundings) : IProgress<ConversionProgress>, IProgress<double>
    {
        private int _shown = -1;

        public void Report(ConversionProgress value) => Show(value.Share, value.Doing);

        public void Report(double value) => Show(value, "SHA-256");

        public void End()
        {
            if (surroundings.IsInteractive && _shown >= 0)
            {
                surroundings.Error.WriteLine();
            }
        }

        private void Show(double share, string doing)
        {
            var percent = (int)(share * 100);
            if (surroundings.IsInteractive && percent != _shown)
            {
                _shown = percent;
                surroundings.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{percent,3} % {doing,-60}"));
            }
        }
    }
}
