using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Things are drawn on request, and an independent encoder looks for the asked one among all.</summary>
internal static class Drawing
{
    private const int LongestAnswer = 48;
    private const int Side = 64;

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutMaking(MediaKind.Image) ?? bench.WithoutJudge(MediaKind.Image);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var judge = bench.Judge!;   // asked for by Missing
        var draw = bench.Draw("drawing");
        var gallery = bench.Pictures(cancellationToken);
        var (figures, items, gaps, sheets) = (new List<Figure>(), new List<EvaluationItem>(), new List<string>(), new List<string>());
        foreach (var (name, what, split) in new[] { ("seen", "pairs of thing and style that were trained", "train"), ("pair", "pairs of thing and style never trained", "test_pair") })
        {
            var rows = EvaluationBench.Some(draw, bench.NamedPictures.Where(row => row.Split == split && row.Style is not null), bench.Count(150, 12));
            if (rows.Count == 0)
            {
                gaps.Add($"Drawing {what}: this world has none.");
                continue;
            }

            var requests = rows.Select(row => MakingTasks.Draw.Say(draw, PictureRules.Styled(bench.Mixture.Pool, row)!.Said)).ToList();   // these have names and styles
            var replies = await bench.AskAsync(
                rows.Count, place => Examinee.Greedy([PromptMessage.Of(PromptRole.User, requests[place])], LongestAnswer, place), cancellationToken);
            var pictures = replies.Select(reply => reply.First<Picture>()).ToList();
            var ranks = Ranks(judge, gallery.Concepts, rows, pictures, cancellationToken);
            figures.AddRange(Figures($"drawing.{name}", what, ranks, gallery.RealRanks(rows), gallery.Concepts.Count, 0.70, 0.90));
            items.AddRange(rows.Select((row, place) => new EvaluationItem(
                requests[place], replies[place].Text, row.Id, ranks[place] == 1, ranks[place] is { } rank ? $"place {rank}" : "no picture came")));
            if (bench.Options.Out is { } folder)
            {
                var sheet = $"sheets/drawing-{name}.png";
                ContactSheet.Write(
                    Path.Combine(folder, sheet),
                    [.. rows.SelectMany((row, place) => new[] { (Picture?)bench.Mixture.Studio.Make(new PictureRecipe([new PicturePiece(row)], Backdrop.White)), pictures[place] })],
                    Side, 20);
                sheets.Add(sheet);
            }
        }

        return new RowFindings(figures, items) { Gaps = gaps, Sheets = sheets };
    }

    /// <summary>The asked concept's places; null where nothing was made.</summary>
    internal static IReadOnlyList<int?> Ranks(
        EncoderJudge judge, ConceptGallery gallery, IReadOnlyList<WorldRow> asked, IReadOnlyList<Medium?> made, CancellationToken cancellationToken)
    {
        var directions = judge.Embed(made.OfType<Medium>(), cancellationToken);
        var next = 0;
        return [.. asked.Zip(made, (row, medium) => medium is null ? null : gallery.Rank(directions[next++], row.Concept))];
    }

    /// <summary>First and first five, with chance and real media beside them; nothing made counts as a miss.</summary>
    internal static IEnumerable<Figure> Figures(
        string name, string what, IReadOnlyList<int?> ranks, IReadOnlyList<int?> real, int concepts, double aim, double? aimOfFive)
    {
        var judged = real.OfType<int>().ToList();
        var came = ranks.Count(rank => rank is not null);
        var note = FormattableString.Invariant($"Among {concepts} concepts; something came for {came} of {ranks.Count} requests. Upper bound: real media of the same things ({judged.Count} that have another one).");
        yield return Figure.Share($"{name}.top1", $"the asked thing recognised first: {what}", [.. ranks.Select(rank => rank == 1)]) with
        {
            Floor = 1.0 / Math.Max(1, concepts),
            Aim = aim,
            UpperBound = judged.Count == 0 ? null : (double)judged.Count(rank => rank == 1) / judged.Count,
            Note = note,
        };
        yield return Figure.Share($"{name}.top5", $"the asked thing among the first five: {what}", [.. ranks.Select(rank => rank <= 5)]) with
        {
            Floor = Math.Min(1, 5.0 / Math.Max(1, concepts)),
            Aim = aimOfFive,
            UpperBound = judged.Count == 0 ? null : (double)judged.Count(rank => rank <= 5) / judged.Count,
        };
    }
}
