using NextGpt.Model.Language.Quantized;

namespace NextGpt.Model.Tests.Language.Quantized;

public sealed unsafe class ActivationsTests
{
    [Fact]
    public void Numbers_are_off_by_at_most_half_a_fine_step_and_sums_are_exact()
    {
        const int Columns = 70;   // two blocks and a piece
        var input = PanelKernelsTests.Input(3, Columns, seed: 1);
        input[5] = 0.5f * input[..32].Max(Math.Abs);
        using var activations = PanelKernelsTests.Quantised(input, 3, Columns, plain: true);

        for (var token = 0; token < 3; token++)
        {
            for (var block = 0; block < 3; block++)
            {
                var at = (token * activations.BlockStride) + block;
                var bytes = activations.Of(token) + (block * Activations.BlockBytes);
                var count = 0;
                for (var index = 0; index < 32; index++)
                {
                    Assert.InRange(bytes[index], -127, 127);
                    Assert.InRange(bytes[32 + index], -127, 127);
                    var number = (bytes[index] * Activations.FineSteps) + bytes[32 + index];
                    var column = (block * 32) + index;
                    var expected = column < Columns ? input[(token * Columns) + column] : 0;
                    Assert.Equal(expected, number * activations.Scales[at], (0.5001f * activations.Scales[at]) + 1e-12f);
                    Assert.Equal(expected, activations.Plain[(token * activations.Stride) + column]);
                    count += number;
                }

                Assert.Equal(count, activations.Counts[at]);
                Assert.Equal(activations.Scales[at] * count, activations.Sums[at]);
            }
        }
    }

    [Fact]
    public void A_block_of_zeros_stays_zero()
    {
        using var activations = PanelKernelsTests.Quantised(new float[32], 1, 32, plain: false);

        Assert.Equal((0, 0, 0), (activations.Scales[0], activations.Sums[0], activations.Counts[0]));
        Assert.Equal(0, activations.Of(0)[31]);
    }
}
