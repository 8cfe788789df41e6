using Xunit.Sdk;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests;

public sealed class GoldenFixtureTests
{
    [Fact]
    public void Equal_numbers_pass()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_untied");

        golden.AssertClose("out.logits", golden.Tensor("out.logits"));
    }

    [Fact]
    public void A_difference_is_reported_with_its_place_and_the_first_wrong_intermediate()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_untied");
        var wrong = golden.Tensor("out.logits");
        wrong[1, 2, 3] += 0.5;
        golden.Record("mid.embed_tokens", golden.Tensor("mid.embed_tokens"));
        golden.Record("mid.layers.0", golden.Tensor("mid.layers.0") + 1);
        golden.Record("mid.layers.1", golden.Tensor("mid.layers.1") + 1);

        var failure = Assert.ThrowsAny<XunitException>(() => golden.AssertClose("out.logits", wrong));

        Assert.Contains("out.logits: 1 of 3072 elements off; worst by 0.5 at [1, 2, 3]", failure.Message);
        Assert.Contains("First intermediate off: mid.layers.0:", failure.Message);
    }

    [Fact]
    public void A_wrong_shape_or_a_missing_number_is_no_match()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_untied");
        var nan = golden.Tensor("out.logits");
        nan[0, 0, 0] = float.NaN;

        Assert.ThrowsAny<XunitException>(() => golden.AssertClose("out.logits", golden.Tensor("out.logits").reshape(-1)));
        Assert.ThrowsAny<XunitException>(() => golden.AssertClose("out.logits", nan));
    }

    [Fact]
    public void Watching_records_the_results_of_the_submodules_by_their_paths()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_untied");
        using var network = nn.Sequential(("norm", nn.Identity()), ("other", nn.Identity()));
        using (golden.Watch(network))
        {
            network.call(golden.Tensor("mid.norm"));
        }

        golden.AssertRecordedClose();
    }
}
