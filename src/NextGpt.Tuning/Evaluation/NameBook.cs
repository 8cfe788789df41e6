using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;

namespace NextGpt.Tuning.Evaluation;

/// <summary>Finds the names of the world in an answer.</summary>
internal sealed class NameBook
{
    private const int LongestName = 8;
    private readonly Dictionary<string, HashSet<string>> _keys = new(StringComparer.Ordinal);

    /// <summary>Adds a name.</summary>
    /// <param name="name">With or without an article.</param>
    /// <param name="key">What it stands for.</param>
    internal void Add(string name, string key)
    {
        var words = string.Join(' ', Words(CaptionWording.Bare(name)));
        if (words.Length > 0)
        {
            if (!_keys.TryGetValue(words, out var keys))
            {
                _keys.Add(words, keys = new HashSet<string>(StringComparer.Ordinal));
            }

            keys.Add(key);
        }
    }

    /// <summary>Adds everything that a picture is called.</summary>
    internal void AddPicture(WorldRow row, string key)
    {
        Add(row.Caption, key);
        if (WorldNames.Of(row) is { } said)
        {
            Add(said, key);
        }
    }

    /// <summary>Adds everything that a sound is called: its caption, the thing before its verb, its key as words.</summary>
    internal void AddSound(WorldRow row)
    {
        Add(row.Caption, row.Concept);
        Add(row.Concept.Replace('-', ' '), row.Concept);
        var playing = row.Caption.IndexOf(" playing ", StringComparison.Ordinal);
        if (playing > 0)
        {
            Add(row.Caption[..playing], row.Concept);
        }
    }

    /// <summary>What the longest name in an answer stands for; empty where it holds none.</summary>
    internal IReadOnlySet<string> Find(string answer) =>
        Names(answer).OrderByDescending(found => found.Length).Select(found => _keys[found]).FirstOrDefault() ?? [];

    /// <summary>Whether an answer holds a name that stands for this, however many others it holds.</summary>
    internal bool Holds(string answer, string key) => Names(answer).Any(found => _keys[found].Contains(key));

    private IEnumerable<string> Names(string answer)
    {
        var words = Words(answer);
        for (var from = 0; from < words.Count; from++)
        {
            for (var length = Math.Min(LongestName, words.Count - from); length > 0; length--)
            {
                var name = string.Join(' ', words.Skip(from).Take(length));
                if (_keys.ContainsKey(name))
                {
                    yield return name;
                }
            }
        }
    }

    private static List<string> Words(string text) =>
        [.. text.ToLowerInvariant().Split([' ', ',', '.', '!', '?', ';', ':', '"', '(', ')', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)];
}
