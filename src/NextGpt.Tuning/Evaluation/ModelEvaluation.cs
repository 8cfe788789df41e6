using System.Globalization;
using System.Text.Json;
using NextGpt.Model;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Evaluation;

/// <summary>Measures a model, row by row; a row that is stored is not measured again.</summary>
/// <param name="options">What is evaluated, with what.</param>
/// <param name="output">Takes lines for a person.</param>
/// <param name="time">The clock.</param>
public sealed class ModelEvaluation(EvaluationOptions options, TextWriter output, TimeProvider time)
{
    private const int Version = 1;   // of what rows measure; another one makes stored rows void
    private static readonly TimeSpan Saying = TimeSpan.FromSeconds(15);
    private readonly Lock _gate = new();

    /// <summary>Names of all rows, in the order of the report.</summary>
    public static IReadOnlyList<string> RowNames { get; } = [.. EvaluationRow.All.Select(row => row.Name)];

    /// <summary>Figures of the model that comes with the program, measured with it.</summary>
    public static string StoredFigures => Path.Combine(AppContext.BaseDirectory, "Embedded", "figures.json");

    /// <summary>Measures.</summary>
    /// <param name="cancellationToken">Stops; rows that are done stay stored.</param>
    /// <exception cref="InvalidDataException">The model, the judge or the world is not usable, with what to do.</exception>
    /// <exception cref="GenerationRefusedException">The model cannot be loaded.</exception>
    public async Task<EvaluationReport> RunAsync(CancellationToken cancellationToken = default)
    {
        var unknown = options.Rows.Except(RowNames, StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            throw new InvalidDataException($"There is no row {string.Join(", ", unknown)}; there are {string.Join(", ", RowNames)}.");
        }

        await using var model = ModelThread.Of(options.Model, time);
        await model.LoadAsync(null, cancellationToken);
        var source = model.Status.Source;
        foreach (var lost in model.Status.Lost)
        {
            output.WriteLine($"The model goes without a part: {lost}");
        }

        ModelThread? untouched = null;
        try
        {
            Examinee Untouched() => Of(untouched = ModelThread.Of(Alone(LanguageOf(source)), time));
            return await RunAsync(Of(model), PackageIdentity.HashOf(source), Untouched, model.Status.Engine, !ModelPackage.IsPackage(source), cancellationToken);
        }
        finally
        {
            if (untouched is not null)
            {
                await untouched.DisposeAsync();
            }
        }
    }

    /// <summary>Measures whatever answers.</summary>
    internal async Task<EvaluationReport> RunAsync(
        Examinee examinee, string packageHash, Func<Examinee?> untouched, string? engine = null, bool isUntouched = false, CancellationToken cancellationToken = default)
    {
        var world = options.World is { } folder ? WorldData.Load(WorldFolder(folder)) : null;
        var judgeHash = options.Judge is { } judgeFolder ? PackageIdentity.FolderHash(judgeFolder) : null;
        using var judge = LoadJudge();
        var bench = new EvaluationBench(options, examinee, untouched, world, judge) { IsUntouched = isUntouched };
        var circumstances = PackageIdentity.Key(
            packageHash, judgeHash ?? "none", world is null ? "none" : string.Join(' ', world.Rows.Select(row => row.Id)),
            string.Create(CultureInfo.InvariantCulture, $"{Version} {options.Seed} {options.Most} {options.Quick}"));
        var results = new List<RowResult>();
        foreach (var row in EvaluationRow.All)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (options.Quick && !row.IsQuick)
            {
                continue;
            }

            var stored = Stored(row.Name) is { } known && known.Key == circumstances && known.NotRun is null ? known : null;
            var wanted = options.Rows.Count == 0 ? stored is null : options.Rows.Contains(row.Name);
            if (stored is not null && !wanted)
            {
                output.WriteLine($"{row.Name}: stored, {stored.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
                results.Add(stored);
            }
            else if (wanted)
            {
                results.Add(await MeasureAsync(row, bench, circumstances, cancellationToken));
            }
        }

        var report = new EvaluationReport
        {
            ModelId = examinee.Generator.ModelId,
            PackageHash = packageHash,
            Engine = engine,
            Commit = PackageIdentity.Commit,
            At = time.GetUtcNow(),
            Seed = options.Seed,
            JudgeHash = judgeHash,
            WorldRows = world?.Rows.Count,
            Quick = options.Quick,
            Rows = results,
        };
        if (options.Out is { } place)
        {
            report.Save(place);
            if (options.Quick)
            {
                QuickFigures.Of(report).Save(Path.Combine(place, "figures.json"));
            }
        }

        return report;
    }

    private static Examinee Of(ModelThread model) => new(model, model);

    /// <summary>The language model of a package, without what was taught to it.</summary>
    private static string LanguageOf(string source) => ModelPackage.IsPackage(source)
        ? Path.Combine(source, ModelPackage.ReadManifest(source).Language.Path) : source;

    private ModelOptions Alone(string language) => new()
    {
        Path = language,
        Device = options.Model.Device,
        Libtorch = options.Model.Libtorch,
        Threads = options.Model.Threads,
        MaxContextTokens = options.Model.MaxContextTokens,
        SystemText = string.Empty,
    };

    private EncoderJudge? LoadJudge()
    {
        if (options.Judge is null && options.World is null)
        {
            return null;
        }

        TorchRuntime.Load(options.Model.Libtorch);
        return options.Judge is { } folder ? EncoderJudge.Load(folder, TorchRuntime.ResolveDevice(options.Model.Device)) : null;
    }

    private static string WorldFolder(string folder) =>
        !File.Exists(Path.Combine(folder, "captions.jsonl")) && File.Exists(Path.Combine(folder, "world", "captions.jsonl")) ? Path.Combine(folder, "world") : folder;

    private async Task<RowResult> MeasureAsync(EvaluationRow row, EvaluationBench bench, string key, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var result = new RowResult { Row = row.Name, Title = row.Title, Seed = options.Seed, At = time.GetUtcNow(), Key = key };
        if (row.Missing(bench) is { } missing)
        {
            output.WriteLine($"{row.Name}: not measured. {missing}");
            return Keep(result with { NotRun = missing });
        }

        output.WriteLine($"{row.Name}: {row.Title}");
        bench.Progress = Telling(row.Name, started);
        var found = await row.RunAsync(bench, cancellationToken);
        foreach (var figure in found.Figures)
        {
            output.WriteLine(figure.Right is { } right
                ? string.Create(CultureInfo.InvariantCulture, $"  {figure.Name}: {right} of {figure.Count} ({figure.Value:0.0%})")
                : string.Create(CultureInfo.InvariantCulture, $"  {figure.Name}: {figure.Value:0.000}"));
        }

        return Keep(result with
        {
            Figures = found.Figures,
            Items = found.Items,
            Gaps = found.Gaps,
            Sheets = found.Sheets,
            Seconds = Math.Round(time.GetElapsedTime(started).TotalSeconds, 1),
        });
    }

    private Action<int, int> Telling(string row, long started)
    {
        var said = started;
        return (done, count) =>
        {
            lock (_gate)
            {
                if (done == 0 || done >= count || time.GetElapsedTime(said) < Saying)
                {
                    return;
                }

                said = time.GetTimestamp();
                var left = time.GetElapsedTime(started) / done * (count - done);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row}: {done} of {count}, about {(int)left.TotalMinutes} min {left.Seconds} s left"));
            }
        };
    }

    private string? FileOf(string row) => options.Out is { } folder ? Path.Combine(folder, "rows", $"{row}.json") : null;

    private RowResult? Stored(string row)
    {
        if (FileOf(row) is not { } file || !File.Exists(file))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<RowResult>(File.ReadAllText(file), EvaluationReport.Json);
        }
        catch (JsonException)
        {
            return null;   // broken off while it was written: measured again
        }
    }

    private RowResult Keep(RowResult result)
    {
        if (FileOf(result.Row) is { } file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);   // it has one: it lies in rows
            File.WriteAllText(file, JsonSerializer.Serialize(result, EvaluationReport.Json) + "\n");
        }

        return result;
    }
}
