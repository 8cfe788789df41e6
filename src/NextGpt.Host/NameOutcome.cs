namespace NextGpt.Host;

/// <summary>What became of a name for a conversation.</summary>
public enum NameOutcome
{
    /// <summary>There is no such conversation of this person.</summary>
    NoSuchConversation,

    /// <summary>It holds for as long as the conversation is in memory.</summary>
    Remembered,

    /// <summary>It is in the log, for as long as a turn of the conversation is.</summary>
    Kept,
}
