using Microsoft.Extensions.Options;

namespace NextGpt.Conversations;

/// <summary>Rules across settings that attributes cannot state.</summary>
internal sealed class ConversationOptionsValidator : IValidateOptions<ConversationOptions>
{
    public ValidateOptionsResult Validate(string? name, ConversationOptions options)
    {
        var wrong = new List<string>();
        Check(wrong, nameof(options.Folder), options.Folder);
        Check(wrong, nameof(options.BackupFolder), options.BackupFolder);
        if (wrong.Count == 0)
        {
            var (folder, backups) = (options.FullFolder, options.FullBackupFolder);
            if (IsWithin(backups, folder) || IsWithin(folder, backups))
            {
                wrong.Add(
                    $"{ConversationOptions.SectionName}:{nameof(options.BackupFolder)} and {nameof(options.Folder)} lie within each other; give backups a folder of their own, best on another disk.");
            }
        }

        if (options.MediaRetentionDays > options.TurnRetentionDays)
        {
            wrong.Add(
                $"{ConversationOptions.SectionName}:{nameof(options.MediaRetentionDays)} is {options.MediaRetentionDays}, it must not exceed {nameof(options.TurnRetentionDays)} ({options.TurnRetentionDays}): media go with their turns.");
        }

        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static void Check(List<string> wrong, string setting, string? folder)
    {
        if (folder is null)
        {
            return;
        }

        if (string.IsNullOrWhiteSpace(folder) || folder.Contains('\0', StringComparison.Ordinal))
        {
            wrong.Add(
                $"{ConversationOptions.SectionName}:{setting} is empty or holds a NUL character; give the path of a folder or leave it out.");
        }
        else if (File.Exists(folder))
        {
            wrong.Add($"{ConversationOptions.SectionName}:{setting} names a file; give the path of a folder.");
        }
    }

    private static bool IsWithin(string inner, string outer) =>
        inner == outer || inner.StartsWith(Path.TrimEndingDirectorySeparator(outer) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
