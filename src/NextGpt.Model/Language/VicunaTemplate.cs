using System.Text.RegularExpressions;

namespace NextGpt.Model.Language;

/// <summary>Vicuna v1.1 and v1.5 (lm-sys/FastChat, "vicuna_v1.1"): roles in capitals, <c>&lt;/s&gt;</c> ends a reply.</summary>
/// <remarks>The roles are plain text, so those written in a message lose their capitals: they must not become roles.</remarks>
internal sealed partial class VicunaTemplate : IPromptTemplate
{
    public string Name => "vicuna-v1.1";

    public string DefaultSystemText =>
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions.";

    public IReadOnlyList<string> StopTexts => ["USER:"];

    public IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply)
    {
        var pieces = new List<PromptPiece>(messages.Count * 4 + 1);
        foreach (var message in messages)
        {
            var text = Roles().Replace(PromptText.Of(message), role => role.Value[0] + role.Value[1..].ToLowerInvariant());
            switch (message.Role)
            {
                case PromptRole.System:
                    pieces.Add(new(text + " ", SpecialTokens.AsText, Trained: false));
                    break;
                case PromptRole.Assistant:
                    pieces.Add(new("ASSISTANT:", SpecialTokens.Parse, Trained: false));
                    pieces.Add(new(" " + text, SpecialTokens.AsText, Trained: true));
                    pieces.Add(new("</s>", SpecialTokens.Parse, Trained: true));
                    break;
                default:
                    pieces.Add(new("USER: ", SpecialTokens.Parse, Trained: false));
                    pieces.Add(new(text + " ", SpecialTokens.AsText, Trained: false));
                    break;
            }
        }

        if (openReply)
        {
            pieces.Add(new("ASSISTANT:", SpecialTokens.Parse, Trained: false));
        }

        return pieces;
    }

    [GeneratedRegex(@"(USER|ASSISTANT)(?=\s*:)", RegexOptions.CultureInvariant)]
    private static partial Regex Roles();
}
