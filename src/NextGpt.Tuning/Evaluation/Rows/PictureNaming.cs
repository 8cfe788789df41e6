using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>A picture is shown and named: drawings kept back, unseen styles, photographs.</summary>
internal static class PictureNaming
{
    private const int LongestAnswer = 32;

    // Floors: nearest neighbour of 16 x 16 colours on the same splits, measured.
    private static readonly Split[] Splits =
    [
        new("pair", "drawings kept back of known things in known styles", row => row.Split == "test_pair", 0.50, 0.711, 0.85),
        new("muted", "the unseen style `muted`", row => row is { Split: "test_style", Style: "muted" }, 0.355, 0.595, 0.65),
        new("outlined", "the unseen style `outlined`", row => row is { Split: "test_style", Style: "outlined" }, 0.213, 0.50, 0.50),
        new("photo", "photographs (stamps)", row => row is { Split: "test_style", Style: "photo stamp" }, 0.083, 0.406, 0.25),
    ];

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutReading(MediaKind.Image);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var world = bench.World!;   // asked for by Missing
        var (names, groups) = Books(world);
        var draw = bench.Draw("naming-pictures");
        var known = world.Of(WorldKind.Picture).Where(row => row.IsForTraining).Select(row => row.Concept).ToHashSet(StringComparer.Ordinal);
        var (figures, items, gaps) = (new List<Figure>(), new List<EvaluationItem>(), new List<string>());
        foreach (var split in Splits)
        {
            var rows = EvaluationBench.Some(
                draw, world.Of(WorldKind.Picture).Where(row => split.Holds(row) && known.Contains(row.Concept) && WorldNames.Of(row) is not null), bench.Count(2_000, 24));
            if (rows.Count == 0)
            {
                gaps.Add($"Naming {split.What}: this world has none; fetch it whole (without --core).");
                continue;
            }

            var questions = rows.Select(row => Question(bench, draw, row)).ToList();
            var replies = await bench.AskAsync(rows.Count, place => Examinee.Greedy([questions[place]()], LongestAnswer, place), cancellationToken);
            var marks = rows.Zip(replies, (row, reply) => (
                Row: row, reply.Text, Right: names.Holds(reply.Text, row.Concept), Group: row.Group is { } group && groups.Find(reply.Text).Contains(group))).ToList();
            figures.Add(Figure.Share($"naming-pictures.{split.Name}", $"named: {split.What}", [.. marks.Select(mark => mark.Right)]) with
            {
                Floor = split.Floor,
                Aim = split.Aim,
                UpperBound = Bound(bench, rows, cancellationToken),
                Note = bench.Judge is null ? null : "Upper bound: the judge's encoder alone on the same pictures, by likeness.",
            });
            figures.Add(Figure.Share($"naming-pictures.{split.Name}.group", $"group right: {split.What}", [.. marks.Select(mark => mark.Right || mark.Group)]) with { Floor = split.GroupFloor });
            items.AddRange(marks.Select(mark => new EvaluationItem(mark.Row.Id, mark.Text, WorldNames.Of(mark.Row), mark.Right, mark.Right || mark.Group ? "group right" : null)));
        }

        return new RowFindings(figures, items) { Gaps = gaps };
    }

    /// <summary>Names of things, and names that tell a group.</summary>
    internal static (NameBook Names, NameBook Groups) Books(WorldData world)
    {
        var (names, groups) = (new NameBook(), new NameBook());
        foreach (var row in world.Of(WorldKind.Picture).Where(row => row.IsForTraining && row.Group is not null))
        {
            names.AddPicture(row, row.Concept);
            groups.AddPicture(row, row.Group!);   // filtered above
            foreach (var word in row.Group!.Split(" or "))
            {
                groups.Add(word, row.Group);
            }
        }

        return (names, groups);
    }

    private static Func<PromptMessage> Question(EvaluationBench bench, TalkDraw draw, WorldRow row)
    {
        var (words, first) = (NamingTasks.What.Say(draw), draw.Chance(0.5));
        return () =>
        {
            var picture = new MediaPart(bench.Mixture.Studio.Make(new PictureRecipe([new PicturePiece(row)], Backdrop.White)));
            return new PromptMessage { Role = PromptRole.User, Parts = first ? [picture, new TextPart(words)] : [new TextPart(words), picture] };
        };
    }

    private static double? Bound(EvaluationBench bench, IReadOnlyList<WorldRow> rows, CancellationToken cancellationToken)
    {
        if (bench.Judge is not { } judge || !judge.Sees(MediaKind.Image))
        {
            return null;
        }

        var gallery = bench.Pictures(cancellationToken);
        var missing = rows.Where(row => !gallery.Media.ContainsKey(row.Id)).ToList();
        var directions = missing.Zip(judge.Embed(
            missing.Select(row => bench.Mixture.Studio.Make(new PictureRecipe([new PicturePiece(row)], Backdrop.White))), cancellationToken))
            .ToDictionary(pair => pair.First.Id, pair => pair.Second, StringComparer.Ordinal);
        var ranks = rows.Select(row => gallery.Media.TryGetValue(row.Id, out var own)
            ? gallery.Concepts.Rank(own, row.Concept, ownMedium: true) : gallery.Concepts.Rank(directions[row.Id], row.Concept)).ToList();
        return (double)ranks.Count(rank => rank == 1) / ranks.Count;
    }

    private sealed record Split(string Name, string What, Func<WorldRow, bool> Holds, double Floor, double GroupFloor, double Aim);
}
