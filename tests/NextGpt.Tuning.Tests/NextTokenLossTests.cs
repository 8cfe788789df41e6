using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests;

public sealed class NextTokenLossTests
{
    [Fact]
    public void A_row_that_counts_nothing_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { 1, 0, 0, 2, 0, 0, 0, 0, 9, 0, 9, 0 }, 2, 3, 2);
        var labels = tensor(new long[] { -100, 0, 1, -100, 1, 0 }, 2, 3);

        var both = NextTokenLoss.Mean(logits, labels, tensor(new float[] { 1, 0 })).item<float>();
        var alone = NextTokenLoss.Mean(logits.narrow(0, 0, 1), labels.narrow(0, 0, 1)).item<float>();
        var expected = (Math.Log(1 + Math.Exp(-1)) + Math.Log(1 + Math.Exp(-2))) / 2;

        Assert.Equal(expected, alone, 5);
        Assert.Equal(alone, both, 6);
    }

    [Fact]
    public void A_row_of_weight_two_counts_twice()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { 1, 0, 0, 0, 0, 3, 0, 0 }, 2, 2, 2);
        var labels = tensor(new long[] { -100, 0, -100, 0 }, 2, 2);
        var (first, second) = (Math.Log(1 + Math.Exp(-1)), Math.Log(1 + Math.Exp(3)));

        var loss = NextTokenLoss.Mean(logits, labels, tensor(new float[] { 1, 2 })).item<float>();

        Assert.Equal((first + (2 * second)) / 3, loss, 5);
    }

    [Fact]
    public void A_batch_without_labels_is_refused_and_not_a_loss_of_nothing()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(1, 2, 4);

        Assert.Throws<ArgumentException>(() => NextTokenLoss.Mean(logits, tensor(new long[] { -100, -100 }, 1, 2)));
        Assert.Throws<ArgumentException>(() => NextTokenLoss.Mean(logits, tensor(new long[] { 3, -100 }, 1, 2)));
        Assert.Throws<ArgumentException>(() => NextTokenLoss.Mean(logits, tensor(new long[] { 3, 3, 3 }, 1, 3)));
    }
}
