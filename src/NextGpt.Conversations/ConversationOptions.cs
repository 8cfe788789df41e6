using System.ComponentModel.DataAnnotations;

namespace NextGpt.Conversations;

/// <summary>Where conversations are kept and for how long.</summary>
public sealed class ConversationOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Conversations";

    /// <summary>Folder of the log; null (default) is <c>nextgpt/conversations</c> in the user's local data folder.</summary>
    public string? Folder { get; init; }

    /// <summary>Folder of backups, best on another disk; null (default) is <c>backups</c> beside the log's folder.</summary>
    public string? BackupFolder { get; init; }

    /// <summary>Days a kept turn stays. Default 180.</summary>
    [Range(1, 3_650, ErrorMessage = "TurnRetentionDays is out of range: it must lie between 1 and 3,650 days.")]
    public int TurnRetentionDays { get; init; } = 180;

    /// <summary>Days media outside datasets stay. Default 30.</summary>
    [Range(1, 3_650, ErrorMessage = "MediaRetentionDays is out of range: it must lie between 1 and 3,650 days.")]
    public int MediaRetentionDays { get; init; } = 30;

    /// <summary>Days the audit trail (no content) stays. Default 365.</summary>
    [Range(1, 3_650, ErrorMessage = "AuditRetentionDays is out of range: it must lie between 1 and 3,650 days.")]
    public int AuditRetentionDays { get; init; } = 365;

    /// <summary>Days a backup stays in <see cref="BackupFolder"/>. Default 30, which is also the most that is allowed.</summary>
    [Range(1, 30, ErrorMessage = "BackupRetentionDays is out of range: it must lie between 1 and 30 days.")]
    public int BackupRetentionDays { get; init; } = 30;

    /// <summary>Days a message's key is remembered so that it is answered once. Default 7.</summary>
    [Range(1, 90, ErrorMessage = "MessageRetentionDays is out of range: it must lie between 1 and 90 days.")]
    public int MessageRetentionDays { get; init; } = 7;

    /// <summary>Age in years below which nothing is kept. Default 13; some countries want 16.</summary>
    [Range(13, 18, ErrorMessage = "MinimumAge is out of range: it must lie between 13 and 18 years.")]
    public int MinimumAge { get; init; } = 13;

    /// <summary>
    /// Version of the consent text in force; null (default) accepts any. With a new version a consent to an older text
    /// keeps nothing new until the person acts again.
    /// </summary>
    [StringLength(100, MinimumLength = 1, ErrorMessage = "ConsentTextVersion must have 1 to 100 characters.")]
    public string? ConsentTextVersion { get; init; }

    /// <summary>Full path of the log's folder.</summary>
    internal string FullFolder => Path.GetFullPath(Folder ?? Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "nextgpt", "conversations"));

    /// <summary>Full path of the backups' folder.</summary>
    internal string FullBackupFolder =>
        Path.GetFullPath(BackupFolder ?? Path.Combine(Path.GetDirectoryName(FullFolder) ?? FullFolder, "backups"));
}
