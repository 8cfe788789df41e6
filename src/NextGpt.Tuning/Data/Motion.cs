namespace NextGpt.Tuning.Data;

/// <summary>One of the ten ways in which a drawing is moved.</summary>
/// <param name="Name">As a sentence says it of one thing: <c>is bouncing</c> without the verb.</param>
/// <param name="Order">As one asks for it: <c>make it bounce</c>.</param>
/// <param name="At">Where the drawing is at a time from 0 to 1.</param>
public sealed record Motion(string Name, string Order, Func<double, MotionPose> At)
{
    private const double Reach = 0.62;

    /// <summary>All ten.</summary>
    public static IReadOnlyList<Motion> All { get; } =
    [
        new("sliding to the left", "slide to the left", time => new(X: Reach - (2 * Reach * time))),
        new("sliding to the right", "slide to the right", time => new(X: (2 * Reach * time) - Reach)),
        new("rising", "rise", time => new(Y: Reach - (2 * Reach * time))),
        new("falling", "fall", time => new(Y: (2 * Reach * time) - Reach)),
        new("bouncing", "bounce", time => new(Y: 0.45 - (0.9 * Math.Abs(Math.Sin(2 * Math.PI * time))))),
        new("spinning", "spin", time => new(Degrees: 360 * time)),
        new("swinging", "swing", time => new(Degrees: 20 * Math.Sin(2 * Math.PI * time))),
        new("growing", "grow", time => new(Scale: 0.45 + (1.0 * time))),
        new("shrinking", "shrink", time => new(Scale: 1.45 - (1.0 * time))),
        // From the end of a swing: at its middle the sixteen frames of a quick one would all find it in the same place.
        new("shaking", "shake", time => new(X: 0.12 * Math.Cos(8 * Math.PI * time))),
    ];

    /// <summary>Whether it comes back to where it began, so that quickly means more often.</summary>
    public bool Repeats => Name is "bouncing" or "spinning" or "swinging" or "shaking";

    /// <summary>Whether a thing with this motion is kept for testing: one pair of concept and motion in 25, whatever the style.</summary>
    /// <param name="concept">The thing's key.</param>
    public bool IsForTesting(string concept)
    {
        // FNV-1a: the same on every machine and in every run, unlike a string's own hash.
        var hash = 2_166_136_261u;
        foreach (var letter in concept + "/" + Name)
        {
            hash = (hash ^ letter) * 16_777_619u;
        }

        return (hash ^ (hash >> 15)) % 25 == 0;
    }

    /// <summary>Where the drawing is in a frame.</summary>
    /// <param name="frame">0..15</param>
    /// <param name="quickly">Twice as often, or done in half the time and then at rest.</param>
    public MotionPose Pose(int frame, bool quickly)
    {
        var time = frame / (Repeats ? 16.0 : 15.0);
        return At(!quickly ? time : Repeats ? time * 2 % 1 : Math.Min(1, time * 2));
    }
}

/// <summary>Where a moved drawing is.</summary>
/// <param name="X">Shift to the right in halves of the picture.</param>
/// <param name="Y">Shift downwards in halves of the picture.</param>
/// <param name="Degrees">Turn, clockwise.</param>
/// <param name="Scale">Of its size.</param>
public readonly record struct MotionPose(double X = 0, double Y = 0, double Degrees = 0, double Scale = 1)
{
    /// <summary>In the middle, upright, as large as it is.</summary>
    public MotionPose()
        : this(0, 0, 0, 1)
    {
    }
}
