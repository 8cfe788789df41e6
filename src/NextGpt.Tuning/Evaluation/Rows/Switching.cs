using NextGpt.Model;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Every task in turn, in held-out wordings: exactly the media that are asked for, and none where words are wanted.</summary>
internal static class Switching
{
    private const int LongestAnswer = 64;

    // Which media come is decided before the first denoising step, so one step each is enough here.
    private static readonly MediaOptions OneStep = new() { ImageSteps = 1, AudioSteps = 1, VideoSteps = 1 };

    internal static string? Missing(EvaluationBench bench) =>
        bench.WithoutWorld ?? (bench.Examinee.Abilities.Makes.Count == 0 ? "The model makes no media, so there is nothing to switch between." : null);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var all = bench.Mixture.Switching(bench.Count(300, 36));
        var samples = all.Where(sample => CanRun(sample, bench.Examinee.Abilities)).ToList();
        var questions = TalkComposer.ForTesting(2 * bench.Count(100, 20), bench.Options.Seed + 1)
            .Where(dialogue => dialogue.Turns.Count == 1).Take(bench.Count(100, 20)).Select(dialogue => dialogue.Turns[0].Question).ToList();
        var total = samples.Count + questions.Count;
        var replies = await bench.AskAsync(
            total,
            place => Examinee.Greedy(
                place < samples.Count ? Write(samples[place], bench.Mixture) : [PromptMessage.Of(PromptRole.User, questions[place - samples.Count])],
                LongestAnswer, place, OneStep),
            cancellationToken);
        var marks = samples.Zip(replies, (sample, reply) => (Sample: sample, Reply: reply, Right: reply.Kinds.SetEquals(sample.Wanted))).ToList();
        var ordinary = questions.Zip(replies.Skip(samples.Count)).ToList();
        var always = samples.GroupBy(sample => string.Join('+', sample.Wanted.Order())).Max(group => group.Count());
        var figures = new List<Figure>
        {
            Figure.Share("switching.right", "exactly the asked-for media", [.. marks.Select(mark => mark.Right)]) with
            {
                Aim = 0.95, UpperBound = 1, Floor = (double)always / samples.Count,
                Note = "Floor: always answering with the commonest set. " + string.Join(", ", marks.GroupBy(mark => mark.Sample.Task, StringComparer.Ordinal)
                    .Select(task => $"{task.Key} {task.Count(mark => mark.Right)}/{task.Count()}")) + ".",
            },
            Figure.Share("switching.unasked", "media that nobody asked for (lower is better)", [.. marks.Select(mark => !mark.Reply.Kinds.IsSubsetOf(mark.Sample.Wanted))]) with
            {
                Aim = 0.02, UpperBound = 0, LowerIsBetter = true,
            },
        };
        if (ordinary.Count > 0)
        {
            figures.Add(Figure.Share("switching.ordinary", "ordinary questions answered with media (lower is better)", [.. ordinary.Select(mark => mark.Second.Media.Count > 0)]) with
            {
                Aim = 0.02,
                UpperBound = 0,
                LowerIsBetter = true,
            });
        }

        return new RowFindings(
            figures,
            [
                .. marks.Select(mark => new EvaluationItem(
                    Text(mark.Sample), mark.Reply.Text, string.Join('+', mark.Sample.Wanted.Order()), mark.Right, Made(mark.Reply, mark.Sample.Task))),
                .. ordinary.Select(mark => new EvaluationItem(mark.First, mark.Second.Text, string.Empty, mark.Second.Media.Count == 0, Made(mark.Second, "everyday talk"))),
            ])
        {
            Gaps = samples.Count == all.Count ? [] : [$"{all.Count - samples.Count} of {all.Count} requests need media that this model does not read or make; they are left out."],
        };
    }

    /// <summary>A sample as a prompt: the model's own earlier media are media, which become its signals again.</summary>
    internal static IReadOnlyList<PromptMessage> Write(InstructionSample sample, TaskMixture mixture) => [.. sample.Messages.SkipLast(1).Select(message => new PromptMessage
    {
        Role = message.Role,
        Parts = [.. message.Parts.Select<InstructionPart, PromptPart>(part => part switch
        {
            ShownPart shown => new MediaPart(mixture.Studio.Make(shown.Recipe)),
            SignalPart signal => new MediaPart(mixture.Studio.Make(signal.Target)),
            WordsPart words => new TextPart(words.Text),
            _ => throw new InvalidOperationException($"A part of kind {part.GetType().Name} cannot be written."),
        })],
    })];

    private static bool CanRun(InstructionSample sample, ModelAbilities abilities) =>
        sample.Messages.SelectMany(message => message.Parts).All(part => part switch
        {
            ShownPart shown => abilities.Reads.Contains(shown.Recipe.Kind),
            SignalPart signal => abilities.Makes.Contains(signal.Kind),
            _ => true,
        });

    private static string Text(InstructionSample sample) => string.Join(" / ", sample.Messages.SkipLast(1).Select(message => string.Join(' ', message.Parts.Select(part => part switch
    {
        WordsPart words => words.Text,
        ShownPart shown => $"<{shown.Recipe.Kind}>",
        SignalPart signal => $"<made: {signal.Caption}>",
        _ => string.Empty,
    }))));

    private static string Made(Reply reply, string task) =>
        $"{task}; made {(reply.Media.Count == 0 ? "nothing" : string.Join('+', reply.Kinds.Order()))}{string.Concat(reply.Failures.Select(failure => $"; failed: {failure}"))}";
}
