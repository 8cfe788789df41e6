using NextGpt.Media;

namespace NextGpt.ChatService.Attachments;

/// <summary>What turns files into media and back, as the container has it.</summary>
/// <param name="Reader">Decodes; null where none is registered.</param>
/// <param name="Writer">Encodes; null where none is registered.</param>
/// <param name="Limits">What a message may hold.</param>
internal sealed record MediaFiles(IMediaReader? Reader, IMediaWriter? Writer, AttachmentOptions Limits)
{
    /// <summary>Nothing registered: text goes in and out.</summary>
    public static MediaFiles None { get; } = new(null, null, new AttachmentOptions());
}
