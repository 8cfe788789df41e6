using System.ComponentModel.DataAnnotations;

namespace NextGpt.Conversations;

/// <summary>Where conversations are kept and for how long.</summary>
public sealed class ConversationOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Conversations";

    /// <summary>Folder of the log; null (default) is <c>nextgpt/conversations</c> in the user's local data folder.</summary>
    public string? Folder { get; init; }

    /// <summary>Days a kept turn stays. Default 180.</summary>
    [Range(1, 3_650)]
    public int TurnRetentionDays { get; init; } = 180;

    /// <summary>Days media outside datasets stay. Default 30.</summary>
    [Range(1, 3_650)]
    public int MediaRetentionDays { get; init; } = 30;

    /// <summary>Days the audit trail (no content) stays. Default 365.</summary>
    [Range(1, 3_650)]
    public int AuditRetentionDays { get; init; } = 365;
}
