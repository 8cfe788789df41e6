using NextGpt.Conversations;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Commands;

/// <summary>Opens the log of the settings.</summary>
internal static class LogOpening
{
    /// <summary>The log's settings; without a folder of its own it lies in the data folder.</summary>
    public static ConversationOptions OptionsOf(IConfiguration settings) =>
        WithFolder(settings).GetSection(ConversationOptions.SectionName).Get<ConversationOptions>() ?? new();

    /// <summary>The settings with the log's folder filled in.</summary>
    public static IConfiguration WithFolder(IConfiguration settings)
    {
        const string folder = $"{ConversationOptions.SectionName}:{nameof(ConversationOptions.Folder)}";
        return string.IsNullOrEmpty(settings[folder])
            ? new ConfigurationBuilder().AddConfiguration(settings)
                .AddInMemoryCollection([new(folder, Path.Combine(SharedOptions.FolderOf(settings), "conversations"))])
                .Build()
            : settings;
    }

    /// <summary>Opens it, or says why chat goes on without keeping (DEG-1).</summary>
    /// <exception cref="LogLockedException">Another process holds it.</exception>
    public static async Task<(ConversationLog? Log, string NotKeptBecause)> TryOpenAsync(
        IConfiguration settings, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            PrivateFile.MakeFolder(SharedOptions.FolderOf(settings));
            return (await ConversationLog.OpenAsync(OptionsOf(settings), time, cancellationToken), "");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException
            or LogUnavailableException or LogTooNewException)
        {
            return (null, failure.Message);
        }
    }
}
