using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.AudioLdm;

public sealed class AudioLdmPipelineTests
{
    private const double Seconds = 0.0475;

    [Fact]
    public void Latents_of_every_step_spectrogram_and_sound_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("audioldm_pipeline");
        using var networks = new Networks(golden);
        List<Tensor> latents = [];

        var latent = networks.Pipeline.Denoise(
            golden.Tensor("in.prompt_embeds"), golden.Tensor("in.negative_prompt_embeds"), golden.Tensor("in.latents"),
            new DiffusionRequest { Steps = 6, Guidance = 2.5 }, (_, step) => latents.Add(step.clone().DetachFromDisposeScope()));
        var spectrogram = networks.Pipeline.DecodeSpectrogram(latent);

        golden.AssertClose("mid.latents_per_step", stack(latents));
        latents.ForEach(step => step.Dispose());
        golden.AssertClose("mid.mel_spectrogram", spectrogram);
        golden.AssertClose("out.audio", networks.Pipeline.Speak(spectrogram, Seconds));
    }

    [Theory]
    [InlineData(Seconds, 12, 760)]      // 47.5 frames of 16 samples: 48 frames
    [InlineData(0.0001, 1, 1)]          // less than a frame: one latent row
    [InlineData(1.0, 250, 16_000)]      // 1,000 frames exactly
    [InlineData(1.0001, 251, 16_001)]   // one sample more: one row more
    public void A_length_is_rounded_up_to_whole_latent_rows_and_cut_to_the_sample(double seconds, long rows, int samples)
    {
        using var golden = GoldenFixture.Open("audioldm_pipeline");
        using var networks = new Networks(golden);

        Assert.Equal([8, rows, 4], networks.Pipeline.LatentShape(seconds));
        Assert.Equal(samples, networks.Pipeline.Samples(seconds));
    }

    private sealed class Networks : IDisposable
    {
        private readonly UNet2DCondition _unet;
        private readonly AutoencoderKL _autoencoder;
        private readonly HifiGan _vocoder;

        internal Networks(GoldenFixture golden)
        {
            _unet = UNet2DCondition.Load(golden.PathOf("pipeline/unet"));
            _autoencoder = AutoencoderKL.Load(golden.PathOf("pipeline/vae"));
            _vocoder = HifiGan.Load(golden.PathOf("pipeline/vocoder"));
            Pipeline = new AudioLdmPipeline(
                _unet, _autoencoder, _vocoder,
                SchedulerConfig.Load(golden.PathOf("pipeline/scheduler/scheduler_config.json")));
        }

        internal AudioLdmPipeline Pipeline { get; }

        public void Dispose()
        {
            _unet.Dispose();
            _autoencoder.Dispose();
            _vocoder.Dispose();
        }
    }
}
