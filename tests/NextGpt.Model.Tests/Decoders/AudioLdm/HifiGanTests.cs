using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.AudioLdm;

public sealed class HifiGanTests
{
    [Theory]
    [InlineData("config.json", "out.waveform")]
    [InlineData("config.normalize_before.json", "out.waveform_normalize_before")]
    public void Sound_equals_the_reference(string config, string expected)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("hifigan");
        using var network = new HifiGan(HifiGanConfig.Load(golden.PathOf(config)));
        DiffusersWeights.Load(network, golden.Model, name => name);
        var spectrogram = golden.Tensor("in.spectrogram");

        if (expected == "out.waveform")
        {
            using (golden.Watch(network))
            {
                golden.AssertClose(expected, network.call(spectrogram));
                golden.AssertRecordedClose();
            }

            golden.AssertClose("out.waveform_unbatched", network.call(spectrogram.narrow(0, 0, 1)).squeeze(0));
            return;
        }

        golden.AssertClose(expected, network.call(spectrogram));
    }

    [Theory]
    [InlineData("weight_g", "weight_v")]
    [InlineData("parametrizations.weight.original0", "parametrizations.weight.original1")]
    public void A_weight_normalised_checkpoint_gives_the_same_sound(string length, string direction)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("hifigan");
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            WriteNormalised(golden.Model, Path.Combine(folder, "model.safetensors"), length, direction);
            File.Copy(golden.PathOf("config.json"), Path.Combine(folder, "config.json"));
            using var network = HifiGan.Load(folder);

            golden.AssertClose("out.waveform", network.call(golden.Tensor("in.spectrogram")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void The_published_pairing_of_rate_5_with_kernel_16_is_read_and_gives_a_sample_more_per_up_sampling()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var file = Path.GetTempFileName();
        try
        {
            new HifiGanConfig { Mels = 4, InitialChannels = 8, UpsampleRates = [5, 2], UpsampleKernels = [16, 4], Normalises = false }
                .Save(file);
            using var network = new HifiGan(HifiGanConfig.Load(file));

            Assert.Equal(10, network.Config.HopSamples);
            Assert.Equal([2, 62], network.call(randn(2, 6, 4)).shape);   // (6 * 5 + 1) * 2
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_length_without_its_direction_is_refused_by_name()
    {
        using var golden = GoldenFixture.Open("hifigan");
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var file = Path.Combine(folder, "model.safetensors");
            var writer = new SafetensorsWriter();
            writer.Add("conv_pre.weight_g", [16, 1, 1], new float[16]);
            writer.Save(file);

            var failure = Assert.Throws<InvalidDataException>(() => new WeightNormSource(SafetensorsFile.Open(file)));
            Assert.Contains("it needs both conv_pre.weight_g and conv_pre.weight_v", failure.Message);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void What_is_saved_is_read_again_number_for_number()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("hifigan");
        using var network = new HifiGan(HifiGanConfig.Load(golden.PathOf("config.json")));
        DiffusersWeights.Load(network, golden.Model, name => name);
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            network.Save(folder, SafetensorsType.F32);
            using var again = HifiGan.Load(folder);

            golden.AssertClose("out.waveform", again.call(golden.Tensor("in.spectrogram")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    // length = |weight| per row, direction = weight at another length.
    private static void WriteNormalised(SafetensorsFile plain, string file, string length, string direction)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, info) in plain.Tensors)
        {
            var values = new float[info.Count];
            plain.Read(name, values);
            var weight = tensor(values, [.. info.Shape]);
            if (!name.EndsWith(".weight", StringComparison.Ordinal))
            {
                writer.Add(name, weight);
                continue;
            }

            var layer = name[..^"weight".Length];
            writer.Add(layer + length, weight.square().sum([1, 2], keepdim: true).sqrt());
            writer.Add(layer + direction, weight * 3.5);
        }

        writer.Save(file);
    }
}
