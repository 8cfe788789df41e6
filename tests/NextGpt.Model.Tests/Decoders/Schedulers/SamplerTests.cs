using NextGpt.Model.Decoders.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.Schedulers;

public sealed class SamplerTests
{
    public static TheoryData<string> Cases { get; } =
    [
        "ddim_eps", "ddim_v", "ddim_eps_eta1", "ddim_eps_trailing", "ddim_v_zsnr_trailing", "ddim_clip_linear_betas",
        "ddim_audioldm", "pndm_eps", "pndm_v", "dpmpp_1m_eps", "dpmpp_2m_eps", "dpmpp_3m_eps", "dpmpp_2m_v",
        "dpmpp_2m_heun_eps", "dpmpp_2m_karras_eps", "dpmpp_2m_leading_eps", "euler_eps", "euler_v", "euler_eps_leading",
        "euler_eps_karras",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Time_steps_equal_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("schedulers");
        foreach (var steps in new[] { 10, 25, 50 })
        {
            using var sampler = Sampler.Create(Config(golden, name), steps);
            golden.AssertClose(
                $"out.{name}.timesteps_{steps}", tensor(sampler.Timesteps.Select(time => (float)time).ToArray()));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_step_of_a_run_equals_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("schedulers");
        using var sampler = Sampler.Create(Config(golden, name), 10);
        var phase = golden.Tensor("in.phase");
        var sample = golden.Tensor("in.unit_noise") * sampler.InitialNoiseScale;
        golden.AssertClose($"out.{name}.init_noise_sigma", tensor((float)sampler.InitialNoiseScale));
        List<Tensor> trajectory = [sample], inputs = [];

        for (var index = 0; index < sampler.Timesteps.Count; index++)
        {
            var time = sampler.Timesteps[index];
            var input = sampler.ScaleInput(sample, index);
            var prediction = input.tanh() * (0.6 + (0.3 * Math.Cos(time / 150))) + 0.2 * (phase + 0.01 * time).sin();
            sample = sampler.Step(prediction, sample, index, golden.Tensor("in.variance_noise")[Math.Min(index, 9)]);
            inputs.Add(input);
            trajectory.Add(sample);
        }

        golden.AssertClose($"out.{name}.model_inputs", stack(inputs));
        golden.AssertClose($"out.{name}.trajectory", stack(trajectory));
    }

    [Fact]
    public void A_finished_run_leaves_no_tensor_behind()
    {
        using var golden = GoldenFixture.Open("schedulers");
        Run(golden, "dpmpp_3m_eps");
        Run(golden, "pndm_eps");
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Run(golden, "dpmpp_3m_eps");
        Run(golden, "pndm_eps");

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void More_steps_than_were_trained_are_refused()
    {
        using var golden = GoldenFixture.Open("schedulers");
        var failure = Assert.Throws<ArgumentOutOfRangeException>(() => Sampler.Create(Config(golden, "ddim_eps"), 1_001));
        Assert.Contains("at most as many steps", failure.Message);
    }

    private static void Run(GoldenFixture golden, string name)
    {
        using var scope = NewDisposeScope();
        using var sampler = Sampler.Create(Config(golden, name), 6);
        var sample = ones(1, 4, 2, 2);
        for (var index = 0; index < sampler.Timesteps.Count; index++)
        {
            sample = sampler.Step(sample * 0.1, sample, index);
        }
    }

    private static SchedulerConfig Config(GoldenFixture golden, string name)
    {
        var config = SchedulerConfig.Parse(golden.Config.GetProperty(name).GetRawText(), name);
        return name.EndsWith("eta1", StringComparison.Ordinal) ? config with { Eta = 1 } : config;
    }
}
