namespace NextGpt.Model.Language;

/// <summary>Writes a conversation the way a model was trained to read it; for training and inference alike.</summary>
public interface IPromptTemplate
{
    /// <summary>The name in settings and manifests, for example <c>chatml</c>.</summary>
    string Name { get; }

    /// <summary>The pieces of a conversation in order.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="openReply">True for inference: ends where the model's reply begins.</param>
    IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply);
}

/// <summary>A run of a written conversation.</summary>
/// <param name="Text">The text.</param>
/// <param name="Specials">Parse for the template's own marks, AsText for what somebody said.</param>
/// <param name="Trained">Whether the tuning loss covers it (the assistant's words and their end mark).</param>
public sealed record PromptPiece(string Text, SpecialTokens Specials, bool Trained);
