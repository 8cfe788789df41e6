using System.Globalization;
using System.Text.Json;

namespace NextGpt.Tuning.Evaluation;

/// <summary>What a quick evaluation is compared with: figures measured once, and how far a new one may fall behind.</summary>
public sealed record QuickFigures
{
    // A greedy answer may turn round on a machine with other vector instructions; one in ten doing so is no damage.
    private const double ShareMargin = 0.10;
    private const double RatioMargin = 0.03;

    /// <summary>The model they were measured on.</summary>
    public required string ModelId { get; init; }

    /// <summary>SHA-256 over that model's files.</summary>
    public required string PackageHash { get; init; }

    /// <summary>The commit that measured.</summary>
    public required string Commit { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The figures by name.</summary>
    public required IReadOnlyDictionary<string, QuickFigure> Figures { get; init; }

    /// <summary>Figures to compare with from a report.</summary>
    /// <param name="report">Of a quick evaluation.</param>
    public static QuickFigures Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new QuickFigures
        {
            ModelId = report.ModelId,
            PackageHash = report.PackageHash,
            Commit = report.Commit,
            At = report.At,
            Figures = report.Figures.ToDictionary(
                figure => figure.Name,
                figure => new QuickFigure(
                    Math.Round(figure.Value, 4), Math.Round(figure.IsShare ? Math.Max(ShareMargin, 2.0 / figure.Count) : figure.Value * RatioMargin, 4), figure.LowerIsBetter),
                StringComparer.Ordinal),
        };
    }

    /// <summary>Reads a file.</summary>
    /// <param name="file">As <see cref="Save"/> writes it.</param>
    /// <exception cref="InvalidDataException">It holds no figures.</exception>
    /// <exception cref="IOException">It is not there.</exception>
    public static QuickFigures Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<QuickFigures>(File.ReadAllText(file), EvaluationReport.Json) ?? throw new JsonException("null");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{file} holds no figures to compare with ({failure.Message}); `nextgpt evaluate --quick --out FOLDER` writes such a file.", failure);
        }
    }

    /// <summary>Writes a file.</summary>
    /// <param name="file">Its path.</param>
    public void Save(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, EvaluationReport.Json) + "\n");

    /// <summary>What is worse than it was.</summary>
    /// <param name="report">Of a quick evaluation.</param>
    /// <param name="rows">Rows that are compared; null is all. A stored figure that was not measured is a failure too.</param>
    /// <returns>A sentence each; empty where all is well.</returns>
    public IReadOnlyList<string> Compare(EvaluationReport report, IReadOnlyCollection<string>? rows = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        var measured = report.Figures.ToDictionary(figure => figure.Name, StringComparer.Ordinal);
        var failures = new List<string>();
        foreach (var (name, stored) in Figures.OrderBy(figure => figure.Key, StringComparer.Ordinal))
        {
            if (rows is not null && !rows.Contains(name.Split('.')[0]))
            {
                continue;
            }

            var limit = stored.LowerIsBetter ? stored.Value + stored.Margin : stored.Value - stored.Margin;
            if (!measured.TryGetValue(name, out var figure))
            {
                failures.Add($"{name} was not measured; it was {Number(stored.Value)}.");
            }
            else if (double.IsNaN(figure.Value) || (stored.LowerIsBetter ? figure.Value > limit : figure.Value < limit))
            {
                failures.Add($"{name} is {Number(figure.Value)}, it was {Number(stored.Value)} and may be {(stored.LowerIsBetter ? "at most" : "at least")} {Number(limit)}.");
            }
        }

        return failures;
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>One stored figure.</summary>
/// <param name="Value">What was measured.</param>
/// <param name="Margin">By how much a new one may be worse.</param>
/// <param name="LowerIsBetter">Whether less is better.</param>
public sealed record QuickFigure(double Value, double Margin, bool LowerIsBetter);
