namespace NextGpt.Media;

/// <summary>The three kinds of media beside text.</summary>
public enum MediaKind
{
    /// <summary>A still picture.</summary>
    Image,

    /// <summary>A sound.</summary>
    Audio,

    /// <summary>A clip: frames in time.</summary>
    Video,
}
