using System.ComponentModel.DataAnnotations;

namespace NextGpt.ChatService;

/// <summary>How many files a message may hold; what one file may be is a setting of the reader (<c>NextGpt:Media</c>).</summary>
public sealed class AttachmentOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string SectionName = "NextGpt:Attachments";

    /// <summary>
    /// Most files of one message. Default 16; a host has its own, lower limit for people, this one is for programs.
    /// </summary>
    [Range(1, 64)]
    public int MaxFilesPerMessage { get; init; } = 16;
}
