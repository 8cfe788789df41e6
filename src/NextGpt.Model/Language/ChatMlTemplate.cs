namespace NextGpt.Model.Language;

/// <summary>ChatML, as SmolLM2 and Qwen2 were trained with: every message between two special tokens.</summary>
/// <remarks>
/// No system text of its own: SmolLM2's published template adds a long one that makes the small model answer worse.
/// The result of a tool is written as the person's words, as these models have no token for it.
/// </remarks>
internal sealed class ChatMlTemplate : IPromptTemplate
{
    public string Name => "chatml";

    public IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply)
    {
        var pieces = new List<PromptPiece>(messages.Count * 4 + 1);
        foreach (var message in messages)
        {
            var trained = message.Role == PromptRole.Assistant;
            pieces.Add(new($"<|im_start|>{RoleOf(message)}\n", SpecialTokens.Parse, Trained: false));
            pieces.Add(new(PromptText.Of(message), SpecialTokens.AsText, trained));
            pieces.Add(new("<|im_end|>", SpecialTokens.Parse, trained));
            pieces.Add(new("\n", SpecialTokens.Parse, Trained: false));
        }

        if (openReply)
        {
            pieces.Add(new("<|im_start|>assistant\n", SpecialTokens.Parse, Trained: false));
        }

        return pieces;
    }

    private static string RoleOf(PromptMessage message) => message.Role switch
    {
        PromptRole.System => "system",
        PromptRole.Assistant => "assistant",
        _ => "user",
    };
}
