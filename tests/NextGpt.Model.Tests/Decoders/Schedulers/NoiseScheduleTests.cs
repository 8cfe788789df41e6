using NextGpt.Model.Decoders.Schedulers;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.Schedulers;

public sealed class NoiseScheduleTests
{
    [Theory]
    [InlineData("sd")]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("audioldm")]
    public void Variances_noisy_samples_and_velocities_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("ddpm_noise");
        var schedule = Schedule(golden, name);
        var (sample, noise) = (golden.Tensor("in.sample"), golden.Tensor("in.noise"));
        var left = schedule.SignalTable(CPU).index_select(0, golden.Tensor("in.timesteps"));

        golden.AssertClose($"out.{name}.betas", tensor(schedule.Variances.Select(value => (float)value).ToArray()));
        golden.AssertClose($"out.{name}.alphas_cumprod", schedule.SignalTable(CPU));
        golden.AssertClose($"out.{name}.noisy", NoiseSchedule.AddNoise(sample, noise, left));
        golden.AssertClose($"out.{name}.velocity", NoiseSchedule.Velocity(sample, noise, left));
    }

    [Fact]
    public void Growing_noise_equals_the_form_of_the_Euler_scheduler()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("ddpm_noise");
        var left = Schedule(golden, "sd").SignalTable(CPU).index_select(0, golden.Tensor("in.timesteps"));

        golden.AssertClose(
            "out.euler_sd.noisy", NoiseSchedule.AddGrowingNoise(golden.Tensor("in.sample"), golden.Tensor("in.noise"), left));
    }

    private static NoiseSchedule Schedule(GoldenFixture golden, string name) =>
        new(SchedulerConfig.Parse(golden.Config.GetProperty(name).GetRawText(), name));
}
