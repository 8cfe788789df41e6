using System.ComponentModel.DataAnnotations;

namespace NextGpt.ChatService;

/// <summary>How many and how large files a message may hold; pixels and seconds are limited by the reader of media.</summary>
public sealed class AttachmentOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string SectionName = "NextGpt:Attachments";

    /// <summary>Most files of one message. Default 4.</summary>
    [Range(1, 64)]
    public int MaxFilesPerMessage { get; init; } = 4;

    /// <summary>Most bytes of one file. Default 26,214,400 (25 MiB).</summary>
    [Range(1, 1_073_741_824)]
    public int MaxFileBytes { get; init; } = 26_214_400;
}
