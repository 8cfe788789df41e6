using NextGpt.Tuning.Contrastive;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Contrastive;

public sealed class ContrastiveLossTests
{
    [Fact]
    public void Loss_is_the_mean_of_both_directions_when_every_medium_has_one_text()
    {
        using var scope = NewDisposeScope();
        float[,] numbers = { { 2, 0 }, { 1, 3 } };

        var loss = ContrastiveLoss.Of(tensor(numbers), ContrastiveLoss.Same([7, 8], [7, 8], CPU)).item<float>();

        static double Miss(double right, double wrong) => Math.Log(1 + Math.Exp(wrong - right));
        Assert.Equal((Miss(2, 0) + Miss(3, 1) + Miss(2, 1) + Miss(3, 0)) / 4, loss, 1e-5);
    }

    [Fact]
    public void Media_of_the_same_thing_do_not_repel_each_others_texts()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(2, 2);
        logits.requires_grad = true;

        ContrastiveLoss.Of(logits, ContrastiveLoss.Same([5, 5], [5, 5], CPU)).backward();

        Assert.All(logits.grad!.data<float>().ToArray(), gradient => Assert.Equal(0, gradient, 1e-6));
    }

    [Fact]
    public void A_text_without_a_medium_only_repels()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(1, 2);
        logits.requires_grad = true;

        ContrastiveLoss.Of(logits, ContrastiveLoss.Same([5], [5, 6], CPU)).backward();

        var gradients = logits.grad!.data<float>().ToArray();
        Assert.Equal(-0.25, gradients[0], 1e-6);
        Assert.Equal(0.25, gradients[1], 1e-6);
    }
}
