namespace NextGpt.Conversations;

/// <summary>What became of a turn offered to the log.</summary>
public enum AppendOutcome
{
    /// <summary>On disk: flushed and acknowledged.</summary>
    Kept,

    /// <summary>The person did not allow it: nothing was written.</summary>
    NoConsent,

    /// <summary>This message key is already there: answered once.</summary>
    Duplicate,

    /// <summary>The redactor failed, so nothing was written.</summary>
    RedactionFailed,

    /// <summary>
    /// The person says to be younger than <see cref="ConversationOptions.MinimumAge"/>: nothing was written, what was kept
    /// of them is removed, and keeping is switched off until they act again.
    /// </summary>
    UnderAge,

    /// <summary>The disk failed or is full; the store reopens by itself. Say <c>not_logged</c>.</summary>
    StoreUnavailable,
}
