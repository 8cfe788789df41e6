using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.Enlarging;

public sealed class PictureEnlargerTests : IDisposable
{
    private static readonly PictureEnlargerConfig Tiny = new() { Channels = 6, Blocks = 2 };

    private readonly string _folder = Directory.CreateTempSubdirectory("enlarger-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void Its_weights_have_the_approved_names_and_shapes_and_fit_into_a_megabyte_and_a_half()
    {
        using var network = new PictureEnlarger(new PictureEnlargerConfig(), META);

        ApprovedShapes.Check("Decoders/Approved/picture-enlarger.approved.txt", network);
        Assert.InRange(network.parameters().Sum(weight => weight.numel()) * 2, 1, 1_500_000);
    }

    [Fact]
    public void A_fresh_network_adds_little_to_cubic_interpolation()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var network = new PictureEnlarger(Tiny);
        var small = Noise(1, 6, 8);

        var plain = nn.functional.interpolate(small, size: [24, 32], mode: InterpolationMode.Bicubic, align_corners: false);

        Assert.InRange((network.call(small) - plain).abs().max().item<float>(), 1e-4, 0.1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 8)]
    [InlineData(8, 7)]
    public void Sides_that_cannot_be_folded_are_enlarged_as_a_part_of_a_larger_picture_would_be(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var network = TinyPackage.Enlarger();
        var small = Noise(2, height, width);
        var whole = nn.functional.pad(small, [0, width % 2, 0, height % 2], PaddingModes.Replicate);

        var enlarged = network.call(small);
        var expected = network.call(whole).narrow(2, 0, 4 * height).narrow(3, 0, 4 * width);

        Assert.Equal([1L, 3, 4 * height, 4 * width], enlarged.shape);
        Assert.True(allclose(
            enlarged.narrow(2, 0, 1 + (4 * (height - 1) / 2)).narrow(3, 0, 1 + (4 * (width - 1) / 2)),
            expected.narrow(2, 0, 1 + (4 * (height - 1) / 2)).narrow(3, 0, 1 + (4 * (width - 1) / 2)), 1e-4, 1e-5));
    }

    [Fact]
    public void What_is_saved_is_read_again_number_for_number()
    {
        using var scope = NewDisposeScope();
        using var network = TinyPackage.Enlarger();
        network.Save(_folder, SafetensorsType.F32);

        using var again = PictureEnlarger.Load(_folder);

        Assert.Equal(network.Config, again.Config);
        var kept = again.state_dict();
        Assert.All(network.state_dict(), weight => Assert.True(weight.Value.equal(kept[weight.Key]).all().item<bool>(), weight.Key));
    }

    [Fact]
    public void A_picture_becomes_four_times_as_wide_and_high_and_the_same_each_time()
    {
        using var network = TinyPackage.Enlarger();
        var picture = TinyPackage.Picture(3);

        var (first, second) = (network.Enlarge(picture), network.Enlarge(picture));

        Assert.Equal((80, 56), (first.Width, first.Height));
        Assert.Equal(first.Pixels, second.Pixels);
        Assert.True(first.Pixels.Distinct().Count() > 8);
    }

    [Fact]
    public void A_forward_and_backward_pass_leaves_no_tensor_behind()
    {
        using var network = TinyPackage.Enlarger();
        Step(network);   // the gradients of the first step stay
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step(network);
        network.Enlarge(TinyPackage.Picture(3));

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData("channels", 0, "channels is 0; 1 to 1024 was expected")]
    [InlineData("factor", 9, "factor is 9; 2 to 8 was expected")]
    public void A_config_out_of_range_is_refused_with_the_range(string key, int value, string sentence)
    {
        var file = Path.Combine(_folder, "config.json");
        Tiny.Save(file);
        var settings = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        settings[key] = value;
        File.WriteAllText(file, settings.ToJsonString());

        Assert.Contains(sentence, Assert.Throws<InvalidDataException>(() => PictureEnlargerConfig.Load(file)).Message, StringComparison.Ordinal);
    }

    private static Tensor Noise(ulong seed, int height, int width)
    {
        using var generator = new Generator(seed);
        return rand([1, 3, height, width], generator: generator);
    }

    private static void Step(PictureEnlarger network)
    {
        using var scope = NewDisposeScope();
        network.call(Noise(1, 4, 4)).square().mean().backward();
    }
}
