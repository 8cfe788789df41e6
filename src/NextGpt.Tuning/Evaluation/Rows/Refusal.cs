using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Unknown things are said to be unknown and nothing is made of them; known things are not refused.</summary>
internal static class Refusal
{
    private const int LongestAnswer = 48;

    // How people and small models say it, beyond the templates' own words.
    private const string Words =
        "not know|don't know|do not have|don't have|not that|cannot|can't|could not|couldn't|unable|not able|am sorry|I'm sorry|unfortunately|never heard|no idea|not sure|not familiar|unknown to me";

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var requests = Unknown(bench.Count(100, 16), bench.Options.Seed);
        var replies = await bench.AskAsync(requests.Count, place => Ask(requests[place], place), cancellationToken);
        var marks = requests.Zip(replies, (request, reply) => (Request: request, Reply: reply, Right: reply.Media.Count == 0 && Says(reply.Text))).ToList();
        var figures = new List<Figure>
        {
            Figure.Share("refusal.honest", "unknown things: says so and makes nothing", [.. marks.Select(mark => mark.Right)]) with { Aim = 0.90, UpperBound = 1 },
        };
        var items = marks.Select(mark => Item(mark.Request, mark.Reply, mark.Right)).ToList();
        var gaps = new List<string>();
        if ((bench.WithoutWorld ?? bench.WithoutMaking(MediaKind.Image)) is { } missing)
        {
            gaps.Add($"Known things that are wrongly refused: {missing}");
        }
        else
        {
            var draw = bench.Draw("known");
            var known = EvaluationBench.Some(draw, bench.NamedPictures, bench.Count(100, 20)).Select(row => MakingTasks.Draw.Say(draw, WorldNames.Of(row) ?? row.Caption)).ToList();
            var answers = await bench.AskAsync(known.Count, place => Ask(known[place], place), cancellationToken);
            var refused = known.Zip(answers, (request, reply) => (request, reply, Refused: reply.Media.Count == 0)).ToList();
            figures.Add(Figure.Share("refusal.wrong", "known things that are wrongly refused (lower is better)", [.. refused.Select(mark => mark.Refused)]) with
            {
                LowerIsBetter = true,
                Floor = 1,
                UpperBound = 0,
            });
            items.AddRange(refused.Select(mark => Item(mark.request, mark.reply, !mark.Refused)));
        }

        return new RowFindings(figures, items) { Gaps = gaps };
    }

    /// <summary>Whether an answer says that something is not known or cannot be done.</summary>
    internal static bool Says(string said) => TalkExam.Judge(Words, said.Replace('’', '\'')) == true;

    /// <summary>Requests for unknown things, each once, in held-out wordings.</summary>
    internal static IReadOnlyList<string> Unknown(int count, int seed)
    {
        var nowhere = new TaskMixture(WorldData.Of(string.Empty, []), seed);
        return [.. Enumerable.Range(0, 40 * count).Select(place => nowhere.ForTesting(place, (place % 10) switch { 9 => "unknown clip", >= 6 => "unknown sound", _ => "unknown" }))
            .Select(sample => ((WordsPart)sample.Messages[0].Parts[0]).Text).Distinct(StringComparer.Ordinal).Take(count)];
    }

    private static GenerationRequest Ask(string request, int place) => Examinee.Greedy(
        [PromptMessage.Of(PromptRole.User, request)], LongestAnswer, place, new MediaOptions { ImageSteps = 1, AudioSteps = 1, VideoSteps = 1 });

    private static EvaluationItem Item(string request, Reply reply, bool right) =>
        new(request, reply.Text, Right: right, Note: reply.Media.Count == 0 ? null : $"Made: {string.Join(", ", reply.Kinds)}.");
}
