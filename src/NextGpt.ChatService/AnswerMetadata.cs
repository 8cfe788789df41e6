namespace NextGpt.ChatService;

/// <summary>
/// The keys under which an answer tells more about itself: in <c>Metadata</c> of Semantic Kernel's messages and
/// chunks, and (those that have no typed member there) in <c>AdditionalProperties</c> of Microsoft.Extensions.AI's.
/// </summary>
public static class AnswerMetadata
{
    /// <summary><c>UsageDetails</c>: tokens in and out; over all rounds where tools were called.</summary>
    public const string Usage = "Usage";

    /// <summary>String: <c>stop</c>, <c>length</c>, <c>tool_calls</c> or <c>content_filter</c>.</summary>
    public const string FinishReason = "FinishReason";

    /// <summary>String: the id of the answer, the same on each of its chunks.</summary>
    public const string Id = "Id";

    /// <summary><c>DateTimeOffset</c>: when work on the answer began.</summary>
    public const string CreatedAt = "CreatedAt";

    /// <summary>Int64: the seed in use; the same request with it gives the same answer.</summary>
    public const string Seed = "Seed";

    /// <summary>String or null: the tuned adapter that spoke.</summary>
    public const string Adapter = "Adapter";

    /// <summary>Int32, only if above 0: oldest messages that were left out because the prompt did not fit.</summary>
    public const string TruncatedMessages = "TruncatedMessages";

    /// <summary>
    /// Boolean, present only if true: the answer repeated itself without end and was stopped there; its finish reason
    /// is <c>length</c>.
    /// </summary>
    public const string RepetitionStopped = "RepetitionStopped";

    /// <summary>
    /// List of strings, only if there are any: sentences about files of the question of which not everything was taken.
    /// </summary>
    public const string AttachmentNotices = "AttachmentNotices";

    /// <summary>
    /// String, on updates and chunks of a stream: <c>started</c>, <c>progress</c>, <c>completed</c> or <c>failed</c>.
    /// Beside it stand <see cref="MediaKind"/> and <see cref="MediaIndex"/>.
    /// </summary>
    public const string MediaStatus = "MediaStatus";

    /// <summary>String, also on each medium: <c>image</c>, <c>audio</c> or <c>video</c>, whatever the file's type.</summary>
    public const string MediaKind = "MediaKind";

    /// <summary>Int32, also on each medium: counts the media of an answer from 0, in the order they were spoken.</summary>
    public const string MediaIndex = "MediaIndex";

    /// <summary>Double, with <c>progress</c>: 0 to 1.</summary>
    public const string MediaProgress = "MediaProgress";

    /// <summary>String, with <c>failed</c>: why, as a sentence.</summary>
    public const string MediaError = "MediaError";

    /// <summary>Int32, on a medium: its place in the answer's text, in UTF-16 units.</summary>
    public const string TextOffset = "TextOffset";

    /// <summary>String, on a medium, where there is one: its alternative text.</summary>
    public const string Caption = "Caption";

    /// <summary>Int32, on a medium: denoising steps taken. The seed of its noise is <see cref="Seed"/>.</summary>
    public const string Steps = "Steps";

    /// <summary>Double, on a medium: strength of the classifier-free guidance; 1 is none.</summary>
    public const string GuidanceScale = "GuidanceScale";

    /// <summary>Int32, on a picture or clip: pixels.</summary>
    public const string Width = "Width";

    /// <summary>Int32, on a picture or clip: pixels.</summary>
    public const string Height = "Height";

    /// <summary>Double, on a sound or clip.</summary>
    public const string DurationSeconds = "DurationSeconds";

    /// <summary>Double, on a clip.</summary>
    public const string FramesPerSecond = "FramesPerSecond";

    /// <summary>What is about a moment of a stream and not about the answer.</summary>
    internal static IReadOnlyList<string> OfAMoment { get; } =
        [MediaStatus, MediaKind, MediaIndex, MediaProgress, MediaError];
}
