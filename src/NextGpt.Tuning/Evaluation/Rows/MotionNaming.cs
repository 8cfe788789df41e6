using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>A drawing is moved in one of ten ways and the motion is named; the thing's name is counted beside it.</summary>
internal static class MotionNaming
{
    private const int LongestAnswer = 32;

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutReading(MediaKind.Video);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var draw = bench.Draw("naming-clips");
        var names = PictureNaming.Books(bench.World!).Names;   // asked for by Missing
        var clips = Clips(bench, draw, bench.Count(200, 20));
        var words = clips.Select(_ => NamingTasks.Moves.Say(draw)).ToList();
        var replies = await bench.AskAsync(
            clips.Count,
            place => Examinee.Greedy(
                [new PromptMessage { Role = PromptRole.User, Parts = [new MediaPart(bench.Mixture.Studio.Make(clips[place].Recipe)), new TextPart(words[place])] }],
                LongestAnswer, place),
            cancellationToken);
        var marks = clips.Zip(replies, (clip, reply) => (
            Clip: clip, reply.Text, Right: Names(clip.Recipe.Motion!, reply.Text), Thing: names.Holds(reply.Text, clip.Recipe.Row.Concept))).ToList();   // all are moved
        return new RowFindings(
            [
                Figure.Share("naming-clips.motion", "the motion named, one of ten", [.. marks.Select(mark => mark.Right)]) with
                {
                    Floor = 0.10, Aim = 0.90, UpperBound = 1,
                    Note = string.Join(", ", marks.GroupBy(mark => mark.Clip.Recipe.Motion!.Name, StringComparer.Ordinal)
                        .Select(motion => $"{motion.Key} {motion.Count(mark => mark.Right)}/{motion.Count()}")) + ".",
                },
                Figure.Share("naming-clips.thing", "the thing named", [.. marks.Select(mark => mark.Thing)]),
            ],
            [.. marks.Select(mark => new EvaluationItem($"{mark.Clip.Recipe.Row.Id}, {mark.Clip.Recipe.Motion!.Name}", mark.Text, mark.Clip.Said, mark.Right))]);
    }

    /// <summary>Moved drawings, as many of every motion; pairs of thing and motion that no training saw come first.</summary>
    internal static IReadOnlyList<(ClipRecipe Recipe, string Said)> Clips(EvaluationBench bench, TalkDraw draw, int count)
    {
        var things = EvaluationBench.Some(
            draw, bench.NamedPictures.Where(row => row.IsForTraining && row.Group is not "person" && WorldNames.Of(row) is { } said && !WorldNames.IsMany(said)), int.MaxValue);
        var clips = new List<(ClipRecipe, string)>();
        for (var place = 0; place < count && things.Count > 0; place++)
        {
            var motion = Motion.All[place % Motion.All.Count];
            var fitting = things.Where(row => motion.IsForTesting(row.Concept)).ToList();
            var row = draw.One(fitting.Count > 0 ? fitting : things);
            if (ClipRules.Moved(draw, row, motion) is { Recipe: ClipRecipe recipe } moved)
            {
                clips.Add((recipe, moved.Said));
            }
        }

        return clips;
    }

    /// <summary>Whether an answer names a motion, in whatever form of its verb.</summary>
    internal static bool Names(Motion motion, string said) => TalkExam.Judge(motion.Name switch
    {
        "sliding to the left" => "sliding left|sliding to the left|slides left|slides to the left|moving left|moving to the left|moves left|moves to the left|to the left",
        "sliding to the right" => "sliding right|sliding to the right|slides right|slides to the right|moving right|moving to the right|moves right|moves to the right|to the right",
        "rising" => "rising|rises|going up|goes up|moving up|moves up",
        "falling" => "falling|falls|going down|goes down|moving down|moves down",
        "bouncing" => "bouncing|bounces",
        "spinning" => "spinning|spins|turning round|rotating|rotates",
        "swinging" => "swinging|swings",
        "growing" => "growing|grows|getting bigger|gets bigger",
        "shrinking" => "shrinking|shrinks|getting smaller|gets smaller",
        "shaking" => "shaking|shakes|trembling|trembles",
        var other => other,
    }, said) == true;
}
