namespace NextGpt.Media.Pictures;

/// <summary>What becomes of a frame's place before the next frame is drawn.</summary>
internal enum Disposal
{
    /// <summary>It stays.</summary>
    Keep,

    /// <summary>It becomes transparent.</summary>
    Clear,

    /// <summary>It becomes what it was before the frame.</summary>
    Restore,
}

/// <summary>One frame of an animated GIF or WebP, found but not decoded.</summary>
/// <param name="Left">First column on the canvas.</param>
/// <param name="Top">First row on the canvas.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Duration">How long it is shown, above zero.</param>
/// <param name="Disposal">What becomes of its place afterwards.</param>
/// <param name="Blends">Whether transparent pixels show what is below; otherwise the frame replaces everything.</param>
/// <param name="File">The frame alone as a file of its own that a decoder for still pictures reads.</param>
internal sealed record AnimationFrame(
    int Left, int Top, int Width, int Height, TimeSpan Duration, Disposal Disposal, bool Blends, Lazy<byte[]> File);

/// <summary>A GIF or WebP file, taken apart but not decoded.</summary>
/// <param name="Header">Canvas and orientation.</param>
/// <param name="Frames">At least one.</param>
internal sealed record Animation(PictureHeader Header, IReadOnlyList<AnimationFrame> Frames)
{
    /// <summary>Of all frames together.</summary>
    public TimeSpan Duration => TimeSpan.FromTicks(Frames.Sum(frame => frame.Duration.Ticks));

    /// <summary>Checks it as a picture if it has one frame, else as a clip; nothing is decoded.</summary>
    /// <exception cref="MediaException">It is too large, too long or too fast.</exception>
    public void Check(string subject, MediaFileOptions limits)
    {
        if (Frames.Count == 1)
        {
            Decoding.Refusal.CheckSize(subject, Header.Width, Header.Height, limits);
        }
        else
        {
            Decoding.Refusal.CheckClip(
                subject, Header.Width, Header.Height, Duration, Frames.Count / Duration.TotalSeconds, limits);
        }
    }
}
