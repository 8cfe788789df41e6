using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Data;

/// <summary>Puts pictures together so that what is said of them is true because it was done so.</summary>
internal static class PictureRules
{
    private static readonly string[] NoTurning = ["face", "person", "symbol"];
    private static readonly string[] ColourWords = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "golden", "light"];

    private static readonly (string Name, int X, int Y)[] Places =
    [
        ("at the top left", 0, 0), ("at the top", 1, 0), ("at the top right", 2, 0), ("at the left", 0, 1), ("at the right", 2, 1),
        ("at the bottom left", 0, 2), ("at the bottom", 1, 2), ("at the bottom right", 2, 2),
    ];

    /// <summary>The rules by name.</summary>
    internal static IReadOnlyDictionary<string, Func<WorldPool, TalkDraw, WorldRow?, Composed?>> All { get; } =
        new Dictionary<string, Func<WorldPool, TalkDraw, WorldRow?, Composed?>>(StringComparer.Ordinal)
        {
            ["plain"] = (pool, draw, row) => Plain(pool, row ?? pool.One(WorldKind.Picture, draw)),
            ["style"] = (pool, draw, row) => Styled(pool, row ?? pool.One(WorldKind.Picture, draw)),
            ["backdrop"] = (pool, draw, row) => Backed(pool, draw, row ?? pool.One(WorldKind.Picture, draw)),
            ["turned"] = Turned,
            ["place"] = Placed,
            ["several"] = Several,
            ["pair"] = Pair,
            ["three"] = Three,
        };

    /// <summary>Whole, in the middle, on white.</summary>
    internal static Composed? Plain(WorldPool pool, WorldRow? row) => row is null || WorldNames.Of(row) is not { } said ? null : new Composed
    {
        Rule = "plain",
        Recipe = new PictureRecipe([new PicturePiece(row)], Backdrop.White),
        Said = said,
        Thing = said,
        Caption = row.Caption,
        Count = 1,
        Colour = pool.Studio.MainColourOf(row),
    };

    /// <summary>With its style named.</summary>
    internal static Composed? Styled(WorldPool pool, WorldRow? row) => row?.Style is not { } style || Plain(pool, row) is not { } plain ? null : plain with
    {
        Rule = "style",
        Said = $"{plain.Said} {WorldNames.Styled(style)}",
        Caption = WorldNames.Captioned(row.Caption, style),
    };

    /// <summary>On a coloured background.</summary>
    internal static Composed? Backed(WorldPool pool, TalkDraw draw, WorldRow? row)
    {
        if (Plain(pool, row) is not { } plain || row is null)
        {
            return null;
        }

        var backdrop = BackdropFor(row, draw);
        var article = WorldNames.Article(backdrop.Name);
        return plain with
        {
            Rule = "backdrop",
            Recipe = new PictureRecipe([new PicturePiece(row)], backdrop),
            Said = $"{plain.Said} on {article} {backdrop.Name} background",
            Caption = $"{row.Caption} on {article} {backdrop.Name} background",
        };
    }

    /// <summary>A thing of one colour in another; the caption names the colour that was measured afterwards.</summary>
    internal static Composed? Turned(WorldPool pool, TalkDraw draw, WorldRow? given) =>
        TurnedTo(pool, draw, given ?? pool.One(WorldKind.Picture, draw, row => IsTurnable(pool, row)), null);

    /// <summary>The same towards a wanted colour; null where it does not come out as that, or would be another drawing of the world.</summary>
    internal static Composed? TurnedTo(WorldPool pool, TalkDraw draw, WorldRow? row, string? wanted)
    {
        if (row is null || !IsTurnable(pool, row) || Plain(pool, row) is not { } plain || pool.Studio.MainColourOf(row) is not { } old)
        {
            return null;
        }

        var colours = draw.Some([.. MainColour.Turnable.Keys], MainColour.Turnable.Count).Where(colour => wanted is null || colour == wanted);
        foreach (var colour in colours)
        {
            var caption = Recoloured(row.Caption, old, colour);
            if (pool.Studio.HueTurnTo(row, colour) is { } turn && !pool.World.IsDrawn(caption))
            {
                return plain with
                {
                    Rule = "turned",
                    Recipe = new PictureRecipe([new PicturePiece(row, HueTurn: turn)], Backdrop.White),
                    Said = Recoloured(plain.Said, old, colour),
                    Caption = caption,
                    Colour = colour,
                };
            }
        }

        return null;
    }

    /// <summary>Whether a drawing has one clear hue, and a name that no other colour would make untrue.</summary>
    internal static bool IsTurnable(WorldPool pool, WorldRow row) =>
        !NoTurning.Contains(row.Group) && pool.Studio.MainColourOf(row) is { } colour && MainColour.Turnable.ContainsKey(colour)
        && !WorldNames.IsMany(row.Caption)
        && row.Caption.Split(' ').All(word => !ColourWords.Contains(word) || word == colour);

    /// <summary>Small, at a place.</summary>
    internal static Composed? Placed(WorldPool pool, TalkDraw draw, WorldRow? given)
    {
        var row = given ?? pool.One(WorldKind.Picture, draw, row => !WorldNames.IsMany(row.Caption));
        if (row is null || Plain(pool, row) is not { } plain)
        {
            return null;
        }

        var (name, x, y) = draw.One(Places);
        return plain with
        {
            Rule = "place",
            Recipe = new PictureRecipe([new PicturePiece(row, x * 16, y * 16, 32)], Backdrop.White),
            Said = $"{WorldNames.With("small", plain.Said)} {name}",
            Caption = $"{WorldNames.With("small", row.Caption)} {name}",
        };
    }

    /// <summary>Two to four of one thing.</summary>
    internal static Composed? Several(WorldPool pool, TalkDraw draw, WorldRow? given)
    {
        var row = given ?? pool.One(WorldKind.Picture, draw, row => WorldNames.Of(row) is { } said && WorldNames.Plural(said) is not null);
        return SeveralOf(pool, row, draw.Number(2, 4));
    }

    /// <summary>A given number, 2 to 4, of one thing; null where its name has no plural.</summary>
    internal static Composed? SeveralOf(WorldPool pool, WorldRow? row, int count)
    {
        if (row is null || Plain(pool, row) is not { } plain || WorldNames.Plural(plain.Said) is not { } plural
            || CaptionWording.Plural(row.Caption) is not { } captioned)
        {
            return null;
        }

        (int X, int Y)[] places = count switch
        {
            2 => [(0, 16), (32, 16)],
            3 => [(16, 0), (0, 32), (32, 32)],
            _ => [(0, 0), (32, 0), (0, 32), (32, 32)],
        };
        return plain with
        {
            Rule = "several",
            Recipe = new PictureRecipe([.. places.Select(place => new PicturePiece(row, place.X, place.Y, 32))], Backdrop.White),
            Said = $"{Number(count)} {plural}",
            Caption = $"{Number(count)} {captioned}",
            Count = count,
        };
    }

    /// <summary>Two things side by side or one above the other.</summary>
    internal static Composed? Pair(WorldPool pool, TalkDraw draw, WorldRow? given)
    {
        if (Mates(pool, draw, given, 2) is not [var first, var second])
        {
            return null;
        }

        var upright = draw.Chance(0.25);
        var words = upright ? "above" : "to the left of";
        return new Composed
        {
            Rule = "pair",
            Recipe = new PictureRecipe(
                upright ? [new(first, 16, 0, 32), new(second, 16, 32, 32)] : [new(first, 0, 16, 32), new(second, 32, 16, 32)], Backdrop.White),
            Said = $"{WorldNames.Of(first)} {words} {WorldNames.Of(second)}",
            Caption = $"{first.Caption} {words} {second.Caption}",
        };
    }

    /// <summary>Three different things: one at the top, two below.</summary>
    internal static Composed? Three(WorldPool pool, TalkDraw draw, WorldRow? given) =>
        Mates(pool, draw, given, 3) is not [var first, var second, var third] ? null : new Composed
        {
            Rule = "three",
            Recipe = new PictureRecipe([new(first, 16, 0, 32), new(second, 0, 32, 32), new(third, 32, 32, 32)], Backdrop.White),
            Said = $"{WorldNames.Of(first)}, {WorldNames.Of(second)} and {WorldNames.Of(third)}",
            Caption = $"{first.Caption}, {second.Caption} and {third.Caption}",
        };

    /// <summary>Two, three or four in letters.</summary>
    internal static string Number(int count) => count switch { 1 => "one", 2 => "two", 3 => "three", _ => "four" };

    /// <summary>A colour in which the drawing can be seen.</summary>
    internal static Backdrop BackdropFor(WorldRow row, TalkDraw draw) =>
        draw.One([.. Backdrop.Coloured.Where(backdrop => row.Style is not ("silhouette" or "doodle") || backdrop.IsLight)]);

    // Things of one style whose names are one thing each: "scissors to the left of two hearts" helps nobody.
    private static WorldRow[]? Mates(WorldPool pool, TalkDraw draw, WorldRow? given, int count)
    {
        bool Single(WorldRow row) => row.Group is not ("shape" or "symbol") && WorldNames.Of(row) is { } said && WorldNames.Plural(said) is not null;
        var rows = new List<WorldRow>();
        for (var attempt = 0; rows.Count < count && attempt < 20; attempt++)
        {
            var next = rows.Count == 0 ? given ?? pool.One(WorldKind.Picture, draw, Single)
                : pool.One(WorldKind.Picture, draw, row => row.Style == rows[0].Style && rows.All(other => other.Concept != row.Concept) && Single(row));
            if (next is null || !Single(next))
            {
                return null;
            }

            rows.Add(next);
        }

        return rows.Count == count ? [.. rows] : null;
    }

    private static string Recoloured(string name, string old, string colour) =>
        name.Split(' ').Contains(old)
            ? WorldNames.With(colour, CaptionWording.Bare(name).Replace(old + " ", string.Empty, StringComparison.Ordinal) is var rest && CaptionWording.Bare(name) != name ? "a " + rest : rest)
            : WorldNames.With(colour, name);
}
