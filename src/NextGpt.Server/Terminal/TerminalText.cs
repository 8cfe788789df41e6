using System.Text;

namespace NextGpt.Server.Terminal;

/// <summary>Text as a terminal may see it: no control characters, so that no answer moves the cursor or speaks to it (CON-2).</summary>
internal static class TerminalText
{
    /// <summary>The text without control characters; line ends and tabs stay.</summary>
    public static string Clean(string text)
    {
        if (!text.Any(IsForbidden))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var character in text.Where(character => !IsForbidden(character)))
        {
            clean.Append(character);
        }

        return clean.ToString();
    }

    /// <summary>C0 and C1 controls, delete, and the marks that reverse what is read (they could hide a command).</summary>
    private static bool IsForbidden(char character) =>
        (char.IsControl(character) && character is not ('\n' or '\t'))
        || character is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
