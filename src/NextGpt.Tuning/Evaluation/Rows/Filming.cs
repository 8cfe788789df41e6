using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Clips are made on request; an independent encoder tells the motion among ten and the thing among all.</summary>
internal static class Filming
{
    private const int LongestAnswer = 48;
    private const int Side = 64;
    private const int Shown = 8;
    private const int UsualSize = 40;

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutMaking(MediaKind.Video) ?? bench.WithoutJudge(MediaKind.Video);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var judge = bench.Judge!;   // asked for by Missing
        var draw = bench.Draw("filming");
        // A request says nothing of background and size, so none of them is held against a clip.
        var wanted = MotionNaming.Clips(bench, draw, bench.Count(100, 10)).Select(clip => (Recipe: clip.Recipe with { Backdrop = Backdrop.White, Size = UsualSize }, clip.Said)).ToList();
        if (wanted.Count == 0)
        {
            return new RowFindings([], []) { Gaps = ["Filming: this world has no pictures to be moved."] };
        }

        var requests = wanted.Select(clip => MakingTasks.Film.Say(draw, clip.Said)).ToList();
        var replies = await bench.AskAsync(
            wanted.Count, place => Examinee.Greedy([PromptMessage.Of(PromptRole.User, requests[place])], LongestAnswer, place), cancellationToken);
        var clips = replies.Select(reply => reply.First<VideoClip>()).ToList();
        var rows = wanted.Select(clip => clip.Recipe.Row).ToList();
        var gallery = bench.Pictures(cancellationToken);
        var ranks = Drawing.Ranks(judge, gallery.Concepts, rows, [.. clips.Select(Middle)], cancellationToken);

        var marks = new List<(string? Made, string? Real)>();
        for (var place = 0; place < wanted.Count; place++)
        {
            var ten = Ten(bench, wanted[place].Recipe, cancellationToken);
            var made = clips[place] is { } clip ? ten.Nearest(judge.Embed([clip], cancellationToken)[0]) : null;
            marks.Add((made, RealTwin(bench, wanted[place].Recipe) is { } twin ? ten.Nearest(judge.Embed([twin], cancellationToken)[0]) : null));
            bench.Progress(place + 1, wanted.Count);
        }

        var motions = wanted.Select(clip => clip.Recipe.Motion!.Name).ToList();   // all are moved
        var twins = marks.Zip(motions).Where(mark => mark.First.Real is not null).ToList();
        var figures = new List<Figure>
        {
            Figure.Share("filming.motion", "the asked motion recognised among ten", [.. marks.Zip(motions, (mark, motion) => mark.Made == motion)]) with
            {
                Floor = 0.10, Aim = 0.80, UpperBound = twins.Count == 0 ? null : (double)twins.Count(mark => mark.First.Real == mark.Second) / twins.Count,
                Note = "Upper bound: another drawing of the same thing, moved by us.",
            },
        };
        figures.AddRange(Drawing.Figures("filming.thing", "things in clips, by their middle frame", ranks, gallery.RealRanks(rows), gallery.Concepts.Count, 0.60, null));
        var sheets = new List<string>();
        if (bench.Options.Out is { } folder)
        {
            ContactSheet.Write(
                Path.Combine(folder, "sheets/filming.png"),
                [.. wanted.SelectMany((clip, place) => Frames((VideoClip)bench.Mixture.Studio.Make(clip.Recipe)).Concat(Frames(clips[place])))], Side, 2 * Shown);
            sheets.Add("sheets/filming.png");
        }

        return new RowFindings(figures, [.. wanted.Select((clip, place) => new EvaluationItem(
            requests[place], replies[place].Text, clip.Said, marks[place].Made == motions[place],
            $"{(marks[place].Made is { } seen ? $"seen as {seen}" : "no clip came")}{(ranks[place] is { } rank ? $", thing at place {rank}" : string.Empty)}"))])
        {
            Sheets = sheets,
        };
    }

    private static Picture? Middle(VideoClip? clip) => clip?.Frames[clip.Frames.Count / 2];

    /// <summary>Eight frames, spread over the clip.</summary>
    private static IEnumerable<Picture?> Frames(VideoClip? clip) =>
        Enumerable.Range(0, Shown).Select(place => clip?.Frames[place * clip.Frames.Count / Shown]);

    /// <summary>The ten motions of the same drawing.</summary>
    private static ConceptGallery Ten(EvaluationBench bench, ClipRecipe recipe, CancellationToken cancellationToken)
    {
        var directions = bench.Judge!.Embed(Motion.All.Select(motion => bench.Mixture.Studio.Make(recipe with { Motion = motion })), cancellationToken);
        return new ConceptGallery(Motion.All.Zip(directions, (motion, direction) => (motion.Name, direction)));
    }

    /// <summary>The same motion of another drawing of the thing, a little smaller, on white.</summary>
    private static Medium? RealTwin(EvaluationBench bench, ClipRecipe recipe)
    {
        var other = bench.World!.Pictures(recipe.Row.Concept).FirstOrDefault(row => row.Id != recipe.Row.Id && row.Style != recipe.Row.Style && row.Split is "train" or "test_pair");
        return other is null ? null : bench.Mixture.Studio.Make(recipe with { Row = other, Size = recipe.Size - 4 });
    }
}
