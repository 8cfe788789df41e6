using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class AutoencoderKLTests
{
    [Theory]
    [InlineData("autoencoder_kl_sd", "model.safetensors")]
    [InlineData("autoencoder_kl_sd", "model.legacy_names.safetensors")]
    [InlineData("autoencoder_kl_audio", "model.safetensors")]
    [InlineData("autoencoder_kl_audio", "model.legacy_names.safetensors")]
    public void Moments_and_decoded_picture_equal_the_reference(string fixture, string weights)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var network = Network(golden, weights);
        using var watch = golden.Watch(network);

        var (mean, logVariance) = network.Encode(golden.Tensor("in.image"));
        golden.AssertClose("out.mean", mean);
        golden.AssertClose("out.logvar", logVariance);
        golden.AssertClose("out.moments", cat([mean, logVariance], 1));
        golden.AssertClose("out.sample", mean + (logVariance * 0.5).exp() * golden.Tensor("in.noise"));
        golden.AssertClose("out.decoded", network.Decode(golden.Tensor("in.latent")));
        golden.AssertRecordedClose();
        if (golden.Io.Tensors.ContainsKey("in.image_odd"))
        {
            var (oddMean, oddLogVariance) = network.Encode(golden.Tensor("in.image_odd"));
            golden.AssertClose("out.moments_odd", cat([oddMean, oddLogVariance], 1));
        }
    }

    [Fact]
    public void A_network_of_another_activation_is_refused_by_name()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(file, """{"act_fn": "mish", "block_out_channels": [8], "down_block_types": []}""");
        try
        {
            var failure = Assert.Throws<InvalidDataException>(() => AutoencoderKLConfig.Load(file));
            Assert.Contains("act_fn is mish, which is not supported; supported is silu", failure.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_fresh_weight_has_a_value_even_where_the_memory_was_dirty()
    {
        for (var poison = 0; poison < 64; poison++)
        {
            using var dirty = full([4, 64], float.NaN);   // freed at once, its memory is likely to come back
        }

        using var golden = GoldenFixture.Open("autoencoder_kl_sd");
        using var network = new AutoencoderKL(AutoencoderKLConfig.Load(golden.PathOf("config.json")));

        Assert.All(network.named_parameters(), weight => Assert.True(
            weight.parameter.isfinite().all().item<bool>(), weight.name));
        Assert.All(
            network.named_parameters().Where(weight => weight.name.Contains("norm", StringComparison.Ordinal)),
            weight => Assert.Equal(
                weight.name.EndsWith("weight", StringComparison.Ordinal) ? 1f : 0f,
                weight.parameter.abs().mean().item<float>()));
    }

    private static AutoencoderKL Network(GoldenFixture golden, string weights)
    {
        var network = new AutoencoderKL(AutoencoderKLConfig.Load(golden.PathOf("config.json")));
        using var source = SafetensorsFile.Open(golden.PathOf(weights));
        DiffusersWeights.Load(network, source, AutoencoderKL.CurrentName);
        return network;
    }
}
