namespace NextGpt.Tuning;

/// <summary>Learning rate that rises in a line from 0 and falls along half a cosine to 0 (the schedule of transformers).</summary>
/// <param name="WarmupSteps">Steps of the rise, from 0 up.</param>
/// <param name="TotalSteps">Steps until 0 is reached; behind it the cosine goes on, as in the reference.</param>
public sealed record CosineSchedule(int WarmupSteps, int TotalSteps)
{
    /// <summary>What the learning rate is multiplied by.</summary>
    /// <param name="step">From 0; with a warm-up the first step has rate 0.</param>
    /// <returns>0 to 1.</returns>
    public double Factor(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (step < WarmupSteps)
        {
            return (double)step / WarmupSteps;
        }

        var progress = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
