using System.Globalization;
using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Encoders;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>A figure of an encoder's exam.</summary>
/// <param name="Step">Steps trained.</param>
/// <param name="What">Which media.</param>
/// <param name="Count">How many.</param>
/// <param name="Top1">Share whose nearest name is the right one.</param>
/// <param name="Top5">Share with the right one among the five nearest.</param>
/// <param name="Group">Share whose nearest name belongs to the right group; null where there are no groups.</param>
public sealed record EncoderFigure(int Step, string What, int Count, double Top1, double Top5, double? Group);

/// <summary>Lets an encoder in training name what it has not seen: pictures, sounds and motions, by the nearest of all names.</summary>
internal sealed class EncoderExam(
    EncoderWorld world, ImageBindConfig config, ImageBindTokenizer tokenizer, Device device, string folder, TrainingJournal journal) : IDisposable
{
    private readonly MediaPreparation _preparation = new(config);
    private readonly Dictionary<string, Tensor> _prepared = new(StringComparer.Ordinal);   // of sounds and clips, small enough to keep

    /// <summary>Examines, tells and notes in <c>exam.jsonl</c>.</summary>
    /// <param name="network">The encoder.</param>
    /// <param name="step">Steps trained.</param>
    /// <param name="most">Media per list.</param>
    /// <param name="cancellationToken">Looked at between lists.</param>
    internal void Sit(ImageBind network, int step, int most, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        network.eval();
        using var naming = new MediumNaming(network, tokenizer, device);
        foreach (var figure in Pictures(naming, step, most).Concat(Sounds(naming, step, most)).Concat(Motions(naming, step, most)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            File.AppendAllText(Path.Combine(folder, "exam.jsonl"), JsonSerializer.Serialize(figure) + "\n");
            journal.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"step {figure.Step}, {figure.What}: {figure.Top1:0.0%} of {figure.Count} named (five {figure.Top5:0.0%}"
                + $"{(figure.Group is { } group ? $", group {group:0.0%}" : "")})"));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var views in _prepared.Values)
        {
            views.Dispose();
        }
    }

    private IEnumerable<EncoderFigure> Pictures(MediumNaming naming, int step, int most)
    {
        using var renderer = new SceneRenderer(world.Atlas, device);
        var names = world.Atlas.Pictures.DistinctBy(picture => picture.Concept).ToList();
        var places = naming.Places([.. names.Select(name => EncoderWords.OfPicture(name.Caption))]);
        var seen = world.Training.Pictures.Select(picture => picture.Concept).ToHashSet(StringComparer.Ordinal);
        var lists = Enumerable.Range(0, world.Atlas.Pictures.Count)
            .Where(index => !world.Atlas.Pictures[index].IsForTraining)
            .Where(index => world.Atlas.Pictures[index].Split == "test_concept" || seen.Contains(world.Atlas.Pictures[index].Concept))
            .GroupBy(index => world.Atlas.Pictures[index] is { Split: "test_style" } picture ? $"style {picture.Style}" : world.Atlas.Pictures[index].Split);
        foreach (var list in lists.OrderBy(list => list.Key, StringComparer.Ordinal))
        {
            int[] chosen = Sample(list, most);
            var orders = chosen.Chunk(128).SelectMany(part =>
            {
                using var chunk = NewDisposeScope();
                var shown = renderer.RenderPlain(tensor([.. part.Select(index => (long)index)], device: device));   // −1..1
                return naming.Order(MediaKind.Image, Normalised((shown + 1) / 2), places, Math.Min(5, names.Count));
            }).ToList();
            yield return Figure(step, $"pictures, {list.Key}", orders, at => names[at].Concept, at => world.Atlas.Pictures[chosen[at]].Concept,
                at => names[at].Group, at => world.Atlas.Pictures[chosen[at]].Group);
        }
    }

    private IEnumerable<EncoderFigure> Sounds(MediumNaming naming, int step, int most)
    {
        var names = world.Sounds.GroupBy(row => row.Concept, StringComparer.Ordinal).ToList();
        if (names.Count == 0)
        {
            yield break;
        }

        var places = naming.Places([.. names.Select(name => EncoderWords.OfSound(name.Key, name.Select(row => row.Caption)))]);
        var known = names.Select(name => name.Key).ToHashSet(StringComparer.Ordinal);
        var lists = world.World.Of(WorldKind.Sound).Where(row => !row.IsForTraining && known.Contains(row.Concept))
            .GroupBy(row => row.Split == "test_source" ? row.Source : row.Split);
        foreach (var list in lists.OrderBy(list => list.Key, StringComparer.Ordinal))
        {
            var rows = Sample(list, most);
            var views = Kept($"sounds {list.Key} {rows.Length}", () => rows.Select(row =>
                _preparation.Prepare(WaveFile.Read(File.ReadAllBytes(Path.Combine(world.World.Folder, row.Path ?? ""))))));
            yield return Figure(
                step, $"sounds, {list.Key}", naming.Order(MediaKind.Audio, views, places, Math.Min(5, names.Count)),
                at => names[at].Key, at => rows[at].Concept, null, null);
        }
    }

    private IEnumerable<EncoderFigure> Motions(MediumNaming naming, int step, int most)
    {
        var studio = new WorldStudio(world.World);
        var kept = world.World.Of(WorldKind.Picture).Where(row => row.IsForTraining)
            .SelectMany(row => Motion.All.Where(motion => motion.IsForTesting(row.Concept)).Select(motion => (Row: row, Motion: motion)));
        var clips = Sample(kept, Math.Min(most, 200));
        if (clips.Length == 0)
        {
            yield break;
        }

        var places = naming.Places([.. Motion.All.Select(EncoderWords.OfMotion)]);
        var views = Kept($"motions {clips.Length}", () => clips.Select(clip => _preparation.Prepare(
            studio.Make(new ClipRecipe(clip.Row, clip.Motion, false, 38, 0, Backdrop.White)))));
        yield return Figure(
            step, "clips, motion of ten", naming.Order(MediaKind.Video, views, places, 5),
            at => Motion.All[at].Name, at => clips[at].Motion.Name, null, null);
    }

    private static EncoderFigure Figure(
        int step, string what, IReadOnlyList<int[]> orders, Func<int, string> nameOf, Func<int, string> right,
        Func<int, string>? groupOf, Func<int, string>? rightGroup)
    {
        double Share(Func<int, bool> fits) => orders.Count == 0 ? 0 : Enumerable.Range(0, orders.Count).Count(fits) / (double)orders.Count;
        return new EncoderFigure(
            step, what, orders.Count, Share(at => nameOf(orders[at][0]) == right(at)),
            Share(at => orders[at].Any(name => nameOf(name) == right(at))),
            groupOf is null || rightGroup is null ? null : Share(at => groupOf(orders[at][0]) == rightGroup(at)));
    }

    private static T[] Sample<T>(IEnumerable<T> all, int most)
    {
        T[] shuffled = [.. all];
        new Random(7).Shuffle(shuffled);
        return shuffled.Length <= most ? shuffled : shuffled[..most];
    }

    private Tensor Kept(string list, Func<IEnumerable<Tensor>> prepare)
    {
        if (!_prepared.TryGetValue(list, out var views))
        {
            using var scope = NewDisposeScope();
            _prepared[list] = views = cat([.. prepare()]).to(device).DetachFromDisposeScope();
        }

        return views;
    }

    private Tensor Normalised(Tensor shown)
    {
        var vision = config.Vision!;   // the trainer looked
        var mean = tensor([vision.Mean.Red, vision.Mean.Green, vision.Mean.Blue], [1, 3, 1, 1], device: device);
        return (shown - mean) / tensor([vision.Deviation.Red, vision.Deviation.Green, vision.Deviation.Blue], [1, 3, 1, 1], device: device);
    }
}
