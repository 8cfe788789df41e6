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
}
