namespace NextGpt.Tuning.Evaluation;

/// <summary>Between which two shares the true one lies, in 95 of 100 such tests.</summary>
/// <remarks>Wilson 1927, "Probable inference, the law of succession, and statistical inference"; holds for few and for extreme counts.</remarks>
/// <param name="Low">0 to 1.</param>
/// <param name="High">0 to 1.</param>
public readonly record struct WilsonInterval(double Low, double High)
{
    private const double Deviations = 1.959963984540054;

    /// <summary>The interval of a count.</summary>
    /// <param name="right">0 to <paramref name="count"/>.</param>
    /// <param name="count">1 and up.</param>
    public static WilsonInterval Of(int right, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(right);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(right, count);
        var share = (double)right / count;
        var square = Deviations * Deviations;
        var middle = share + (square / (2 * count));
        var reach = Deviations * Math.Sqrt(((share * (1 - share)) + (square / (4 * count))) / count);
        var whole = 1 + (square / count);
        return new WilsonInterval(Math.Max(0, (middle - reach) / whole), Math.Min(1, (middle + reach) / whole));
    }
}
