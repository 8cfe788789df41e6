using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Everyday questions in wordings and with facts that no training saw, and what was said five turns before.</summary>
internal static class EverydayTalk
{
    // Measured on 50 plain questions with the untouched file before this evaluation existed.
    private const double Floor = 0.54;

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        // A third of the composer's questions are recall; some of the others have many right answers and are passed over.
        var (plain, recalled) = (bench.Count(300, 40), bench.Count(150, 12));
        var all = TalkComposer.ForTesting(6 * plain, bench.Options.Seed).Where(dialogue => dialogue.Turns[^1].Expected is not null).ToList();
        var questions = all.Where(dialogue => !IsRecall(dialogue)).Take(plain).Concat(all.Where(IsRecall).Take(recalled)).ToList();
        var marks = await TalkExam.AskAsync(bench.Examinee, questions, done => bench.Progress(done, questions.Count), cancellationToken);

        var right = Judged(marks.Where(mark => !IsRecall(mark.Dialogue)));
        var recall = Judged(marks.Where(mark => IsRecall(mark.Dialogue)));
        var families = marks.GroupBy(mark => IsRecall(mark.Dialogue) ? "recall" : mark.Dialogue.Family, StringComparer.Ordinal)
            .Select(family => $"{family.Key} {family.Count(mark => mark.Right == true)}/{family.Count()}");
        return new RowFindings(
            [
                Figure.Share("talk.right", "everyday questions answered rightly", right) with
                {
                    Floor = Floor, Aim = 0.90, UpperBound = 1, Note = $"By family: {string.Join(", ", families)}.",
                },
                Figure.Share("talk.recall", "what was said five turns before, remembered", recall) with { Aim = 0.90, UpperBound = 1 },
            ],
            [.. marks.Select(mark => new EvaluationItem(
                string.Join(" / ", mark.Dialogue.Turns.Select(turn => turn.Question)), mark.Said, mark.Dialogue.Turns[^1].Expected, mark.Right, mark.Dialogue.Family))]);
    }

    private static bool IsRecall(Dialogue dialogue) => dialogue.Family.StartsWith("recall", StringComparison.Ordinal);

    private static List<bool> Judged(IEnumerable<TalkMark> marks) => [.. marks.Select(mark => mark.Right == true)];
}
