using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests;

public sealed class GradientClipTests
{
    [Theory]
    [InlineData(1, 0.6, 0.8)]
    [InlineData(10, 3, 4)]
    [InlineData(double.PositiveInfinity, 3, 4)]
    public void All_gradients_together_are_shortened_to_the_bound_and_short_ones_left_alone(double bound, double first, double second)
    {
        using var scope = NewDisposeScope();
        var (one, two, without) = (new Parameter(ones(1)), new Parameter(ones(1)), new Parameter(ones(1)));
        ((one * 3) + (two * 4)).backward();

        Assert.Equal(5, GradientClip.ToNorm([one, two, without], bound), 5);

        Assert.Equal(first, one.grad!.item<float>(), 5);
        Assert.Equal(second, two.grad!.item<float>(), 5);
    }

    [Fact]
    public void A_gradient_that_is_no_number_is_reported()
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(zeros(1));
        (parameter.log() * 0).backward();

        Assert.False(double.IsFinite(GradientClip.ToNorm([parameter], 1)));
    }
}
