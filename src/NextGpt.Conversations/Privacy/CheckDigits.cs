namespace NextGpt.Conversations.Privacy;

/// <summary>Check digits that tell an account or card number from any other number.</summary>
internal static class CheckDigits
{
    // Lengths by country: ISO 13616 registry.
    private static readonly Dictionary<string, int> IbanLengths = new(StringComparer.Ordinal)
    {
        ["AD"] = 24,
        ["AE"] = 23,
        ["AL"] = 28,
        ["AT"] = 20,
        ["AZ"] = 28,
        ["BA"] = 20,
        ["BE"] = 16,
        ["BG"] = 22,
        ["BH"] = 22,
        ["BR"] = 29,
        ["BY"] = 28,
        ["CH"] = 21,
        ["CR"] = 22,
        ["CY"] = 28,
        ["CZ"] = 24,
        ["DE"] = 22,
        ["DK"] = 18,
        ["DO"] = 28,
        ["EE"] = 20,
        ["EG"] = 29,
        ["ES"] = 24,
        ["FI"] = 18,
        ["FO"] = 18,
        ["FR"] = 27,
        ["GB"] = 22,
        ["GE"] = 22,
        ["GI"] = 23,
        ["GL"] = 18,
        ["GR"] = 27,
        ["GT"] = 28,
        ["HR"] = 21,
        ["HU"] = 28,
        ["IE"] = 22,
        ["IL"] = 23,
        ["IQ"] = 23,
        ["IS"] = 26,
        ["IT"] = 27,
        ["JO"] = 30,
        ["KW"] = 30,
        ["KZ"] = 20,
        ["LB"] = 28,
        ["LC"] = 32,
        ["LI"] = 21,
        ["LT"] = 20,
        ["LU"] = 20,
        ["LV"] = 21,
        ["MC"] = 27,
        ["MD"] = 24,
        ["ME"] = 22,
        ["MK"] = 19,
        ["MR"] = 27,
        ["MT"] = 31,
        ["MU"] = 30,
        ["NL"] = 18,
        ["NO"] = 15,
        ["PK"] = 24,
        ["PL"] = 28,
        ["PS"] = 29,
        ["PT"] = 25,
        ["QA"] = 29,
        ["RO"] = 24,
        ["RS"] = 22,
        ["SA"] = 24,
        ["SC"] = 31,
        ["SE"] = 24,
        ["SI"] = 19,
        ["SK"] = 24,
        ["SM"] = 27,
        ["ST"] = 25,
        ["SV"] = 28,
        ["TL"] = 23,
        ["TN"] = 24,
        ["TR"] = 26,
        ["UA"] = 29,
        ["VA"] = 22,
        ["VG"] = 24,
        ["XK"] = 20,
    };

    /// <summary>Characters of the IBAN at the start of a text, single spaces and hyphens included; 0 if there is none.</summary>
    public static int IbanLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 15 || !IbanLengths.TryGetValue(text[..2].ToString().ToUpperInvariant(), out var wanted))
        {
            return 0;
        }

        Span<char> letters = stackalloc char[34];
        var (count, position) = (0, 0);
        while (position < text.Length && count < wanted)
        {
            if (char.IsAsciiLetterOrDigit(text[position]))
            {
                letters[count++] = char.ToUpperInvariant(text[position]);
            }
            else if (text[position] is not (' ' or '-' or '\u00A0') || !char.IsAsciiLetterOrDigit(text[position - 1]))
            {
                return 0;
            }

            position++;
        }

        var endsThere = position == text.Length || !char.IsAsciiLetterOrDigit(text[position]);
        return count == wanted && endsThere && RemainderOf97(letters[..count]) == 1 ? position : 0;
    }

    /// <summary>Whether it is a payment card's number: 13 to 19 digits, a card's first digit, Luhn's check digit.</summary>
    public static bool IsCard(ReadOnlySpan<char> text)
    {
        Span<int> digits = stackalloc int[20];
        var count = 0;
        foreach (var letter in text)
        {
            if (char.IsAsciiDigit(letter))
            {
                if (count == 19)
                {
                    return false;
                }

                digits[count++] = letter - '0';
            }
        }

        if (count < 13 || digits[0] is < 2 or > 6)
        {
            return false;
        }

        var sum = 0;
        for (var i = 0; i < count; i++)
        {
            var doubled = digits[count - 1 - i] * (1 + (i & 1));
            sum += doubled > 9 ? doubled - 9 : doubled;
        }

        return sum % 10 == 0 && digits[..count].ContainsAnyExcept(digits[0]);
    }

    private static int RemainderOf97(ReadOnlySpan<char> iban)
    {
        var remainder = 0;
        for (var i = 0; i < iban.Length; i++)
        {
            var letter = iban[(i + 4) % iban.Length];   // the country and check digits go last
            remainder = char.IsAsciiDigit(letter)
                ? ((remainder * 10) + letter - '0') % 97
                : ((remainder * 100) + letter - 'A' + 10) % 97;
        }

        return remainder;
    }
}
