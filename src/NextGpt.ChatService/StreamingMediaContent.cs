using Microsoft.SemanticKernel;

namespace NextGpt.ChatService;

/// <summary>A whole picture, sound or clip in a streamed answer; Semantic Kernel has no item of that kind.</summary>
/// <remarks>
/// A medium is never split: <see cref="ToByteArray"/> is the file. <see cref="ToString"/> is empty, because Semantic
/// Kernel joins the strings of a stream's items into the answer's text.
/// </remarks>
public sealed class StreamingMediaContent : StreamingKernelContent
{
    /// <summary>Wraps a medium.</summary>
    /// <param name="media">An <see cref="ImageContent"/>, an <see cref="AudioContent"/>, or a clip; with bytes.</param>
    /// <param name="innerContent">The update it came in.</param>
    /// <param name="choiceIndex">Always 0: an answer is one choice.</param>
    /// <param name="modelId">The model and adapter that made it.</param>
    /// <param name="metadata">What is known about it.</param>
    public StreamingMediaContent(
        BinaryContent media, object? innerContent = null, int choiceIndex = 0, string? modelId = null,
        IReadOnlyDictionary<string, object?>? metadata = null)
        : base(innerContent, choiceIndex, modelId, metadata)
    {
        ArgumentNullException.ThrowIfNull(media);
        Media = media;
    }

    /// <summary>The medium, with its bytes and type.</summary>
    public BinaryContent Media { get; }

    /// <inheritdoc/>
    public override byte[] ToByteArray() => Media.Data is { } data ? data.ToArray() : [];

    /// <inheritdoc/>
    public override string ToString() => "";
}
