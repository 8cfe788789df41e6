using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Optimisation;

public sealed class FlatAdamWTests
{
    [Fact]
    public void Steps_equal_those_of_the_librarys_AdamW_with_clipping()
    {
        using var scope = NewDisposeScope();
        using var ours = Network(1);
        using var theirs = Network(1);
        var input = randn([16, 6], generator: new Generator(5));
        using var flat = new FlatAdamW(ours.named_parameters(), new FlatAdamWOptions { WeightDecay = 0, MaxGradientNorm = 0.5 });
        using var reference = optim.AdamW(theirs.parameters(), 1e-2, 0.9, 0.99, 1e-8, 0);

        for (var step = 0; step < 5; step++)
        {
            ours.call(input).square().mean().backward();
            flat.Step(1e-2);
            theirs.call(input).square().mean().backward();
            nn.utils.clip_grad_norm_(theirs.parameters(), 0.5);
            reference.step();
            reference.zero_grad();
        }

        foreach (var (one, other) in ours.parameters().Zip(theirs.parameters()))
        {
            Assert.True(one.allclose(other, rtol: 1e-4, atol: 1e-6));
        }
    }

    [Fact]
    public void Weights_decay_towards_zero_but_biases_do_not()
    {
        using var scope = NewDisposeScope();
        using var network = Network(1);
        using var flat = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions { WeightDecay = 0.1 });
        var before = network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.detach().clone());

        flat.Step(0.5);   // no gradients at all

        foreach (var (name, parameter) in network.named_parameters())
        {
            var expected = name.EndsWith("bias", StringComparison.Ordinal) ? before[name] : before[name] * 0.95;
            Assert.True(parameter.allclose(expected, rtol: 1e-5, atol: 1e-7), name);
        }
    }

    [Fact]
    public void A_gradient_that_is_not_a_number_changes_no_weight_and_is_counted()
    {
        using var scope = NewDisposeScope();
        using var network = Network(1);
        using var flat = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions { WeightDecay = 0 });
        var before = network.parameters().Select(parameter => parameter.detach().clone()).ToList();

        (network.call(ones(2, 6)) * float.NaN).sum().backward();
        flat.Step(1e-2);

        Assert.Equal(1, flat.ReadHealth(1).Skipped);
        Assert.All(before.Zip(network.parameters()), pair => Assert.True(pair.First.eq(pair.Second).all().item<bool>()));
    }

    [Fact]
    public void The_average_is_in_the_network_only_while_it_is_used()
    {
        using var scope = NewDisposeScope();
        using var network = Network(1);
        using var flat = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions());
        for (var step = 0; step < 3; step++)
        {
            network.call(ones(2, 6)).square().mean().backward();
            flat.Step(1e-2);
        }

        var trained = network.parameters().First().detach().clone();
        using (flat.UseAverage())
        {
            Assert.False(trained.allclose(network.parameters().First()));
        }

        Assert.True(trained.eq(network.parameters().First()).all().item<bool>());
    }

    private static nn.Module<Tensor, Tensor> Network(int seed)
    {
        using var generator = manual_seed(seed);
        return nn.Sequential(("first", nn.Linear(6, 8)), ("act", nn.Tanh()), ("last", nn.Linear(8, 3)));
    }
}
