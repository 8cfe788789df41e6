using System.Globalization;

namespace NextGpt.Media.Clips;

/// <summary>How much of a clip is kept in memory: how many frames, how large.</summary>
/// <param name="Width">Columns of a kept frame.</param>
/// <param name="Height">Rows of a kept frame.</param>
/// <param name="Frames">Kept frames, evenly in time.</param>
/// <param name="FramesPerSecond">Their pace.</param>
/// <param name="Notice">A sentence where that is less than the file holds, or null.</param>
internal sealed record ClipPlan(int Width, int Height, int Frames, double FramesPerSecond, string? Notice)
{
    /// <summary>Frames are not made smaller than this on their short side; the encoders look at 224.</summary>
    private const int LeastSide = 288;

    /// <param name="width">Columns in the file.</param>
    /// <param name="height">Rows in the file.</param>
    /// <param name="frames">Pictures at an even pace that would show everything.</param>
    /// <param name="distinct">Pictures the file holds; fewer than <paramref name="frames"/> if some stand longer.</param>
    /// <param name="duration">Of the whole clip.</param>
    /// <param name="limits">How much may be kept.</param>
    public static ClipPlan For(int width, int height, int frames, int distinct, TimeSpan duration, MediaFileOptions limits)
    {
        var kept = Math.Clamp(frames, 1, limits.MaxClipFrames);
        var pixels = limits.MaxClipMegabytes * 1024L * 1024 / 3;
        var (keptWidth, keptHeight) = (width, height);
        if ((long)width * height * kept > pixels)
        {
            var scale = Math.Min(1, Math.Max(
                Math.Sqrt((double)pixels / kept / width / height), (double)LeastSide / Math.Min(width, height)));
            keptWidth = Math.Max(1, (int)(width * scale));
            keptHeight = Math.Max(1, (int)(height * scale));
            kept = (int)Math.Clamp(pixels / ((long)keptWidth * keptHeight), 1, kept);
        }

        var isSmaller = (keptWidth, keptHeight) != (width, height);
        FormattableString? notice = (kept < distinct && kept < frames, isSmaller) switch
        {
            (true, true) => $"Of its {distinct:N0} frames {kept} are used, evenly in time, at {keptWidth} x {keptHeight} px.",
            (true, false) => $"Of its {distinct:N0} frames {kept} are used, evenly in time.",
            (false, true) => $"Its frames are used at {keptWidth} x {keptHeight} px.",
            _ => null,
        };
        return new ClipPlan(
            keptWidth, keptHeight, kept, kept / duration.TotalSeconds, notice?.ToString(CultureInfo.InvariantCulture));
    }
}
