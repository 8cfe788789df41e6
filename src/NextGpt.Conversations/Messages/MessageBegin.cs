namespace NextGpt.Conversations;

/// <summary>Whether work on a message may begin.</summary>
/// <param name="Outcome">What to do.</param>
/// <param name="Attempt">1 for the first time; counts starts that did not come to an end.</param>
/// <param name="Durable">False if the disk failed and this is known in memory only.</param>
public sealed record MessageBegin(MessageBeginOutcome Outcome, int Attempt, bool Durable);

/// <summary>What to do with a message that arrived.</summary>
public enum MessageBeginOutcome
{
    /// <summary>Work on it: nobody did, or an earlier attempt was interrupted.</summary>
    Started,

    /// <summary>It is being worked on in this process: do nothing.</summary>
    InProgress,

    /// <summary>It came to an end before: do nothing (TRN-1).</summary>
    Finished,

    /// <summary>It was interrupted twice and may be what kills the process: do not try again by itself (QUE-4).</summary>
    Quarantined,
}

/// <summary>How work on a message ended.</summary>
public enum MessageEnd
{
    /// <summary>It was answered.</summary>
    Answered = 1,

    /// <summary>It was refused or failed, and the person was told.</summary>
    Refused = 2,

    /// <summary>It was stopped.</summary>
    Stopped = 3,

    /// <summary>It was lost in a restart, and the person was told.</summary>
    LostAndTold = 4,
}

/// <summary>A message whose work was interrupted by the end of the process; its sender is to be told once.</summary>
/// <param name="MessageKey">Unique key: surface, message id, revision.</param>
/// <param name="Route">What the surface wrote down to find the place to answer; no content. May be empty.</param>
/// <param name="Attempt">Which attempt was interrupted.</param>
/// <param name="BegunAt">When that attempt began, UTC.</param>
public sealed record InterruptedMessage(string MessageKey, string Route, int Attempt, DateTimeOffset BegunAt);
