using System.Text.RegularExpressions;

namespace NextGpt.Tuning.Pictures;

/// <summary>Says the same thing in several ways.</summary>
public static partial class CaptionWording
{
    private static readonly Dictionary<string, string> IrregularPlurals = new(StringComparer.Ordinal)
    {
        ["mouse"] = "mice",
        ["sheep"] = "sheep",
        ["fish"] = "fish",
        ["man"] = "men",
        ["woman"] = "women",
        ["child"] = "children",
        ["foot"] = "feet",
        ["tooth"] = "teeth",
        ["leaf"] = "leaves",
        ["wolf"] = "wolves",
        ["knife"] = "knives",
        ["goose"] = "geese",
        ["ox"] = "oxen",
        ["deer"] = "deer",
        ["person"] = "people",
        ["bison"] = "bison",
        ["squid"] = "squid",
        ["shrimp"] = "shrimp",
        ["loaf"] = "loaves",
        ["scarf"] = "scarves",
        ["octopus"] = "octopuses",
        ["cactus"] = "cactuses",
        ["potato"] = "potatoes",
        ["tomato"] = "tomatoes",
        ["mosquito"] = "mosquitoes",
        ["volcano"] = "volcanoes",
        ["mango"] = "mangoes",
    };

    /// <summary>One thing alone, with or without its style.</summary>
    /// <param name="thing">With its article.</param>
    /// <param name="style">The drawing style.</param>
    /// <param name="random">Chooses.</param>
    /// <param name="always">Whether the style must be said.</param>
    public static string Alone(string thing, string style, Random random, bool always = false)
    {
        if (!always && random.NextDouble() < 0.35)
        {
            return random.Next(6) switch
            {
                0 => Bare(thing),
                1 => $"a picture of {thing}",
                2 => $"a drawing of {thing}",
                _ => thing,
            };
        }

        return InStyle(thing, style, random);
    }

    /// <summary>Anything, with its style in about half of the wordings.</summary>
    /// <param name="thing">What is seen.</param>
    /// <param name="style">The drawing style.</param>
    /// <param name="random">Chooses.</param>
    public static string Styled(string thing, string style, Random random) =>
        random.Next(2) == 0 ? thing : InStyle(thing, style, random);

    /// <summary>A small thing at a place.</summary>
    /// <param name="thing">With its article.</param>
    /// <param name="style">The drawing style.</param>
    /// <param name="place">For example <c>at the top left</c>.</param>
    /// <param name="random">Chooses.</param>
    public static string Small(string thing, string style, string place, Random random)
    {
        var small = WithArticle("small " + Bare(thing), thing);
        return Styled(random.Next(2) == 0 ? $"{small} {place}" : $"{small}, {place}", style, random);
    }

    /// <summary>Two things and where they stand.</summary>
    /// <param name="first">The left or upper one, with its article.</param>
    /// <param name="second">The right or lower one, with its article.</param>
    /// <param name="style">The drawing style.</param>
    /// <param name="upright">Whether one stands above the other.</param>
    /// <param name="random">Chooses.</param>
    public static string Pair(string first, string second, string style, bool upright, Random random)
    {
        var pair = (random.Next(5), upright) switch
        {
            (0, _) => $"{first} and {second}",
            (1, _) => $"{second} and {first}",
            (2, false) => $"{second} to the right of {first}",
            (_, false) => $"{first} to the left of {second}",
            (2, true) => $"{second} below {first}",
            (_, true) => $"{first} above {second}",
        };
        return Styled(pair, style, random);
    }

    /// <summary>Adds what lies behind; white is not mentioned as a rule.</summary>
    /// <param name="text">What is seen.</param>
    /// <param name="backdrop">What lies behind it.</param>
    /// <param name="random">Chooses.</param>
    public static string OnBackdrop(string text, Backdrop backdrop, Random random)
    {
        if (backdrop == Backdrop.White && random.Next(8) != 0)
        {
            return text;
        }

        var article = backdrop.Name[0] == 'o' ? "an" : "a";
        return random.Next(3) switch
        {
            0 => $"{text}, {backdrop.Name} background",
            1 => $"{text} on {backdrop.Name}",
            _ => $"{text} on {article} {backdrop.Name} background",
        };
    }

    /// <summary>A thing without its article.</summary>
    /// <param name="thing">For example <c>a red apple</c>.</param>
    public static string Bare(string thing) => Article().Replace(thing, string.Empty);

    /// <summary>Whether a mirrored picture would make the words untrue.</summary>
    /// <param name="thing">For example <c>a magnifying glass tilted right</c>.</param>
    public static bool NamesSide(string thing) =>
        thing.Contains("left", StringComparison.OrdinalIgnoreCase) || thing.Contains("right", StringComparison.OrdinalIgnoreCase)
        || thing.Contains("button", StringComparison.OrdinalIgnoreCase) || thing.Contains("abc", StringComparison.OrdinalIgnoreCase);

    /// <summary>Many of a thing, or null where the name has no plain plural.</summary>
    /// <param name="thing">With its article.</param>
    public static string? Plural(string thing)
    {
        var bare = Bare(thing);
        if (bare == thing || Joined().IsMatch(bare))
        {
            return null;   // no article: already many, or uncountable
        }

        var cut = bare.LastIndexOf(' ') + 1;
        var (start, word) = (bare[..cut], bare[cut..]);
        if (IrregularPlurals.TryGetValue(word, out var irregular))
        {
            return start + irregular;
        }

        return word switch
        {
            _ when !word.All(char.IsAsciiLetterLower) || word.EndsWith("ing", StringComparison.Ordinal) => null,
            [.., var before, 'y'] when !"aeiou".Contains(before, StringComparison.Ordinal) => $"{start}{word[..^1]}ies",
            [.., 's' or 'x' or 'z'] or [.., 'c' or 's', 'h'] => $"{start}{word}es",
            _ => $"{start}{word}s",
        };
    }

    /// <summary>Puts the right indefinite article before words, where the original thing had one.</summary>
    private static string WithArticle(string words, string original) =>
        Bare(original) == original ? words : $"{("aeiou".Contains(words[0], StringComparison.Ordinal) ? "an" : "a")} {words}";

    private static string InStyle(string thing, string style, Random random) => (style, random.Next(5)) switch
    {
        ("doodle", 0) => $"a doodle of {thing}",
        ("silhouette", 0) => $"a silhouette of {thing}",
        ("silhouette", 1) => $"{thing} as a silhouette",
        ("3D", 0) => $"{thing} in 3D",
        (_, 0) => $"a {style} picture of {thing}",
        (_, 1) => $"a {style} drawing of {thing}",
        (_, 2) => $"{thing} in {style} style",
        (_, 3) => $"{style} {Bare(thing)}",
        _ => $"{thing}, {style} style",
    };

    [GeneratedRegex("^(a|an) ")]
    private static partial Regex Article();

    [GeneratedRegex(@"\b(with|of|on|in|and|without|for|getting|playing|increasing|decreasing|tilted)\b|[^a-z ]")]
    private static partial Regex Joined();
}
