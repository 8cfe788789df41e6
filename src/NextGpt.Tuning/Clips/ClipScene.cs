using System.Text.Json.Serialization;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Clips;

/// <summary>A training clip that is put together, and sentences that are true of it because it was put together so.</summary>
/// <param name="Recipe">How it is made.</param>
/// <param name="Captions">Wordings; all true. The first is the plain one, with which language models are taught to ask.</param>
/// <param name="Weight">How often it is shown, relative to others.</param>
internal sealed record ClipScene([property: JsonIgnore] ClipRecipe Recipe, IReadOnlyList<string> Captions, double Weight)
{
    /// <summary>Goes up when the same seed gives other clips than before, so that latents of the old ones are not mistaken for new.</summary>
    internal const int Rules = 1;

    private const double AnimatedShare = 0.12;
    private const int AnimationBackdrops = 4;
    private const double PlainShare = 0.4;

    /// <summary>Clips of drawings that may be trained on, moved by rule, and every animation that may, on some backgrounds.</summary>
    /// <param name="world">The world.</param>
    /// <param name="count">Moved drawings; every drawing comes once before any comes again.</param>
    /// <param name="wordings">Captions per clip.</param>
    /// <param name="seed">Same seed, same clips.</param>
    internal static IReadOnlyList<ClipScene> Compose(WorldData world, int count, int wordings, int seed)
    {
        var pool = new WorldPool(world);
        var draw = new TalkDraw(seed, testing: false);
        var random = new Random(seed);
        var drawings = pool.Of(WorldKind.Picture, draw).Where(row => row.Group is not "person").ToArray();
        var moved = new List<ClipScene>();
        for (var at = 0; moved.Count < count && drawings.Length > 0; at++)
        {
            if (at % drawings.Length == 0)
            {
                random.Shuffle(drawings);
            }

            if (ClipRules.Moved(draw, drawings[at % drawings.Length], null) is { Recipe: ClipRecipe recipe, Thing: { } thing } composed)
            {
                var motion = composed.Said[(thing.Length + 1)..];   // how it moves, as it is said behind the thing
                moved.Add(new ClipScene(
                    recipe, Words(wordings, random, composed.Caption, recipe.Backdrop, () => With(Styled(recipe, random), motion)), 1));
            }
        }

        var animations = pool.Of(WorldKind.Clip, draw).SelectMany(row => Enumerable.Repeat(row, AnimationBackdrops))
            .Select(row => ClipRules.Animated(draw, row)).OfType<Composed>().Where(composed => composed.Recipe is ClipRecipe).ToList();
        var weight = animations.Count == 0 || moved.Count == 0 ? 1 : AnimatedShare / (1 - AnimatedShare) * moved.Count / animations.Count;
        return
        [
            .. moved,
            .. animations.Select(composed =>
            {
                var recipe = (ClipRecipe)composed.Recipe;
                return new ClipScene(recipe, Words(wordings, random, composed.Caption, recipe.Backdrop, () => composed.Caption), weight);
            }),
        ];
    }

    private static string[] Words(int count, Random random, string plain, Backdrop backdrop, Func<string> write) =>
        [.. Enumerable.Range(0, count).Select(index => index == 0 || random.NextDouble() < PlainShare
            ? plain
            : CaptionWording.OnBackdrop(write(), backdrop, random))];

    private static string Styled(ClipRecipe recipe, Random random) => recipe.Row.Style is { } style
        ? CaptionWording.Styled(recipe.Row.Caption, style, random)
        : recipe.Row.Caption;

    private static string With(string thing, string motion) =>
        thing.Contains(',', StringComparison.Ordinal) ? $"{thing}, {motion}" : $"{thing} {motion}";
}
