using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Data;

/// <summary>Sounds as they are, changed, and two at once.</summary>
internal static class SoundRules
{
    private static readonly SoundChange[] Changes =
        [SoundChange.Higher, SoundChange.Lower, SoundChange.Faster, SoundChange.Slower, SoundChange.Quieter];

    /// <summary>The rules by name.</summary>
    internal static IReadOnlyDictionary<string, Func<WorldPool, TalkDraw, Composed?>> All { get; } =
        new Dictionary<string, Func<WorldPool, TalkDraw, Composed?>>(StringComparer.Ordinal)
        {
            ["sound"] = (pool, draw) => Plain(pool.One(WorldKind.Sound, draw)),
            ["changed"] = (pool, draw) => Changed(pool.One(WorldKind.Sound, draw, IsLong), draw.One(Changes)),
            ["mixed"] = Mixed,
        };

    /// <summary>As recorded.</summary>
    internal static Composed? Plain(WorldRow? row) => row is null ? null : new Composed
    {
        Rule = "sound",
        Recipe = new SoundRecipe([row]),
        Said = row.Caption,
        Thing = row.Caption,
        Caption = row.Caption,
        Count = 1,
    };

    /// <summary>With one change, which is named.</summary>
    internal static Composed? Changed(WorldRow? row, SoundChange change) => Plain(row) is not { } plain || row is null ? null : plain with
    {
        Rule = "changed",
        Recipe = new SoundRecipe([row], change),
        Said = $"{row.Caption}, {Word(change)}",
        Caption = $"{row.Caption}, {Word(change)}",
    };

    /// <summary>Two different sounds at once.</summary>
    internal static Composed? Mixed(WorldPool pool, TalkDraw draw)
    {
        var first = pool.One(WorldKind.Sound, draw, IsLong);
        var second = first is null ? null : pool.One(WorldKind.Sound, draw, row => row.Concept != first.Concept && IsLong(row));
        return first is null || second is null ? null : Mixed(first, second);
    }

    /// <summary>These two sounds at once.</summary>
    internal static Composed Mixed(WorldRow first, WorldRow second) => new()
    {
        Rule = "mixed",
        Recipe = new SoundRecipe([first, second]),
        Said = $"{first.Caption} and {second.Caption}",
        Caption = $"{first.Caption} and {second.Caption}",
        Count = 2,
    };

    /// <summary>What a change is called.</summary>
    internal static string Word(SoundChange change) => change switch
    {
        SoundChange.Higher => "a little higher",
        SoundChange.Lower => "a little lower",
        SoundChange.Faster => "faster",
        SoundChange.Slower => "slower",
        _ => "quieter",
    };

    private static bool IsLong(WorldRow row) => row.Seconds >= 0.4;
}
