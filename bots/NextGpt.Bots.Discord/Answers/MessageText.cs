namespace NextGpt.Bots.Discord.Answers;

/// <summary>Cuts text into messages: at paragraphs, lines, words; code blocks are closed and opened again; nothing is torn.</summary>
internal static class MessageText
{
    /// <summary>Characters of one message.</summary>
    public const int Most = 2_000;

    private const string Fence = "```";
    private const string Closing = "\n```";
    private const int LongestLanguage = 20;

    /// <summary>The text as messages, each of at most <paramref name="most"/> characters.</summary>
    public static IReadOnlyList<string> Split(string text, int most = Most)
    {
        var pieces = new List<string>();
        while (text.Length > most)
        {
            (var head, text) = Cut(text, most);
            pieces.Add(head);
        }

        if (text.Length > 0 || pieces.Count == 0)
        {
            pieces.Add(text);
        }

        return pieces;
    }

    /// <summary>A first message of at most so many characters, and what follows it, open code blocks taken over.</summary>
    public static (string Head, string Tail) Cut(string text, int most)
    {
        var room = most - Closing.Length;
        var at = PlaceToCut(text, room);
        var head = text[..at];
        var rest = text[at..].TrimStart('\n');
        if (OpenFence(head) is not { } language)
        {
            return (head.TrimEnd(), rest);
        }

        return (head.TrimEnd('\n') + Closing, $"{Fence}{language}\n{rest}");
    }

    /// <summary>The language of the code block that is open at the end, "" if it has none; null if none is open.</summary>
    public static string? OpenFence(string text)
    {
        string? open = null;
        for (var at = text.IndexOf(Fence, StringComparison.Ordinal); at >= 0;
            at = text.IndexOf(Fence, at + Fence.Length, StringComparison.Ordinal))
        {
            if (open is not null)
            {
                open = null;
                continue;
            }

            var after = text.AsSpan(at + Fence.Length);
            var end = after.IndexOf('\n');
            var word = end < 0 ? after : after[..end];
            open = end >= 0 && word.Length <= LongestLanguage && !word.ContainsAny(' ', '`') ? word.ToString() : "";
        }

        return open;
    }

    private static int PlaceToCut(string text, int room)
    {
        var part = text.AsSpan(0, room);
        // A block that was only just opened again must not be cut right behind its opening: that would never end.
        var least = Math.Max(room / 2, part.StartsWith(Fence) ? Fence.Length + LongestLanguage + 1 : 1);
        foreach (var mark in (string[])["\n\n", "\n", " "])
        {
            if (part.LastIndexOf(mark) is var found && found >= least && IsWhole(text, found + mark.Length))
            {
                return found + mark.Length;
            }
        }

        var at = room;
        while (at > least && !IsWhole(text, at))
        {
            at--;
        }

        return at;
    }

    /// <summary>Whether a cut here tears no pair of surrogates, no mention or link in angle brackets, no row of backticks.</summary>
    private static bool IsWhole(string text, int at)
    {
        if (at <= 0 || at >= text.Length)
        {
            return true;
        }

        if (char.IsLowSurrogate(text[at]) || (text[at] == '`' && text[at - 1] == '`')
            || text[at] is '\u200D' or '\uFE0F' || text[at - 1] == '\u200D')
        {
            return false;
        }

        var opening = text.LastIndexOf('<', at - 1, Math.Min(at, 64));
        if (opening < 0 || opening + 1 >= text.Length || text[opening + 1] is not ('@' or '#' or ':' or 'a' or 't' or '/'))
        {
            return true;
        }

        var closing = text.IndexOf('>', opening, Math.Min(64, text.Length - opening));
        return closing < 0 || closing < at;
    }
}
