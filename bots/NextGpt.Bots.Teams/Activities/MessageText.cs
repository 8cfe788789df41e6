using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace NextGpt.Bots.Teams.Activities;

/// <summary>Text between what Teams writes and what people and the model mean.</summary>
internal static partial class MessageText
{
    /// <summary>Longest text of one message, in UTF-16 units; the service counts 100 KB of the whole payload as UTF-16.</summary>
    public const int MaxLength = 38_000;

    /// <summary>What the person wrote: without the mention of the bot, other mentions as names, entities decoded.</summary>
    public static string Read(IncomingActivity activity)
    {
        var text = activity.Text ?? "";
        foreach (var mention in activity.Entities.Where(static entity => entity.Text("type") == "mention"))
        {
            if (mention.Text("text") is { Length: > 0 } written
                && text.IndexOf(written, StringComparison.Ordinal) is var at and >= 0)
            {
                var kept = mention.Text("mentioned", "id") == activity.Recipient.Id ? " " : AtTag().Replace(written, "");
                text = string.Concat(text.AsSpan(0, at), kept, text.AsSpan(at + written.Length));
            }
        }

        text = WebUtility.HtmlDecode(AtTag().Replace(text, "")).Replace('\u00A0', ' ');
        return text.Trim();
    }

    /// <summary>
    /// Foreign text as it may stand in our Markdown: it forms no tags or mentions and loads no pictures (THR-2, WEB-6). A
    /// longer text begins with what a shorter one became, so that streamed text only grows.
    /// </summary>
    public static string Escape(string text)
    {
        var safe = new StringBuilder(text.Length + 16);
        var before = '\0';
        foreach (var character in text)
        {
            switch (character)
            {
                case '<': safe.Append("&lt;"); break;
                case '&': safe.Append("&amp;"); break;
                case '[' when before == '!': safe.Append("\\["); break;
                case '\n' or '\t': safe.Append(character); break;
                default: safe.Append(char.IsControl(character) ? ' ' : character); break;
            }

            before = character;
        }

        return safe.ToString();
    }

    /// <summary>Splits a long text into messages, at paragraphs where possible; a code block that is cut goes on as one.</summary>
    /// <param name="text">The escaped text.</param>
    /// <param name="longest">Longest piece, in UTF-16 units.</param>
    public static IReadOnlyList<string> Split(string text, int longest = MaxLength)
    {
        const string fence = "```";
        var pieces = new List<string>();
        var rest = text;
        while (rest.Length > longest)
        {
            var room = longest - fence.Length - 1;
            var cut = rest.LastIndexOf("\n\n", room - 1, StringComparison.Ordinal);
            cut = cut > longest / 2 ? cut : rest.LastIndexOf('\n', room - 1);
            cut = cut > longest / 2 ? cut : rest.LastIndexOf(' ', room - 1);
            cut = cut > longest / 2 ? cut : char.IsHighSurrogate(rest[room - 1]) ? room - 1 : room;
            var piece = rest[..cut];
            rest = rest[cut..].TrimStart('\n');
            if (Fences(piece) % 2 == 1)
            {
                piece += $"\n{fence}";
                rest = $"{fence}\n{rest}";
            }

            pieces.Add(piece);
        }

        pieces.Add(rest);
        return pieces;

        static int Fences(string piece) => piece.Split('\n').Count(line => line.StartsWith(fence, StringComparison.Ordinal));
    }

    [GeneratedRegex("</?at(\\s[^<>]*)?>", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex AtTag();
}
