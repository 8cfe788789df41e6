using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class SmallMapConvolutionTests
{
    [Theory]
    [InlineData(2, 5, 7, 4, 4)]
    [InlineData(1, 340, 350, 2, 3)]   // over a million weights on a few places: the product is taken
    [InlineData(3, 4, 4, 9, 8)]
    public void A_small_map_gives_what_the_convolution_gives(long batch, int channels, int outputs, long height, long width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var noGradient = no_grad();
        using var convolution = nn.Conv2d(channels, outputs, 3, padding: 1);
        var input = randn([batch, channels, height, width], generator: generator);
        var expected = convolution.call(input);

        Assert.True(allclose(SmallMapConvolution.Call(convolution, input), expected, 1e-4, 1e-5));
        Assert.True(allclose(SmallMapConvolution.Product(convolution, input, batch, height, width), expected, 1e-4, 1e-5));
    }

    [Fact]
    public void Gradients_pass_through_the_product_and_nothing_is_left_behind()
    {
        using var convolution = nn.Conv2d(340, 350, 3, padding: 1);
        Step();   // the gradients of the first step stay
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step();

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.True(convolution.weight.grad!.abs().max().item<float>() > 0);

        void Step()
        {
            using var scope = NewDisposeScope();
            SmallMapConvolution.Call(convolution, ones(1, 340, 2, 2)).sum().backward();
        }
    }
}
