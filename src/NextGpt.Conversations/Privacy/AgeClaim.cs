using System.Globalization;
using System.Text.RegularExpressions;

namespace NextGpt.Conversations.Privacy;

/// <summary>
/// Hears when somebody says that they are a child (PRI-7): "I am 11", "I'm twelve years old", "ich bin 10 Jahre alt".
/// Only a statement about oneself, now, counts: "when I was 11", "pretend I'm 9" and "I'm 10 minutes late" do not.
/// </summary>
internal static partial class AgeClaim
{
    private static readonly string[] Numbers =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen",
    ];

    private static readonly string[] Zahlen =
    [
        "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
        "dreizehn", "vierzehn", "fünfzehn",
    ];

    /// <summary>Whether the text says that its writer is younger than this.</summary>
    /// <exception cref="RegexMatchTimeoutException">The text took too long.</exception>
    public static bool IsBelow(string text, int years)
    {
        foreach (Match claim in Statement().Matches(text))
        {
            if (YearsOf(claim.Groups["age"].Value) < years && !NotMeant().IsMatch(text[..claim.Index]))
            {
                return true;
            }
        }

        foreach (Match grade in Grade().Matches(text))
        {
            // In grade 6 one is at most 12.
            var isBelow = YearsOf(grade.Groups["grade"].Value) + 6 < years;
            if (isBelow && !NotMeant().IsMatch(text[..grade.Index]))
            {
                return true;
            }
        }

        return false;
    }

    private static int YearsOf(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var years))
        {
            return years;
        }

        var word = Array.FindIndex(Numbers, number => number.Equals(text, StringComparison.OrdinalIgnoreCase));
        word = word >= 0 ? word : Array.FindIndex(Zahlen, zahl => zahl.Equals(text, StringComparison.OrdinalIgnoreCase));
        return word >= 0 ? word : int.MaxValue;
    }

    [GeneratedRegex(
        """
        \b(?:i\s?(?:'|’)?m|i\s+am|my\s+age\s+is|ich\s+bin)\s+(?:only\s+|just\s+|still\s+|already\s+|now\s+|erst\s+|gerade\s+|schon\s+)?
        (?:(?:a|an)\s+(?=\d))?
        (?<age>\d{1,2}|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dreizehn|vierzehn|fünfzehn)
        (?:\s*-?\s*(?:years?|yrs?|yo|y\.o\.|y/o|jahre?)\b | \s*(?:and|und|so|but|aber)\b | \s*(?:[.!?,;:)]|$)(?!\d) )
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace, 1_000)]
    private static partial Regex Statement();

    [GeneratedRegex(
        @"\bi(?:'m|’m|\s+am)\s+in\s+(?:(?:the\s+)?(?<grade>[1-9])(?:st|nd|rd|th)\s+grade|(?:grade|year)\s+(?<grade>[1-9]))\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Grade();

    [GeneratedRegex(
        @"(?:\b(?:when|if|as|while|since|until|imagine|pretend|suppose|say|says|said|assume|like|act|story|character|als|wenn|stell\s+dir\s+vor)\b[^.!?\n]{0,40}|[""“„'‘]\s*)$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex NotMeant();
}
