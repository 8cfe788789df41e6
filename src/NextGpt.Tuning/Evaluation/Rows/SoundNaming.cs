using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>A sound is played and named: recordings kept back, another sample bank, recordings of other makers.</summary>
internal static class SoundNaming
{
    private const int LongestAnswer = 32;

    // Floors: nearest neighbour of mean and spread of 40 bands on the same splits, measured.
    private static readonly (string Name, string What, Func<WorldRow, bool> Holds, double Floor, double Aim)[] Splits =
    [
        ("pair", "recordings kept back", row => row.Split == "test_pair", 0.38, 0.70),
        ("bank", "another bank of instruments", row => row is { Split: "test_source", Source: "csound-soundfont" }, 0.50, 0.65),
        ("real", "real recordings of other makers", row => row.Split == "test_source" && row.Source != "csound-soundfont", 0.05, 0.20),
    ];

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutReading(MediaKind.Audio);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var world = bench.World!;   // asked for by Missing
        var known = world.Of(WorldKind.Sound).Where(row => row.IsForTraining).ToList();
        var concepts = known.Select(row => row.Concept).ToHashSet(StringComparer.Ordinal);
        var names = new NameBook();
        foreach (var row in world.Of(WorldKind.Sound).Where(row => concepts.Contains(row.Concept)))
        {
            names.AddSound(row);
        }

        var draw = bench.Draw("naming-sounds");
        var (figures, items, gaps) = (new List<Figure>(), new List<EvaluationItem>(), new List<string>());
        foreach (var (name, what, holds, floor, aim) in Splits)
        {
            var rows = EvaluationBench.Some(draw, world.Of(WorldKind.Sound).Where(row => holds(row) && concepts.Contains(row.Concept)), bench.Count(2_000, 24));
            if (rows.Count == 0)
            {
                gaps.Add($"Naming {what}: this world has none; fetch it whole (without --core).");
                continue;
            }

            var words = rows.Select(_ => NamingTasks.Heard.Say(draw)).ToList();
            var replies = await bench.AskAsync(
                rows.Count,
                place => Examinee.Greedy(
                    [new PromptMessage { Role = PromptRole.User, Parts = [new MediaPart(bench.Mixture.Studio.Make(new SoundRecipe([rows[place]]))), new TextPart(words[place])] }],
                    LongestAnswer, place),
                cancellationToken);
            var marks = rows.Zip(replies, (row, reply) => (Row: row, reply.Text, Right: names.Holds(reply.Text, row.Concept))).ToList();
            figures.Add(Figure.Share($"naming-sounds.{name}", $"named: {what}", [.. marks.Select(mark => mark.Right)]) with
            {
                Floor = floor,
                Aim = aim,
                UpperBound = Bound(bench, rows, cancellationToken),
                Note = bench.Judge is null ? null : "Upper bound: the judge's encoder alone on the same sounds, by likeness.",
            });
            items.AddRange(marks.Select(mark => new EvaluationItem(mark.Row.Id, mark.Text, mark.Row.Caption, mark.Right)));
        }

        return new RowFindings(figures, items) { Gaps = gaps };
    }

    private static double? Bound(EvaluationBench bench, IReadOnlyList<WorldRow> rows, CancellationToken cancellationToken)
    {
        if (bench.Judge is not { } judge || !judge.Sees(MediaKind.Audio))
        {
            return null;
        }

        var gallery = bench.Sounds(cancellationToken);
        var directions = judge.Embed(rows.Select(row => bench.Mixture.Studio.Make(new SoundRecipe([row]))), cancellationToken);
        var ranks = rows.Zip(directions, (row, direction) => gallery.Concepts.Rank(direction, row.Concept, gallery.Media.ContainsKey(row.Id))).ToList();
        return (double)ranks.Count(rank => rank == 1) / ranks.Count;
    }
}
