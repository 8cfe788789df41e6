using NextGpt.Tuning.Evaluation;

namespace NextGpt.Tuning.Tests.Evaluation;

public sealed class WilsonIntervalTests
{
    // Worked out by hand with the formula of Wilson 1927 and z = 1.96.
    [Theory]
    [InlineData(0, 10, 0, 0.2775)]
    [InlineData(10, 10, 0.7225, 1)]
    [InlineData(50, 100, 0.4038, 0.5962)]
    [InlineData(1, 300, 0.0006, 0.0186)]
    public void An_interval_is_the_one_of_the_formula(int right, int count, double low, double high)
    {
        var interval = WilsonInterval.Of(right, count);

        Assert.Equal(low, interval.Low, 4);
        Assert.Equal(high, interval.High, 4);
    }

    [Fact]
    public void A_share_of_nothing_has_no_interval() => Assert.Throws<ArgumentOutOfRangeException>(() => WilsonInterval.Of(0, 0));
}
