namespace NextGpt.Model.Language;

/// <summary>Writes a conversation the way a model was trained to read it; for training and inference alike.</summary>
public interface IPromptTemplate
{
    /// <summary>The name in settings and manifests, for example <c>chatml</c>.</summary>
    string Name { get; }

    /// <summary>The system text the model was trained with, used where neither request nor settings have one; empty is none.</summary>
    string DefaultSystemText => "";

    /// <summary>Texts that end a reply beside the end tokens, where the template's marks are plain text.</summary>
    IReadOnlyList<string> StopTexts => [];

    /// <summary>The pieces of a conversation in order.</summary>
    /// <remarks>
    /// A change from untrained to trained and back is a hard border for the tokenizer, so that a prompt for inference is
    /// exactly the beginning of the same conversation written for training.
    /// </remarks>
    /// <param name="messages">The conversation.</param>
    /// <param name="openReply">True for inference: ends where the model's reply begins.</param>
    IReadOnlyList<PromptPiece> Write(IReadOnlyList<PromptMessage> messages, bool openReply);
}

/// <summary>A run of a written conversation.</summary>
/// <param name="Text">The text.</param>
/// <param name="Specials">Parse for the template's own marks, AsText for what somebody said.</param>
/// <param name="Trained">Whether the tuning loss covers it (the assistant's words and their end mark).</param>
public sealed record PromptPiece(string Text, SpecialTokens Specials, bool Trained);
