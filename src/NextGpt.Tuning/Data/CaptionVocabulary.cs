using NextGpt.Model.Decoders.StableDiffusion;

namespace NextGpt.Tuning.Data;

/// <summary>Learns the word pieces of a small tokenizer from captions.</summary>
/// <remarks>Byte pair encoding, Sennrich et al. 2016, algorithm 1; ties go to the pair that comes first in the alphabet.</remarks>
public static class CaptionVocabulary
{
    /// <summary>Learns.</summary>
    /// <param name="texts">What will be written; every text counts once, however often it occurs.</param>
    /// <param name="size">Tokens at most, 514 of which are single bytes and marks.</param>
    /// <returns>A tokenizer; smaller where the texts are used up.</returns>
    public static ClipTokenizer Learn(IEnumerable<string> texts, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 514);
        var words = texts.Distinct(StringComparer.Ordinal).SelectMany(ClipTokenizer.Words)
            .GroupBy(word => word, StringComparer.Ordinal)
            .Select(group => (Pieces: ClipTokenizer.Letters(group.Key).ToList(), Count: group.Count()))
            .ToList();
        return new ClipTokenizer(Merges(words, size - 514));
    }

    /// <summary>The pairs of pieces that are worth a token, the most frequent first.</summary>
    /// <param name="words">Words in their smallest pieces, and how often they occur; the pieces are joined in place.</param>
    /// <param name="most">Pairs at most.</param>
    internal static List<(string Left, string Right)> Merges(List<(List<string> Pieces, int Count)> words, int most)
    {
        var merges = new List<(string Left, string Right)>();
        var made = new HashSet<string>(StringComparer.Ordinal);
        while (merges.Count < most)
        {
            var counts = new Dictionary<(string Left, string Right), int>();
            foreach (var (pieces, count) in words)
            {
                for (var at = 0; at + 1 < pieces.Count; at++)
                {
                    var pair = (pieces[at], pieces[at + 1]);
                    counts[pair] = counts.GetValueOrDefault(pair) + count;
                }
            }

            var candidates = counts.Where(entry => entry.Value > 1 && !made.Contains(entry.Key.Left + entry.Key.Right)).ToList();
            if (candidates.Count == 0)
            {
                break;
            }

            var best = candidates.OrderByDescending(entry => entry.Value)
                .ThenBy(entry => entry.Key.Left, StringComparer.Ordinal).ThenBy(entry => entry.Key.Right, StringComparer.Ordinal)
                .First().Key;
            merges.Add(best);
            made.Add(best.Left + best.Right);
            foreach (var (pieces, _) in words)
            {
                Join(pieces, best);
            }
        }

        return merges;
    }

    private static void Join(List<string> pieces, (string Left, string Right) pair)
    {
        for (var at = 0; at + 1 < pieces.Count; at++)
        {
            if (pieces[at] == pair.Left && pieces[at + 1] == pair.Right)
            {
                pieces[at] += pieces[at + 1];
                pieces.RemoveAt(at + 1);
            }
        }
    }
}
