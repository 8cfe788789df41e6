using System.Text.RegularExpressions;

namespace NextGpt.Model.Language;

/// <summary>Vicuna v0 as NExT-GPT's published weights were tuned: <c>### Human:</c>, <c>### Assistant:</c>.</summary>
/// <remarks>
/// NExT-GPT/NExT-GPT, NExT-GPT-Lagacy/code: no end token, <c>###</c> ends a turn and begins the next. The marks are plain
/// text, so the hashes of one written in a message are left out: it must not become a role.
/// </remarks>
internal sealed partial class VicunaV0Template : IPromptTemplate
{
    public string Name => "vicuna-v0";

    public IReadOnlyList<string> StopTexts => ["\n###", "###"];

    public IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply)
    {
        var pieces = new List<PromptPiece>(messages.Count * 3 + 1);
        var opened = false;   // the end of a reply has written the ### of the next turn
        foreach (var message in messages)
        {
            var text = Marks().Replace(PromptText.Of(message), "");
            switch (message.Role)
            {
                case PromptRole.System:
                    pieces.Add(new(opened ? $" {text}\n" : $"{text}\n", SpecialTokens.AsText, Trained: false));
                    opened = false;
                    break;
                case PromptRole.Assistant:
                    pieces.Add(Mark(opened, "Assistant:"));
                    pieces.Add(new($" {text}\n###", SpecialTokens.AsText, Trained: true));
                    opened = true;
                    break;
                default:
                    pieces.Add(Mark(opened, "Human: "));
                    pieces.Add(new($"{text}\n", SpecialTokens.AsText, Trained: false));
                    opened = false;
                    break;
            }
        }

        if (openReply)
        {
            pieces.Add(Mark(opened, "Assistant:"));
        }

        return pieces;
    }

    private static PromptPiece Mark(bool opened, string role) =>
        new(opened ? $" {role}" : $"### {role}", SpecialTokens.Parse, Trained: false);

    [GeneratedRegex(@"#{3,}\s*(?=(Human|Assistant)\s*:)", RegexOptions.CultureInvariant)]
    private static partial Regex Marks();
}
