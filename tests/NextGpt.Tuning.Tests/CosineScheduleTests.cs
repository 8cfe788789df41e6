using NextGpt.Model.Tests;

namespace NextGpt.Tuning.Tests;

public sealed class CosineScheduleTests
{
    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 4)]
    [InlineData(3, 20)]
    public void Factors_are_those_of_the_reference_also_past_the_end(int warmup, int total)
    {
        using var golden = GoldenFixture.Open("llama_sft");
        var wanted = golden.Floats($"out.cosine_lr.warmup{warmup}_total{total}");
        var schedule = new CosineSchedule(warmup, total);

        for (var step = 0; step < wanted.Length; step++)
        {
            Assert.Equal(wanted[step], schedule.Factor(step), 1e-6);
        }
    }

    [Fact]
    public void A_step_before_the_first_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineSchedule(1, 2).Factor(-1));
}
