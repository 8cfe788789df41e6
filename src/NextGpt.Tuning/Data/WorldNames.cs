using NextGpt.Tuning.Pictures;

namespace NextGpt.Tuning.Data;

/// <summary>How things of the world are called in a sentence.</summary>
/// <remarks>
/// The world's captions put an article before every name, which is wrong for some ("a spaghetti"). Decoders have learnt those
/// captions, so they stay as they are where a decoder is to be led; what a person reads comes from here.
/// </remarks>
internal static class WorldNames
{
    private static readonly Dictionary<string, string> Corrected = new(StringComparer.Ordinal)
    {
        ["a spaghetti"] = "spaghetti",
        ["a cooked rice"] = "cooked rice",
        ["a curry rice"] = "curry rice",
        ["a sake"] = "sake",
        ["a popcorn"] = "popcorn",
        ["a custard"] = "a custard",
        ["a fondue"] = "fondue",
        ["a skis"] = "skis",
        ["an ewe"] = "a ewe",
        ["a hourglass done"] = "an hourglass",
        ["a hourglass not done"] = "an hourglass with falling sand",
        ["a Tokyo tower"] = "Tokyo Tower",
        ["a tokyo tower"] = "Tokyo Tower",
        ["an american football"] = "an American football",
        ["a tennis"] = "a tennis ball and racket",
        ["a badminton"] = "a badminton racket and shuttlecock",
        ["an ice hockey"] = "an ice hockey stick and puck",
        ["a field hockey"] = "a field hockey stick and ball",
        ["a cricket game"] = "a cricket bat and ball",
        ["a ping pong"] = "a ping pong bat and ball",
        ["a bowling"] = "a bowling ball and pins",
        ["a game die"] = "a die",
        ["a soap"] = "a bar of soap",
        ["a thread"] = "a spool of thread",
        ["a dna"] = "DNA",
        ["dna"] = "DNA",
        ["a dvd"] = "a DVD",
        ["a hindu temple"] = "a Hindu temple",
        ["a camping"] = "a camping tent",
        ["yarn"] = "a ball of yarn",
        ["money bag"] = "a money bag",
        ["money-mouth face"] = "a money-mouth face",
        ["person lifting weights"] = "a person lifting weights",
        ["face holding back tears"] = "a face holding back tears",
        ["hundred points"] = "a hundred points sign",
        ["money with wings"] = "money with wings",
        ["rhinoceros"] = "a rhinoceros",
        ["a jack-o-lantern"] = "a jack-o'-lantern",
        ["a person bouncing ball"] = "a person bouncing a ball",
        ["a person feeding baby"] = "a person feeding a baby",
        ["a person rowing boat"] = "a person rowing a boat",
        ["a person wearing turban"] = "a person wearing a turban",
        ["a person with crown"] = "a person with a crown",
        ["a person with veil"] = "a person with a veil",
        ["a person in tuxedo"] = "a person in a tuxedo",
        ["a person getting haircut"] = "a person getting a haircut",
        ["a person getting massage"] = "a person getting a massage",
        ["a high voltage"] = "a high voltage sign",
        ["a magnifying glass tilted left"] = "a magnifying glass",
        ["a magnifying glass tilted right"] = "a magnifying glass",
        ["a face with monocle"] = "a face with a monocle",
        ["a face with thermometer"] = "a face with a thermometer",
        ["a face with head-bandage"] = "a face with a bandage",
        ["a face without mouth"] = "a face without a mouth",
        ["a face with open mouth"] = "a face with an open mouth",
        ["a smiling face with halo"] = "a smiling face with a halo",
        ["a cat with wry smile"] = "a cat with a wry smile",
        ["a leaf fluttering in wind"] = "a leaf fluttering in the wind",
        ["a meat on bone"] = "meat on the bone",
        ["a bowl with spoon"] = "a bowl with a spoon",
        ["a house with garden"] = "a house with a garden",
        ["a beach with umbrella"] = "a beach with an umbrella",
        ["a flag in hole"] = "a golf flag",
        ["a night with stars"] = "a night with stars",
        ["a heart with arrow"] = "a heart with an arrow",
        ["a heart with ribbon"] = "a heart with a ribbon",
        ["a luggage"] = "luggage",
        ["a Santa Claus"] = "Santa Claus",
        ["a Mrs. Claus"] = "Mrs. Claus",
        ["a smiling face with tear"] = "a smiling face with a tear",
        ["a sun behind rain cloud"] = "a sun behind a rain cloud",
    };

    // Words that name no thing one would ask for, or are broken English beyond a small repair.
    private static readonly HashSet<string> Unspeakable = new(StringComparer.Ordinal)
    {
        "a dizzy", "a dashing away", "a head shaking vertically face", "a head shaking horizontally face", "a breast-feeding", "a people with bunny ears",
        "a people wrestling", "a horse racing", "a rolling on the floor laughing face", "a locked with key", "a locked with pen", "a cooking", "a pouring liquid", "a building construction",
        "a person in steamy room", "a ZZZ", "a moai", "a Mx Claus", "an exploding head face", "a mate", "mate", "oden", "dango", "a flower playing cards", "performing arts", "a sun with face",
        "a kiss mark", "a love hotel", "a high-speed train", "a fish cake with swirl", "a ring buoy", "a page with curl", "a couch and lamp", "a bento box with lid", "a person in suit levitating",
        "a woman’s clothes", "woman’s clothes", "a fight cloud", "an atm sign", "a locked", "an unlocked", "a memo",
    };

    private static readonly HashSet<string> Uncountable = new(StringComparer.Ordinal)
    {
        "spaghetti", "cooked rice", "curry rice", "sake", "popcorn", "fondue", "Tokyo Tower", "DNA", "ice", "broccoli", "sushi", "butter", "garlic", "ginger root", "bread", "bacon", "salt", "fire",
        "wood", "luggage", "fog", "lacrosse", "Santa Claus", "Mrs. Claus", "money with wings", "sunrise over mountains", "sunrise", "meat on the bone",
    };

    private static readonly Dictionary<string, string> StyleWords = new(StringComparer.Ordinal)
    {
        ["flat"] = "in a flat style",
        ["shaded"] = "in a shaded style",
        ["rounded"] = "in a rounded style",
        ["3D"] = "in 3D",
        ["soft"] = "in a soft style",
        ["silhouette"] = "as a silhouette",
        ["plain"] = "in a plain style",
        ["doodle"] = "as a doodle",
    };

    /// <summary>What a picture or the thing in a clip is called in a sentence, or null where it should not be spoken of.</summary>
    internal static string? Of(WorldRow row)
    {
        var caption = row.Kind == WorldKind.Clip ? row.Caption.Replace(", moving", string.Empty, StringComparison.Ordinal) : row.Caption;
        return Unspeakable.Contains(caption) ? null : Corrected.GetValueOrDefault(caption) ?? caption;
    }

    /// <summary>A style as one asks for it.</summary>
    internal static string Styled(string style) => StyleWords.GetValueOrDefault(style) ?? $"in a {style} style";

    /// <summary>A style as captions of decoders say it.</summary>
    internal static string Captioned(string caption, string style) => style switch
    {
        "doodle" => $"a doodle of {caption}",
        "silhouette" => $"{caption} as a silhouette",
        "3D" => $"{caption} in 3D",
        _ => $"{caption} in {style} style",
    };

    /// <summary>Whether more than one is meant: no article, not uncountable.</summary>
    internal static bool IsMany(string said) => !StartsWithArticle(said) && !Uncountable.Contains(said) && !said.StartsWith("the ", StringComparison.Ordinal);

    /// <summary><c>is</c> or <c>are</c>.</summary>
    internal static string Be(string said) => IsMany(said) ? "are" : "is";

    /// <summary><c>it</c> or <c>them</c>.</summary>
    internal static string It(string said) => IsMany(said) ? "them" : "it";

    /// <summary>A thing that one can have several of, its plural; else null.</summary>
    internal static string? Plural(string said) => CaptionWording.Plural(said) is { } plural && char.IsAsciiLetterLower(plural[0]) ? plural : null;

    /// <summary>A word before a name, with the article put right; none where the name has none.</summary>
    internal static string With(string adjective, string said)
    {
        var bare = CaptionWording.Bare(said);
        return bare == said ? $"{adjective} {said}" : $"{Article(adjective)} {adjective} {bare}";
    }

    /// <summary><c>a</c> or <c>an</c>.</summary>
    internal static string Article(string word) => "aeio".Contains(char.ToLowerInvariant(word[0]), StringComparison.Ordinal) ? "an" : "a";

    /// <summary>The name with <c>the</c>.</summary>
    internal static string The(string said) => StartsWithArticle(said) ? "the " + CaptionWording.Bare(said) : said is "DNA" or "Tokyo Tower" or "Santa Claus" or "Mrs. Claus" ? said : "the " + said;

    /// <summary>With a capital letter.</summary>
    internal static string Upper(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    private static bool StartsWithArticle(string said) =>
        said.StartsWith("a ", StringComparison.Ordinal) || said.StartsWith("an ", StringComparison.Ordinal);
}
