using NextGpt.Model.Decoders.Schedulers;

namespace NextGpt.Model.Decoders;

/// <summary>Options with every gap filled and every range checked.</summary>
internal sealed record RenderPlan
{
    private const int LargestSide = 2_048;
    private const int MostFrames = 64;
    private const double LongestSeconds = 60;

    internal required IReadOnlyList<long> Seeds { get; init; }

    internal required int Steps { get; init; }

    internal required double Guidance { get; init; }

    internal required SchedulerConfig Scheduler { get; init; }

    /// <summary>In pixels; null is what the U-Net was trained with.</summary>
    internal required int? Width { get; init; }

    /// <summary>In pixels; null is what the U-Net was trained with.</summary>
    internal required int? Height { get; init; }

    internal required double Seconds { get; init; }

    internal required int Frames { get; init; }

    internal required double FramesPerSecond { get; init; }

    /// <summary>Fills what the options leave out.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message says which and what is allowed.</exception>
    internal static RenderPlan Make(RenderOptions options, RenderDefaults defaults, SchedulerConfig scheduler)
    {
        var sampler = options.Sampler ?? defaults.Sampler;
        return new RenderPlan
        {
            Seeds = options.Seeds,
            Steps = Within(options.Steps ?? defaults.Steps, 1, scheduler.TrainSteps, "denoising steps"),
            Guidance = Within(options.Guidance ?? defaults.Guidance, 0, 100, "guidance"),
            Scheduler = sampler is { } kind ? scheduler with { Kind = kind } : scheduler,
            Width = Side(options.Width ?? defaults.Width, "width"),
            Height = Side(options.Height ?? defaults.Height, "height"),
            Seconds = Within(options.Seconds ?? defaults.Seconds, double.Epsilon, LongestSeconds, "seconds of sound"),
            Frames = Within(options.Frames ?? defaults.Frames, 1, MostFrames, "frames"),
            FramesPerSecond = Within(options.FramesPerSecond ?? defaults.FramesPerSecond, double.Epsilon, 60, "frames a second"),
        };
    }

    /// <summary>Height and width of a latent, with what the U-Net was trained with as the default.</summary>
    /// <param name="downscale">Pixels per latent place.</param>
    /// <param name="trainedHeight">Height of the latents of the training.</param>
    /// <param name="trainedWidth">Width of the latents of the training.</param>
    /// <exception cref="ArgumentException">A side is no multiple of <paramref name="downscale"/>.</exception>
    internal (long Height, long Width) LatentSize(int downscale, int trainedHeight, int trainedWidth) =>
        (LatentSide(Height, downscale, trainedHeight, "height"), LatentSide(Width, downscale, trainedWidth, "width"));

    private static long LatentSide(int? pixels, int downscale, int trained, string name) => pixels switch
    {
        null => trained,
        { } side when side % downscale == 0 => side / downscale,
        { } side => throw new ArgumentException(
            $"A {name} of {side} pixels is not possible with this decoder; it draws in steps of {downscale}, for example "
            + $"{Math.Max(1, (side + (downscale / 2)) / downscale) * downscale}."),
    };

    private static int? Side(int? pixels, string name) =>
        pixels is { } side ? Within(side, 1, LargestSide, $"{name} in pixels") : null;

    private static int Within(int value, int least, int most, string name) =>
        value >= least && value <= most ? value : throw new ArgumentException($"{value} {name}: {least} to {most} is possible.");

    private static double Within(double value, double least, double most, string name) =>
        value >= least && value <= most
            ? value
            : throw new ArgumentException(FormattableString.Invariant(
                $"{value} {name}: {(least > 0 && least < 1e-9 ? "above 0" : $"{least}")} to {most} is possible."));
}
