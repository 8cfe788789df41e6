using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.TextToVideo;

public sealed class TextToVideoPipelineTests
{
    [Fact]
    public void Latents_of_every_step_and_the_frames_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("text_to_video_pipeline");
        using var unet = UNet3DCondition.Load(golden.PathOf("pipeline/unet"));
        using var autoencoder = AutoencoderKL.Load(golden.PathOf("pipeline/vae"));
        var pipeline = new TextToVideoPipeline(
            unet, autoencoder, SchedulerConfig.Load(golden.PathOf("pipeline/scheduler/scheduler_config.json")));
        List<Tensor> latents = [];

        var latent = pipeline.Denoise(
            golden.Tensor("in.prompt_embeds"), golden.Tensor("in.negative_prompt_embeds"), golden.Tensor("in.latents"),
            new DiffusionRequest { Steps = 6, Guidance = 9 }, (_, step) => latents.Add(step.clone().DetachFromDisposeScope()));

        golden.AssertClose("mid.latents_per_step", stack(latents));
        latents.ForEach(step => step.Dispose());
        var frames = pipeline.Decode(latent[0].transpose(0, 1));   // [frames, 3, height, width]
        golden.AssertClose("out.frames", frames.permute(0, 2, 3, 1).unsqueeze(0));
    }

    [Fact]
    public void The_text_encoder_of_the_same_folder_gives_the_prompts()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("text_to_video_pipeline");
        using var encoder = ClipTextEncoder.Load(golden.PathOf("pipeline/text_encoder"));

        golden.AssertClose("in.prompt_embeds", encoder.call(golden.Tensor("in.prompt_ids")));
        golden.AssertClose("in.negative_prompt_embeds", encoder.call(golden.Tensor("in.negative_prompt_ids")));
    }
}
