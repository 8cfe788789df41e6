using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace NextGpt.Conversations.Privacy;

/// <summary>The patterns of the redactor, compiled with the program and each with a time limit of a second.</summary>
internal static partial class RedactionPatterns
{
    private const int Patience = 1_000;
    private const RegexOptions Plain = RegexOptions.CultureInvariant;
    private const RegexOptions AnyCase = Plain | RegexOptions.IgnoreCase;
    private const RegexOptions Spaced = Plain | RegexOptions.IgnorePatternWhitespace;

    // Annotations and rules of programming languages that look like mentions.
    private static readonly FrozenSet<string> CodeWords = new[]
    {
        "override", "param", "params", "return", "returns", "throws", "media", "import", "keyframes", "charset", "property",
        "staticmethod", "classmethod", "dataclass", "deprecated", "test", "before", "after", "autowired", "bean",
        "component", "everyone", "here", "app.route", "pytest.fixture", "supports", "layer", "interface", "see", "since",
        "font-face", "abstractmethod", "functools.wraps", "nullable", "notnull",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsCodeWord(string name) => CodeWords.Contains(name.TrimEnd('.', '-'));

    [GeneratedRegex(@"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)", Plain, Patience)]
    public static partial Regex PrivateKey();

    [GeneratedRegex(@"(?<keep>\b[a-z][a-z0-9+.\-]{1,20}://)[^\s/:@]{1,100}:[^\s/@]{1,200}@", AnyCase, Patience)]
    public static partial Regex Credentials();

    [GeneratedRegex(
        """
        (?<![A-Za-z0-9])(?:
            (?:sk|pk|rk)-(?:proj-|ant-|live-|test-|or-v1-)?[A-Za-z0-9_\-]{16,}
          | (?:sk|pk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}
          | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_\-]{16,}
          | hf_[A-Za-z0-9]{20,} | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_\-]{30,} | dop_v1_[a-f0-9]{40,}
          | xox[abeoprs]-[A-Za-z0-9\-]{10,} | xapp-[A-Za-z0-9\-]{10,}
          | (?:AKIA|ASIA)[0-9A-Z]{16} | AIza[A-Za-z0-9_\-]{30,} | ya29\.[A-Za-z0-9_\-]{20,}
          | SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}
          | eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}
          | [MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6,7}\.[A-Za-z0-9_\-]{27,}
          | [0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}
        )
        """,
        Spaced, Patience)]
    public static partial Regex Token();

    [GeneratedRegex(
        """
        (?<keep>\b(?:password|passwd|passphrase|pwd|passwort|kennwort|mot\sde\spasse|contraseña|secret|api[_\-\s]?key|
          access[_\-\s]?key|auth[_\-\s]?token|access[_\-\s]?token|bearer|token|client[_\-\s]?secret|accountkey|pin)\b
          ["'”]?\s{0,3}(?:is|ist|=|:|=>|:=)?\s{0,3}["'“]?)
        (?<value>[^\s"'“”,;\[\]]{6,200})
        """,
        Spaced | RegexOptions.IgnoreCase, Patience)]
    public static partial Regex AssignedSecret();

    [GeneratedRegex(@"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{40,500}={0,2}(?![A-Za-z0-9+/_\-])", Plain, Patience)]
    public static partial Regex LongToken();

    [GeneratedRegex(@"(?<![\p{L}\p{N}._%+\-])[\p{L}\p{N}._%+\-]{1,64}[@＠](?:[\p{L}\p{N}](?:[\p{L}\p{N}\-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}[\p{L}\p{N}\-]{1,23}", Plain, Patience)]
    public static partial Regex Email();

    [GeneratedRegex(@"(?<![\w.+\-])[\w.+\-]{1,64}\s{0,2}[\[({]\s?at\s?[\])}]\s{0,2}[\w\-]{1,63}(?:\s{0,2}(?:\.|[\[({]\s?dot\s?[\])}])\s{0,2}[\w\-]{2,63}){1,4}", AnyCase, Patience)]
    public static partial Regex SpokenEmail();

    [GeneratedRegex(@"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?=[ \-\u00A0]?[A-Z0-9])", AnyCase, Patience)]
    public static partial Regex IbanStart();

    [GeneratedRegex(@"(?<![0-9.,])[2-6](?:[ \-]?[0-9]){12,18}(?![0-9])", Plain, Patience)]
    public static partial Regex Card();

    [GeneratedRegex(@"(?<![0-9.vV])(?<!ersion )(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])", Plain, Patience)]
    public static partial Regex IpV4();

    [GeneratedRegex(@"(?<![\w:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?:%\w{1,16})?(?![\w:])", Plain, Patience)]
    public static partial Regex IpV6();

    [GeneratedRegex(
        """
        (?<![\p{L}\p{N}.,])
        (?:
          # 221B Baker Street, 1600 Pennsylvania Ave NW, Apt 5
          [0-9]{1,5}[A-Za-z]?\s(?:(?:[NSEW]|North|South|East|West)\.?\s)?(?:[\p{Lu}0-9][\p{L}0-9'’.\-]{0,30}\s){1,4}
          (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Way|Close|Crescent|Highway|Hwy|Parkway|Pkwy)\b\.?
          (?:\s(?:NW|NE|SW|SE|N|S|E|W)\b)?(?:,?\s(?:Apt|Apartment|Suite|Unit|Flat|\#)\.?\s?\w{1,6})?
        | # Musterstraße 12a, Hauptstr. 5, Am Alten Markt 3
          \p{Lu}[\p{L}\-]{1,40}(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm)\s[0-9]{1,4}\s?[a-z]?\b
        | (?:\p{Lu}[\p{L}\-]{1,30}\s){1,3}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ufer|Damm)\s[0-9]{1,4}\s?[a-z]?\b
        | # 12 rue de la Paix, 5 bis avenue Victor Hugo
          [0-9]{1,4}(?:\s?(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|chemin|allée|impasse|quai)\s(?:de\sla\s|de\sl['’]|de\s|du\s|des\s)?[\p{L}'’\-]{2,30}(?:\s\p{Lu}[\p{L}'’\-]{1,30}){0,3}
        | # Calle Mayor 5, Via Roma, 12
          (?:Calle|Avenida|Plaza|Carrer|Paseo|Via|Viale|Piazza|Corso|Rua)\s(?:(?:de|del|la|las|los|di|da|do|dos|della)\s){0,2}\p{Lu}[\p{L}'’\-]{1,30}(?:\s\p{Lu}[\p{L}'’\-]{1,30}){0,2},?\s(?:n[.ºo]{1,2}\s?)?[0-9]{1,4}\b
        | P\.?\s?O\.?\s?Box\s[0-9]{1,6}\b | Postfach\s[0-9]{2}[0-9\s]{0,8}[0-9]\b
        )
        """,
        Spaced, Patience)]
    public static partial Regex Address();

    [GeneratedRegex(
        """
        (?<keep>\b(?:live[sd]?\s(?:at|in|on)|moved\sto|address(?:\sis|:)|home\sis(?:\sat)?|deliver(?:ed)?\s(?:it\s)?to|send\sit\sto|wohne\s(?:in|an)?(?:\sder)?)\s(?:number\s|no\.?\s)?)
        (?: [0-9]{1,5}[a-z]?\s(?:[\p{L}'’\-]{2,30}\s){1,3}(?:street|st|avenue|ave|road|rd|boulevard|lane|drive|court|square|place|terrace|way|close|crescent|highway)\b
          | [\p{L}\-]{2,40}(?:straße|strasse|str\.|weg|platz|allee|gasse)\s[0-9]{1,4}\s?[a-z]?\b )
        """,
        Spaced | RegexOptions.IgnoreCase, Patience)]
    public static partial Regex SpokenAddress();

    [GeneratedRegex(@"(?<![\w+.,])(?:\+|00(?=[1-9]))\s?(?:\([0-9]{1,4}\)|[0-9])(?:[\s().\-/\u00A0]{0,3}[0-9]){6,15}(?![0-9])", Plain, Patience)]
    public static partial Regex InternationalPhone();

    [GeneratedRegex(
        """
        (?<![\w+.,:/\-])
        (?: (?:1[\s.\-])?(?:\([2-9][0-9]{2}\)\s?|[2-9][0-9]{2}[\s.\-])[0-9]{3}[\s.\-][0-9]{4}
          | \(0[0-9]{1,4}\)\s?[0-9](?:[\s\-]?[0-9]){4,9}
          | 0[1-9][0-9]{0,3}[\s/\-]{1,2}[0-9]{3,}(?:[\s\-/]?[0-9]{2,}){0,4}
          | 0[1-9](?:\s[0-9]{2}){4}
          | 0[1-9][0-9]{8,10}
        )
        (?![0-9]|[.,:][0-9])
        """,
        Spaced, Patience)]
    public static partial Regex NationalPhone();

    [GeneratedRegex(
        """
        (?<keep>\b(?:phone|telephone|tel|telefon|mobile|mobil|cell|handy|fax|whatsapp|signal|(?:call|ring|text)\s(?:me|us|him|her|them)|(?:my|his|her)\snumber|nummer)\b
          [^0-9\n+]{0,24})
        (?<value>[0-9](?:[\s().\-/]{0,2}[0-9]){5,14})(?![0-9]|[.,:][0-9])
        """,
        Spaced | RegexOptions.IgnoreCase, Patience)]
    public static partial Regex SpokenPhone();

    [GeneratedRegex(@"<@[!&]?(?<id>[0-9]{5,25})>|<at(?:\s[^>]{0,100})?>(?<id>[^<]{1,100})</at>", AnyCase, Patience)]
    public static partial Regex PlatformMention();

    [GeneratedRegex(@"(?<![\p{L}\p{N}_@/.\]])@(?!person-[0-9a-p]{6}\b)(?<name>[\p{L}\p{N}_][\p{L}\p{N}_.\-]{1,38})", Plain, Patience)]
    public static partial Regex Mention();
}
