namespace NextGpt.Model.Encoders;

/// <summary>Where pieces and frames are cut out of a sound or a clip.</summary>
/// <remarks>
/// The rules of <c>ConstantClipsPerVideoSampler</c> and <c>UniformTemporalSubsample</c> of pytorchvideo, which ImageBind uses.
/// </remarks>
internal static class ClipTimes
{
    // Times are exact fractions in the reference; a place that is a whole number must not fall short of it by rounding.
    private const double Rounding = 1e-6;

    /// <summary>Starts of evenly spaced pieces in seconds; all 0 where the medium is not longer than a piece.</summary>
    /// <param name="duration">Of the whole, in seconds.</param>
    /// <param name="clipSeconds">Of a piece.</param>
    /// <param name="count">Number of pieces, 1 or more.</param>
    internal static double[] Starts(double duration, double clipSeconds, int count)
    {
        var last = Math.Max(duration - clipSeconds, 0);
        return [.. Enumerable.Range(0, count).Select(piece => piece * last / Math.Max(count - 1, 1))];
    }

    /// <summary>The sample a time falls on.</summary>
    internal static int Place(double seconds, int rate) => (int)Math.Floor((seconds * rate) + Rounding);

    /// <summary>The frames shown within a piece; at least one.</summary>
    /// <param name="start">Of the piece, in seconds.</param>
    /// <param name="clipSeconds">Of the piece.</param>
    /// <param name="framesPerSecond">Of the clip.</param>
    /// <param name="all">Number of frames of the clip.</param>
    internal static (int First, int Count) Frames(double start, double clipSeconds, double framesPerSecond, int all)
    {
        var first = Math.Min((int)Math.Ceiling((start * framesPerSecond) - Rounding), all - 1);
        var end = (long)Math.Ceiling(((start + clipSeconds) * framesPerSecond) - Rounding);
        return (first, (int)Math.Max(1, Math.Min(end, all) - first));
    }

    /// <summary>Evenly spaced places, the first and the last among them, cut to whole numbers.</summary>
    /// <param name="count">Number of frames to choose from.</param>
    /// <param name="chosen">Number of frames wanted; repeats where there are fewer.</param>
    internal static int[] Evenly(int count, int chosen)
    {
        // In float32 and from both ends, as torch.linspace counts.
        var step = chosen > 1 ? (float)(count - 1) / (chosen - 1) : 0;
        var places = new int[chosen];
        for (var index = 0; index < chosen; index++)
        {
            var place = index < chosen / 2 || chosen == 1 ? step * index : count - 1 - (step * (chosen - index - 1));
            places[index] = Math.Clamp((int)place, 0, count - 1);
        }

        return places;
    }
}
