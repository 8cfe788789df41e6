namespace NextGpt.Tuning.Optimisation;

/// <summary>How long a run goes on and how its step size moves: a short rise, then half a cosine down.</summary>
public sealed record TrainingSchedule
{
    /// <summary>Samples per step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Largest learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Share of the largest learning rate that is left at the end.</summary>
    public double FinalShare { get; init; } = 0.02;

    /// <summary>Steps of the rise.</summary>
    public int WarmUpSteps { get; init; } = 200;

    /// <summary>Steps of the whole run; null where a time is given. Only then is a resumed run exactly the unbroken one.</summary>
    public int? TotalSteps { get; init; }

    /// <summary>Time of the whole run, pauses between resumed parts not counted; null where steps are given.</summary>
    public TimeSpan? Budget { get; init; }

    /// <summary>Steps between two lines of the journal.</summary>
    public int JournalEvery { get; init; } = 50;

    /// <summary>Time between two checkpoints.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Time between two previews.</summary>
    public TimeSpan PreviewEvery { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Everything random in the run follows from it.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="share">Share of the run that is done, 0..1.</param>
    public double RateAt(int step, double share)
    {
        var rise = Math.Min(1, (step + 1.0) / Math.Max(1, WarmUpSteps));
        var fall = FinalShare + ((1 - FinalShare) * 0.5 * (1 + Math.Cos(Math.PI * Math.Clamp(share, 0, 1))));
        return LearningRate * rise * fall;
    }
}
