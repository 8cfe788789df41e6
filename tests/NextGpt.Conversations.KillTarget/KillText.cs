using System.Security.Cryptography;
using System.Text;

namespace NextGpt.Conversations.KillTarget;

/// <summary>Text that follows from a turn's id, so that two processes agree on it without talking.</summary>
public static class KillText
{
    /// <summary>Up to about 250 characters; letters only, so that nothing in it looks like a number to be redacted.</summary>
    public static string Of(string turn, string part)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(turn + part));
        var text = new StringBuilder(part);
        for (var i = 0; i < 20 + hash[0]; i++)
        {
            text.Append(i % 7 == 6 ? ' ' : (char)('a' + (hash[i % 32] % 26)));
        }

        return text.ToString();
    }
}
