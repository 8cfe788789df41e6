using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders;

/// <summary>
/// The networks at published size, built without memory, have exactly the names, shapes and trainable weights of the
/// approved lists (rule 7). The totals are the published parameter counts.
/// </summary>
public sealed class PublishedShapesTests
{
    private static readonly int[] Levels = [320, 640, 1280, 1280];

    [Fact]
    public void Stable_Diffusion_1_U_Net_has_the_published_weights() =>
        AssertApproved("unet-sd15", 859_520_964, new UNet2DCondition(
            UNet() with { Heads = [8, 8, 8, 8], ContextSizes = [768, 768, 768, 768] }, META));

    [Fact]
    public void Stable_Diffusion_2_U_Net_has_the_published_weights() =>
        AssertApproved("unet-sd2", 865_910_724, new UNet2DCondition(
            UNet() with { Heads = [5, 10, 20, 20], ContextSizes = [1024, 1024, 1024, 1024], LinearProjection = true }, META));

    [Fact]
    public void Stable_Diffusion_autoencoder_has_the_published_weights() =>
        AssertApproved("vae-sd", 83_653_863, new AutoencoderKL(
            new AutoencoderKLConfig { LevelChannels = [128, 256, 512, 512], BlocksPerLevel = 2 }, META));

    [Fact]
    public void Stable_Diffusion_1_text_encoder_has_the_published_weights() =>
        AssertApproved("clip-text-sd15", 123_060_480, new ClipTextEncoder(
            new ClipTextEncoderConfig
            {
                VocabularySize = 49_408,
                HiddenSize = 768,
                IntermediateSize = 3_072,
                Layers = 12,
                Heads = 12,
                QuickGelu = true,
            },
            META));

    [Fact]
    public void Stable_Diffusion_2_text_encoder_has_the_published_weights() =>
        AssertApproved("clip-text-sd2", 340_387_840, new ClipTextEncoder(
            new ClipTextEncoderConfig
            {
                VocabularySize = 49_408,
                HiddenSize = 1_024,
                IntermediateSize = 4_096,
                Layers = 23,
                Heads = 16,
            },
            META));

    [Fact]
    public void AudioLDM_large_U_Net_has_the_published_weights() =>
        AssertApproved("unet-audioldm-l", 739_139_080, new UNet2DCondition(
            new UNet2DConditionConfig
            {
                InputChannels = 8,
                OutputChannels = 8,
                SampleSize = 128,
                LevelChannels = [256, 512, 768, 1280],
                DownAttention = [false, true, true, true],
                UpAttention = [true, true, true, false],
                Heads = [8, 8, 8, 8],
                ContextSizes = [256, 512, 768, 1280],
                ClassSize = 512,
            },
            META));

    [Fact]
    public void AudioLDM_autoencoder_has_the_published_weights() =>
        AssertApproved("vae-audioldm", 55_376_873, new AutoencoderKL(
            new AutoencoderKLConfig
            {
                PictureChannels = 1,
                LatentChannels = 8,
                LevelChannels = [128, 256, 512],
                BlocksPerLevel = 2,
            },
            META));

    [Fact]
    public void AudioLDM_vocoder_has_the_published_weights() =>
        AssertApproved("vocoder-audioldm", 55_264_897, new HifiGan(
            new HifiGanConfig
            {
                Mels = 64,
                InitialChannels = 1_024,
                UpsampleRates = [5, 4, 2, 2, 2],
                UpsampleKernels = [16, 16, 8, 4, 4],
                Normalises = false,
            },
            META));

    [Fact]
    public void Zeroscope_U_Net_has_the_published_weights() =>
        AssertApproved("unet-zeroscope", 1_411_233_860, new UNet3DCondition(
            new UNet3DConditionConfig
            {
                LevelChannels = Levels,
                DownAttention = [true, true, true, false],
                UpAttention = [false, true, true, true],
            },
            META));

    // Zeroscope's autoencoder is that of Stable Diffusion, its text encoder that of Stable Diffusion 2.
    private static UNet2DConditionConfig UNet() => new()
    {
        LevelChannels = Levels,
        DownAttention = [true, true, true, false],
        UpAttention = [false, true, true, true],
        Heads = [],
        ContextSizes = [],
    };

    private static void AssertApproved(string name, long parameters, nn.Module network)
    {
        using (network)
        {
            string[] actual =
            [
                .. network.named_parameters().Select(weight => Line(weight.name, weight.parameter, "trainable")),
                .. network.named_buffers().Select(buffer => Line(buffer.name, buffer.buffer, "constant")),
            ];
            Array.Sort(actual, StringComparer.Ordinal);
            var file = Path.Combine(AppContext.BaseDirectory, "Decoders", "Approved", $"{name}.approved.txt");
            var approved = File.Exists(file) ? File.ReadAllLines(file) : [];
            if (!approved.SequenceEqual(actual))
            {
                var received = file.Replace(".approved.", ".received.", StringComparison.Ordinal);
                Directory.CreateDirectory(Path.GetDirectoryName(received)!);
                File.WriteAllLines(received, actual);
            }

            Assert.Equal(approved, actual);
            Assert.Equal(parameters, network.parameters().Sum(parameter => parameter.numel()));
        }
    }

    private static string Line(string name, Tensor tensor, string kind) =>
        $"{name} [{string.Join(", ", tensor.shape)}] {kind}";
}
