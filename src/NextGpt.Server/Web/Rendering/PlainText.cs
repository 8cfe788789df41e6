using System.Text;

namespace NextGpt.Server.Web.Rendering;

/// <summary>Text of people and of the model before it is shown.</summary>
internal static class PlainText
{
    /// <summary>
    /// The text with control characters shown as their pictures (␇) and half surrogates as U+FFFD; line ends and tabs
    /// stay, carriage returns go.
    /// </summary>
    public static string Visible(string text)
    {
        var ordinary = true;
        foreach (var character in text)
        {
            ordinary &= !NeedsCare(character);
        }

        if (ordinary)
        {
            return text;
        }

        var visible = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            var character = text[index];
            if (char.IsHighSurrogate(character) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            {
                visible.Append(character).Append(text[++index]);
            }
            else if (char.IsSurrogate(character))
            {
                visible.Append('\uFFFD');
            }
            else if (character == '\r')
            {
                continue;
            }
            else
            {
                visible.Append(NeedsCare(character) ? Picture(character) : character);
            }
        }

        return visible.ToString();
    }

    /// <summary>The first words on one line, for titles; at most the given number of characters.</summary>
    public static string FirstWords(string text, int length)
    {
        var line = string.Join(' ', text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= length)
        {
            return line;
        }

        var cut = line.LastIndexOf(' ', length - 1);
        cut = cut > length / 2 ? cut : length - 1;
        cut = char.IsHighSurrogate(line[cut - 1]) ? cut - 1 : cut;
        return line[..cut] + "…";
    }

    private static bool NeedsCare(char character) =>
        (char.IsControl(character) && character is not '\n' and not '\t') || char.IsSurrogate(character);

    private static char Picture(char control) => control switch
    {
        < '\u0020' => (char)('\u2400' + control),
        '\u007F' => '\u2421',
        _ => '\uFFFD',
    };
}
