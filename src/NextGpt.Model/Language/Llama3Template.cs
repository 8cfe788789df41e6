namespace NextGpt.Model.Language;

/// <summary>Llama 3 (Meta's model card): a header of special tokens before every message, its text trimmed.</summary>
internal sealed class Llama3Template : IPromptTemplate
{
    public string Name => "llama3";

    public IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply)
    {
        var pieces = new List<PromptPiece>(messages.Count * 3 + 1);
        foreach (var message in messages)
        {
            var trained = message.Role == PromptRole.Assistant;
            pieces.Add(Header(RoleOf(message)));
            pieces.Add(new(PromptText.Of(message).Trim(), SpecialTokens.AsText, trained));
            pieces.Add(new("<|eot_id|>", SpecialTokens.Parse, trained));
        }

        if (openReply)
        {
            pieces.Add(Header("assistant"));
        }

        return pieces;
    }

    private static PromptPiece Header(string role) =>
        new($"<|start_header_id|>{role}<|end_header_id|>\n\n", SpecialTokens.Parse, Trained: false);

    private static string RoleOf(PromptMessage message) => message.Role switch
    {
        PromptRole.System => "system",
        PromptRole.Assistant => "assistant",
        PromptRole.Tool => "ipython",
        _ => "user",
    };
}
