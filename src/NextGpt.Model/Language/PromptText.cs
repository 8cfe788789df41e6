using System.Text;

namespace NextGpt.Model.Language;

/// <summary>What a message says, as the text between a template's marks.</summary>
internal static class PromptText
{
    /// <summary>Stands where a medium stands: a code point that is no character and never comes from a person.</summary>
    public const char Medium = '\uFDD0';

    private const int MaxNameLength = 64;

    /// <summary>The message's parts joined; in a group chat the speaker's name stands before them.</summary>
    public static string Of(PromptMessage message)
    {
        var text = new StringBuilder();
        if (message.Role == PromptRole.User && NameOf(message.AuthorName) is { Length: > 0 } name)
        {
            text.Append(name).Append(": ");
        }

        return text.Append(Said(message)).ToString();
    }

    /// <summary>The message's parts joined, without a name; a medium is <see cref="Medium"/>.</summary>
    public static string Said(PromptMessage message) => string.Concat(message.Parts.Select(part => part is TextPart said
        ? said.Text.Replace(Medium, '\uFFFD')
        : Medium.ToString()));

    /// <summary>A name on one line, without the marks of a line end or a colon that would end it early.</summary>
    private static string NameOf(string? name)
    {
        if (name is null)
        {
            return "";
        }

        var clean = new StringBuilder();
        foreach (var character in name)
        {
            clean.Append(char.IsControl(character) || character is ':' or '\u2028' or '\u2029' ? ' ' : character);
        }

        var trimmed = clean.ToString().Trim();
        return trimmed.Length <= MaxNameLength ? trimmed : trimmed[..MaxNameLength].Trim();
    }
}
