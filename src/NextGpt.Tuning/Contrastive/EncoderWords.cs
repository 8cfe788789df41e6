using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;

namespace NextGpt.Tuning.Contrastive;

/// <summary>What things, sounds and motions of the world are called.</summary>
internal static class EncoderWords
{
    private static readonly HashSet<string> Colours = new(
        ["red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "black", "white", "grey", "gray", "gold", "silver", "golden"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a caption says a colour.</summary>
    internal static bool NamesColour(string caption) => caption.Split(' ', '-', ',').Any(Colours.Contains);

    /// <summary>Words that belong to one thing only, by the thing's key: true synonyms, unlike most keywords.</summary>
    /// <param name="rows">Keys and their keywords.</param>
    internal static IReadOnlyDictionary<string, string[]> Synonyms(IEnumerable<(string Concept, IReadOnlyList<string> Keywords)> rows)
    {
        var owners = rows.SelectMany(row => row.Keywords.Select(word => (row.Concept, Word: word))).Distinct()
            .GroupBy(entry => entry.Word, StringComparer.Ordinal).Where(group => group.Count() == 1).Select(group => group.First());
        return owners.GroupBy(entry => entry.Concept, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(entry => entry.Word).ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Ways to name a drawn thing; the mean of their embeddings is its name's place.</summary>
    internal static string[] OfPicture(string caption) => [caption, $"a picture of {caption}", $"a drawing of {caption}"];

    /// <summary>Ways to name a sound by its key and the captions of its recordings.</summary>
    internal static string[] OfSound(string concept, IEnumerable<string> captions) =>
        [concept.Replace('-', ' '), $"the sound of {concept.Replace('-', ' ')}", .. captions.Distinct(StringComparer.Ordinal)];

    /// <summary>Ways to name a motion.</summary>
    internal static string[] OfMotion(Motion motion) => [$"something {motion.Name}", $"a picture that is {motion.Name}"];

    /// <summary>A training caption of a drawing: its name, a wording with its style, or a synonym.</summary>
    internal static string Caption(WorldPicture picture, IReadOnlyDictionary<string, string[]> synonyms, Random random) =>
        random.NextDouble() < 0.12 && synonyms.TryGetValue(picture.Concept, out var words)
            ? words[random.Next(words.Length)]
            : random.NextDouble() < 0.5 ? OfPicture(picture.Caption)[random.Next(3)] : CaptionWording.Alone(picture.Caption, picture.Style, random);
}
