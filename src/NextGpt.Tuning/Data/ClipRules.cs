using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Data;

/// <summary>Drawings that are moved in one of ten ways, and the world's animations.</summary>
internal static class ClipRules
{
    /// <summary>The rules by name.</summary>
    internal static IReadOnlyDictionary<string, Func<WorldPool, TalkDraw, Composed?>> All { get; } =
        new Dictionary<string, Func<WorldPool, TalkDraw, Composed?>>(StringComparer.Ordinal)
        {
            ["moved"] = (pool, draw) => Moved(draw, pool.One(WorldKind.Picture, draw, row => row.Group is not "person"), null),
            ["animation"] = (pool, draw) => Animated(draw, pool.One(WorldKind.Clip, draw)),
        };

    /// <summary>A drawing moved; null where the motion asked for is on the other side of the split.</summary>
    /// <param name="draw">Chooses speed, size and background.</param>
    /// <param name="row">A picture.</param>
    /// <param name="wanted">The motion, or null for any.</param>
    /// <param name="hueTurn">Degrees by which its colours are turned.</param>
    /// <param name="said">What it is called if not by its own name.</param>
    internal static Composed? Moved(TalkDraw draw, WorldRow? row, Motion? wanted, double hueTurn = 0, string? said = null)
    {
        if (row is null || (said ?? WorldNames.Of(row)) is not { } name)
        {
            return null;
        }

        var motions = Motion.All.Where(motion => !motion.IsForTesting(row.Concept) || draw.Testing).ToList();
        var motion = wanted ?? draw.One(motions);
        if (!motions.Contains(motion))
        {
            return null;
        }

        var speed = draw.Number(0, 3);   // 0 is quickly and says so; 1 says slowly
        var words = $"{motion.Name}{speed switch { 0 => " quickly", 1 => " slowly", _ => string.Empty }}";
        return new Composed
        {
            Rule = "moved",
            Recipe = new ClipRecipe(
                row, motion, speed == 0, draw.Number(28, 45), hueTurn, draw.Chance(0.5) ? Backdrop.White : PictureRules.BackdropFor(row, draw)),
            Said = $"{name} {words}",
            Thing = name,
            Caption = $"{(hueTurn == 0 ? row.Caption : name)} {words}",
        };
    }

    /// <summary>An animation of the world; it has no verb, because none was given with it.</summary>
    internal static Composed? Animated(TalkDraw draw, WorldRow? row) => row is null || WorldNames.Of(row) is not { } said ? null : new Composed
    {
        Rule = "animation",
        Recipe = new ClipRecipe(row, null, false, WorldStudio.Size, 0, draw.Chance(0.5) ? Backdrop.White : PictureRules.BackdropFor(row, draw)),
        Said = $"{said} moving",
        Thing = said,
        Caption = row.Caption,
    };
}
