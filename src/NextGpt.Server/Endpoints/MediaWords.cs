using NextGpt.Media;

namespace NextGpt.Server.Endpoints;

/// <summary>The words for kinds of media: in JSON, and for people.</summary>
internal static class MediaWords
{
    /// <summary><c>image</c>, <c>audio</c> or <c>video</c>.</summary>
    public static string NameOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "image",
        MediaKind.Audio => "audio",
        _ => "video",
    };

    /// <summary>The kind of such a word, or null.</summary>
    public static MediaKind? KindOf(string? name) => name switch
    {
        "image" => MediaKind.Image,
        "audio" => MediaKind.Audio,
        "video" => MediaKind.Video,
        _ => null,
    };

    /// <summary>What is being done while one is made, for example "Drawing a picture".</summary>
    public static string MakingOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "Drawing a picture",
        MediaKind.Audio => "Making a sound",
        _ => "Filming a clip",
    };

    /// <summary>The beginning of a file's name: <c>picture</c>, <c>sound</c> or <c>clip</c>.</summary>
    public static string FileWordOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "picture",
        MediaKind.Audio => "sound",
        _ => "clip",
    };
}
