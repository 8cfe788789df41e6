using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class StableDiffusionPipelineTests
{
    [Theory]
    [InlineData("pndm", "pndm", 10, 7.5)]
    [InlineData("ddim", "ddim", 5, 7.5)]
    [InlineData("dpmpp", "dpmpp", 8, 7.5)]
    [InlineData("euler_v", "euler_v", 8, 7.5)]
    [InlineData("ddim_noguidance", "ddim", 5, 1.0)]
    public void Latents_of_every_step_and_the_picture_equal_the_reference(
        string name, string scheduler, int steps, double guidance)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("sd_pipeline");
        using var unet = UNet2DCondition.Load(golden.PathOf("pipeline/unet"));
        using var autoencoder = AutoencoderKL.Load(golden.PathOf("pipeline/vae"));
        var config = SchedulerConfig.Parse(Scheduler(golden, scheduler), scheduler);
        var pipeline = new StableDiffusionPipeline(unet, autoencoder, config);
        var negative = guidance > 1 ? golden.Tensor("in.negative_prompt_embeds") : null;
        List<Tensor> latents = [];

        var latent = pipeline.Denoise(
            golden.Tensor("in.prompt_embeds"), negative, golden.Tensor("in.latents"),
            new DiffusionRequest { Steps = steps, Guidance = guidance }, (_, step) => latents.Add(step.clone().DetachFromDisposeScope()));

        golden.AssertClose($"mid.{name}.latents_per_step", stack(latents));
        latents.ForEach(step => step.Dispose());
        golden.AssertClose($"out.{name}.image", pipeline.Decode(latent).permute(0, 2, 3, 1));
    }

    // The file holds -Infinity, which only the reader under test accepts.
    private static string Scheduler(GoldenFixture golden, string name)
    {
        var text = File.ReadAllText(golden.PathOf("config.json"));
        var start = text.IndexOf('{', text.IndexOf($"\"{name}\": {{", StringComparison.Ordinal));
        return text[start..(text.IndexOf('}', start) + 1)];
    }

    [Fact]
    public void The_text_encoder_of_the_same_folder_gives_the_prompts()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("sd_pipeline");
        using var encoder = ClipTextEncoder.Load(golden.PathOf("pipeline/text_encoder"));

        golden.AssertClose("in.prompt_embeds", encoder.call(golden.Tensor("in.prompt_ids")));
        golden.AssertClose("in.negative_prompt_embeds", encoder.call(golden.Tensor("in.negative_prompt_ids")));
    }

    [Fact]
    public void A_stopped_request_stops_before_the_next_step()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("sd_pipeline");
        using var unet = UNet2DCondition.Load(golden.PathOf("pipeline/unet"));
        using var autoencoder = AutoencoderKL.Load(golden.PathOf("pipeline/vae"));
        using var stop = new CancellationTokenSource();
        var pipeline = new StableDiffusionPipeline(
            unet, autoencoder, SchedulerConfig.Load(golden.PathOf("pipeline/scheduler/scheduler_config.json")));
        var done = 0.0;
        var request = new DiffusionRequest
        {
            Steps = 10,
            Guidance = 1,
            Progress = share =>
            {
                done = share;
                stop.Cancel();
            },
        };

        Assert.Throws<OperationCanceledException>(() => pipeline.Draw(
            golden.Tensor("in.prompt_embeds"), null, golden.Tensor("in.latents"), request, stop.Token));
        Assert.InRange(done, 0.01, 0.2);
    }

    [Fact]
    public void Guidance_without_a_negative_conditioning_is_refused_in_a_sentence()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("sd_pipeline");
        using var unet = UNet2DCondition.Load(golden.PathOf("pipeline/unet"));
        using var autoencoder = AutoencoderKL.Load(golden.PathOf("pipeline/vae"));
        var pipeline = new StableDiffusionPipeline(
            unet, autoencoder, SchedulerConfig.Load(golden.PathOf("pipeline/scheduler/scheduler_config.json")));

        var failure = Assert.Throws<ArgumentException>(() => pipeline.Draw(
            golden.Tensor("in.prompt_embeds"), null, golden.Tensor("in.latents"), new DiffusionRequest()));
        Assert.Contains("Guidance needs the conditioning of an empty text", failure.Message);
    }
}
