using System.Text.RegularExpressions;

namespace NextGpt.Server.Web.Rendering;

/// <summary>
/// Settles the end of a Markdown text that is still being written, so that half a mark neither shows nor turns what
/// stands above it into something else for a moment ("Intro" above a lone "-" is a heading until the list goes on).
/// </summary>
internal static partial class MarkdownTail
{
    /// <summary>A link that is not closed after so many characters is no link.</summary>
    private const int LongestHeldLink = 300;

    /// <summary>The text with its unfinished end held back or closed.</summary>
    public static string Settle(string text)
    {
        var lineStart = text.LastIndexOf('\n') + 1;
        if (IsInsideFence(text, lineStart))
        {
            // The line that may become the closing fence waits; everything else of code is shown as it comes.
            return text.AsSpan(lineStart).TrimStart().StartsWith("`") ? text[..lineStart] : text;
        }

        if (IsOnlyMarks(text.AsSpan(lineStart)))
        {
            return text[..lineStart];
        }

        var settled = HoldBackLink(text, lineStart);
        return CloseEmphasis(settled, Math.Min(lineStart, settled.Length));
    }

    private static bool IsInsideFence(string text, int end)
    {
        var inside = false;
        for (var start = 0; start < end;)
        {
            var lineEnd = text.IndexOf('\n', start);
            inside ^= text.AsSpan(start, lineEnd - start).TrimStart(' ').StartsWith("```");
            start = lineEnd + 1;
        }

        return inside;
    }

    private static bool IsOnlyMarks(ReadOnlySpan<char> line)
    {
        if (line.TrimStart().StartsWith("```"))
        {
            return true;   // an opening fence whose language is still being named
        }

        return UndecidedLine().IsMatch(line);
    }

    private static string HoldBackLink(string text, int lineStart)
    {
        var open = text.LastIndexOf('[');
        if (open < lineStart)
        {
            return text;
        }

        var target = text.IndexOf("](", open, StringComparison.Ordinal);
        var isWhole = target >= 0 ? text.IndexOf(')', target) >= 0 : text.IndexOf(']', open) is var close && close >= 0
            && close < text.Length - 1;
        if (isWhole || text.Length - open > LongestHeldLink)
        {
            return text;
        }

        return text[..(open > lineStart && text[open - 1] == '!' ? open - 1 : open)];
    }

    private static string CloseEmphasis(string text, int lineStart)
    {
        var line = text.AsSpan(lineStart);
        var codeMarks = line.Count('`');
        if (codeMarks % 2 == 1)
        {
            return line.EndsWith("`") ? text[..^1] : text + "`";
        }

        if (codeMarks > 0)
        {
            return text;   // stars inside code are code
        }

        if (line.EndsWith("*"))
        {
            // Either the opening of something or half of its closing: both wait for the next character.
            var bare = text.AsSpan().TrimEnd('*').ToString();
            return bare.Length < lineStart ? text[..lineStart] : CloseStars(bare, lineStart);
        }

        return CloseStars(text, lineStart);
    }

    private static string CloseStars(string text, int lineStart)
    {
        var line = text.AsSpan(lineStart);
        if (line.Count("**") % 2 == 1)
        {
            var trimmed = text.TrimEnd(' ');
            return trimmed.EndsWith("**", StringComparison.Ordinal) ? trimmed[..^2] : trimmed + "**";
        }

        return text;
    }

    /// <summary>A line that may yet become a list item, a rule, a heading, a quote, a table or an underline.</summary>
    [GeneratedRegex(@"^\s*(?:[-=*+#>|:~`_ \t]+|\d{1,3}[.)]?\s*)$", RegexOptions.CultureInvariant)]
    private static partial Regex UndecidedLine();
}
