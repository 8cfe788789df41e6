using NextGpt.Media;

namespace NextGpt.ChatService.Attachments;

/// <summary>What turns files into media and back, as the container has it.</summary>
/// <param name="Reader">Decodes; null where none is registered.</param>
/// <param name="Writer">Encodes; null where none is registered.</param>
/// <param name="MaxFilesPerMessage">Most files of one message.</param>
/// <param name="MaxFileMegabytes">Largest file, in MiB.</param>
internal sealed record MediaFiles(
    IMediaReader? Reader, IMediaWriter? Writer, int MaxFilesPerMessage, int MaxFileMegabytes)
{
    /// <summary>Nothing registered: text goes in and out.</summary>
    public static MediaFiles None { get; } =
        new(null, null, new AttachmentOptions().MaxFilesPerMessage, new MediaFileOptions().MaxFileMegabytes);
}
