using NextGpt.Media;

namespace NextGpt.ChatService;

/// <summary>A file in a message cannot be used; the message is a sentence for the person.</summary>
/// <remarks>
/// Thrown before the model is asked. Connectors throw <see cref="NotSupportedException"/> for contents they do not
/// take, so this is one; <see cref="Code"/> tells the reasons apart as the product's error catalogue does.
/// </remarks>
public sealed class MediaRefusedException : NotSupportedException
{
    internal MediaRefusedException(string code, string message, Exception? cause = null)
        : base(message, cause) =>
        Code = code;

    internal MediaRefusedException(MediaException cause)
        : this(CodeOf(cause.Problem), cause.Message, cause)
    {
    }

    /// <summary>
    /// <c>unsupported_media</c>, <c>media_mismatch</c>, <c>corrupt_media</c>, <c>image_too_large</c>,
    /// <c>media_too_long</c>, <c>file_too_large</c>, <c>too_many_files</c> or <c>url_not_allowed</c>.
    /// </summary>
    public string Code { get; }

    private static string CodeOf(MediaProblem problem) => problem switch
    {
        MediaProblem.Mismatch => "media_mismatch",
        MediaProblem.Corrupt => "corrupt_media",
        MediaProblem.TooLarge => "image_too_large",
        MediaProblem.TooLong => "media_too_long",
        MediaProblem.TooManyBytes => "file_too_large",
        _ => "unsupported_media",
    };
}
