using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace NextGpt.Conversations.Privacy;

/// <summary>
/// Takes out of a text what names or betrays somebody, before it is stored (PRI-6): secrets, e-mail addresses, IBANs and
/// card numbers (both by check digits), IP addresses, street addresses, phone numbers; mentioned names become pseudonyms
/// that are the same throughout one conversation. Rules run from the most to the least certain; each sees what the
/// earlier ones left. Every pattern has a time limit: a text that exceeds it is not redacted and hence not kept.
/// </summary>
internal sealed class Redactor(PersonSecret secret)
{
    private const int MostCharacters = 1_000_000;

    /// <summary>Redacts a text of a conversation.</summary>
    /// <exception cref="RegexMatchTimeoutException">The text took too long.</exception>
    /// <exception cref="ArgumentException">The text is longer than a million characters.</exception>
    public Redaction Redact(string text, string conversationId)
    {
        if (text.Length > MostCharacters)
        {
            throw new ArgumentException("A text of more than 1,000,000 characters is not redacted.", nameof(text));
        }

        var work = new Work(WithoutHiddenCharacters(text));
        work.Replace(RedactionPatterns.PrivateKey(), "[secret]");
        work.Replace(RedactionPatterns.Credentials(), match => match.Groups["keep"].Value + "[secret]@");
        work.Replace(RedactionPatterns.Token(), "[secret]");
        work.Replace(RedactionPatterns.AssignedSecret(), match =>
            LooksSecret(match.Groups["value"].Value) ? match.Groups["keep"].Value + "[secret]" : null);
        work.Replace(RedactionPatterns.LongToken(), match => IsRandom(match.Value) ? "[secret]" : null);
        work.Replace(RedactionPatterns.Email(), "[e-mail]");
        work.Replace(RedactionPatterns.SpokenEmail(), "[e-mail]");
        work.ReplaceIbans();
        work.Replace(RedactionPatterns.Card(), match => CheckDigits.IsCard(match.Value) ? "[card]" : null);
        work.Replace(RedactionPatterns.IpV4(), match => IsPersonalIpV4(match.Value) ? "[IP]" : null);
        work.Replace(RedactionPatterns.IpV6(), match => IsPersonalIpV6(match.Value) ? "[IP]" : null);
        work.Replace(RedactionPatterns.Address(), "[address]");
        work.Replace(RedactionPatterns.SpokenAddress(), match => match.Groups["keep"].Value + "[address]");
        work.Replace(RedactionPatterns.InternationalPhone(), match => HasDigits(match.Value, 8, 15) ? "[phone]" : null);
        work.Replace(RedactionPatterns.NationalPhone(), match => HasDigits(match.Value, 8, 15) ? "[phone]" : null);
        work.Replace(RedactionPatterns.SpokenPhone(), match =>
            HasDigits(match.Groups["value"].Value, 6, 15) ? match.Groups["keep"].Value + "[phone]" : null);
        work.Replace(RedactionPatterns.PlatformMention(), match => Pseudonym(conversationId, match.Groups["id"].Value));
        work.Replace(RedactionPatterns.Mention(), match =>
            RedactionPatterns.IsCodeWord(match.Groups["name"].Value)
                ? null
                : Pseudonym(conversationId, match.Groups["name"].Value));
        return new(work.Text, work.Count);
    }

    /// <summary>Redacts a text that may be missing.</summary>
    public (string? Text, int Count) RedactOptional(string? text, string conversationId)
    {
        if (text is null)
        {
            return (null, 0);
        }

        var redaction = Redact(text, conversationId);
        return (redaction.Text, redaction.Count);
    }

    // Zero-width characters split an address for the patterns and not for a reader. The joiner stays: emoji need it.
    private static string WithoutHiddenCharacters(string text) =>
        text.AsSpan().ContainsAny("\u200B\u200C\u2060\uFEFF\u00AD")
            ? string.Concat(text.Where(letter => letter is not ('\u200B' or '\u200C' or '\u2060' or '\uFEFF' or '\u00AD')))
            : text;

    private string Pseudonym(string conversationId, string name) =>
        "@" + secret.PseudonymOf(conversationId, name.TrimEnd('.', '-'));

    private static bool HasDigits(string text, int least, int most)
    {
        var digits = text.Count(char.IsAsciiDigit);
        return digits >= least && digits <= most;
    }

    private static bool LooksSecret(string value) =>
        value.Length >= 6
        && value.Any(char.IsLetterOrDigit)
        && (value.Any(char.IsDigit) || value.Any(letter => "!#$%&*+=^~@".Contains(letter, StringComparison.Ordinal)));

    private static bool IsRandom(string token)
    {
        if (!token.Any(char.IsAsciiDigit) || !token.Any(char.IsAsciiLetterUpper) || !token.Any(char.IsAsciiLetterLower))
        {
            return false;
        }

        var bits = token.CountBy(letter => letter)
            .Select(pair => (double)pair.Value / token.Length)
            .Sum(share => -share * Math.Log2(share));
        return bits >= 4;
    }

    private static bool IsPersonalIpV4(string text)
    {
        var parts = text.Split('.');
        return parts.All(part => int.Parse(part, CultureInfo.InvariantCulture) <= 255)
            && parts[0] is not ("0" or "127" or "255");
    }

    private static bool IsPersonalIpV6(string text)
    {
        var groups = text.Split(':', StringSplitOptions.RemoveEmptyEntries);
        return IPAddress.TryParse(text, out var address)
            && address.AddressFamily is AddressFamily.InterNetworkV6
            && (groups.Length >= 3 || groups.Any(group => group.Length >= 3));
    }

    private sealed class Work(string text)
    {
        public string Text { get; private set; } = text;

        public int Count { get; private set; }

        public void Replace(Regex pattern, string with) => Replace(pattern, _ => with);

        public void Replace(Regex pattern, Func<Match, string?> with) => Text = pattern.Replace(Text, match =>
        {
            if (with(match) is not { } replacement)
            {
                return match.Value;
            }

            Count++;
            return replacement;
        });

        public void ReplaceIbans()
        {
            StringBuilder? result = null;
            var copied = 0;
            foreach (var start in RedactionPatterns.IbanStart().EnumerateMatches(Text))
            {
                if (start.Index < copied || CheckDigits.IbanLength(Text.AsSpan(start.Index)) is not (> 0 and var length))
                {
                    continue;
                }

                result ??= new();
                result.Append(Text, copied, start.Index - copied).Append("[IBAN]");
                copied = start.Index + length;
                Count++;
            }

            Text = result?.Append(Text, copied, Text.Length - copied).ToString() ?? Text;
        }
    }
}
