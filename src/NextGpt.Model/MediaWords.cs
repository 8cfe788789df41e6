using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>How sentences call the kinds of media.</summary>
internal static class MediaWords
{
    /// <summary>picture, sound, clip</summary>
    public static string One(MediaKind kind) => kind switch
    {
        MediaKind.Image => "picture",
        MediaKind.Audio => "sound",
        _ => "clip",
    };

    /// <summary>pictures, sounds, clips</summary>
    public static string Many(MediaKind kind) => One(kind) + "s";

    /// <summary>pictures and clips; nothing</summary>
    public static string List(IReadOnlyList<MediaKind> kinds) => kinds.Count switch
    {
        0 => "nothing but text",
        1 => Many(kinds[0]),
        _ => $"{string.Join(", ", kinds.SkipLast(1).Select(Many))} and {Many(kinds[^1])}",
    };
}
