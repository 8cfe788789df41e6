using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.Tuning.Evaluation;

/// <summary>Everything that was measured of one model, with what is needed to measure it again.</summary>
public sealed record EvaluationReport
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>The model's id.</summary>
    public required string ModelId { get; init; }

    /// <summary>SHA-256 over everything that the model is made of.</summary>
    public required string PackageHash { get; init; }

    /// <summary>What it computes with: number format and device; null where nothing is known.</summary>
    public string? Engine { get; init; }

    /// <summary>The commit of the program that measured.</summary>
    public required string Commit { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Seed of everything that was drawn by chance.</summary>
    public required int Seed { get; init; }

    /// <summary>SHA-256 over the judge's files; null where there was none.</summary>
    public string? JudgeHash { get; init; }

    /// <summary>How many rows the world has; null where there was none.</summary>
    public int? WorldRows { get; init; }

    /// <summary>Whether only the small fixed part was measured.</summary>
    public bool Quick { get; init; }

    /// <summary>The rows, in the order of the table.</summary>
    public required IReadOnlyList<RowResult> Rows { get; init; }

    /// <summary>All numbers of all rows.</summary>
    [JsonIgnore]
    public IEnumerable<Figure> Figures => Rows.SelectMany(row => row.Figures);

    /// <summary>Writes <c>report.json</c> and <c>report.md</c>.</summary>
    /// <param name="folder">Made where it is missing.</param>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "report.json"), JsonSerializer.Serialize(this with { Rows = [.. Rows.Select(row => row with { Items = [] })] }, Json) + "\n");
        File.WriteAllText(Path.Combine(folder, "report.md"), Markdown());
    }

    /// <summary>The report for people.</summary>
    public string Markdown()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# Evaluation of {ModelId}");
        Line($"");
        Line($"Measured {At.UtcDateTime:yyyy-MM-dd HH:mm} UTC{(Quick ? ", the quick part only" : string.Empty)}. Commit {Commit}. Package SHA-256 {PackageHash}. Seed {Seed}.{(Engine is null ? string.Empty : $" {Engine}.")}");
        Line($"Judge: {JudgeHash ?? "none"}. World: {(WorldRows is { } rows ? rows.ToString("N0", CultureInfo.InvariantCulture) + " rows" : "none")}. Intervals are Wilson's, 95 %.");
        Line($"");
        Line($"| what | n | measured | 95 % | floor | aim | upper bound | reached |");
        Line($"|---|---|---|---|---|---|---|---|");
        foreach (var row in Rows.Where(row => row.Figures.Count > 0))
        {
            foreach (var figure in row.Figures)
            {
                Line($"| {Cell(figure.What)} | {figure.Count:N0} | **{Number(figure, figure.Value)}** | {(figure.Interval is { } interval ? $"{Number(figure, interval.Low)} to {Number(figure, interval.High)}" : "-")} | {Number(figure, figure.Floor)} | {Number(figure, figure.Aim)} | {Number(figure, figure.UpperBound)} | {figure.Reached switch { true => "yes", false => "no", null => "-" }} |");
            }
        }

        var gaps = Rows.SelectMany(row => row.Gaps.Concat(row.NotRun is { } why ? [$"{row.Title}: {why}"] : [])).ToList();
        if (gaps.Count > 0)
        {
            Line($"");
            Line($"## Not measured");
            Line($"");
            gaps.ForEach(gap => Line($"- {gap}"));
        }

        foreach (var row in Rows.Where(row => row.Figures.Count > 0))
        {
            Details(row, Line);
        }

        return text.ToString();
    }

    private static void Details(RowResult row, Action<FormattableString> line)
    {
        line($"");
        line($"## {row.Title}");
        line($"");
        line($"Row `{row.Row}`, seed {row.Seed}, {row.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {row.Seconds:0} s. Every request with its answer: `rows/{row.Row}.json`.");
        foreach (var figure in row.Figures.Where(figure => figure.Note is not null))
        {
            line($"");
            line($"`{figure.Name}`: {figure.Note}");
        }

        foreach (var sheet in row.Sheets)
        {
            line($"");
            line($"![{row.Title}]({sheet})");
        }

        // Open requests are printed whole: they are to be read. Of the others the first misses.
        var shown = row.Row == "open" ? row.Items : [.. row.Items.Where(item => item.Right == false).Take(12)];
        if (shown.Count > 0)
        {
            line($"");
            line($"{(row.Row == "open" ? "All answers:" : "The first misses:")}");
            line($"");
            foreach (var item in shown)
            {
                line($"- {(item.Right switch { true => "right", false => "wrong", null => "-" })}: {OneLine(item.Asked)}{(item.Wanted is { Length: > 0 } wanted ? $" [{OneLine(wanted)}]" : string.Empty)} → {OneLine(item.Said)}{(item.Note is { } note ? $" ({OneLine(note)})" : string.Empty)}");
            }
        }
    }

    private static string Number(Figure figure, double? number) => number is not { } value ? "-"
        : figure.IsShare ? value.ToString(value is > 0 and < 0.01 ? "0.0 %" : "0 %", CultureInfo.InvariantCulture) : value.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ⏎ ").Replace("|", "\\|", StringComparison.Ordinal);
}
