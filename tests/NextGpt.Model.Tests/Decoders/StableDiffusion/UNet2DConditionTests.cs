using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class UNet2DConditionTests
{
    [Theory]
    [InlineData("unet_sd15")]
    [InlineData("unet_sd2")]
    [InlineData("unet_audioldm")]
    public void Predictions_equal_the_reference(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var network = Network(golden);
        var sample = golden.Tensor("in.sample");
        var context = golden.Io.Tensors.ContainsKey("in.encoder_hidden_states") ? golden.Tensor("in.encoder_hidden_states") : null;
        var classes = golden.Io.Tensors.ContainsKey("in.class_labels") ? golden.Tensor("in.class_labels") : null;

        using (golden.Watch(network, below: "t981."))
        {
            golden.Record("mid.t981.time_proj", UNet2DCondition.TimeProjection(
                tensor(new long[] { 981, 981 }), network.Config.LevelChannels[0], true, 0));
            var noisy = network.call(sample, tensor(new long[] { 981, 981 }), context, classes);
            golden.AssertClose("out.t981", noisy);
            golden.AssertRecordedClose();
        }

        golden.AssertClose("out.t1", network.call(sample, tensor(new long[] { 1 }), context, classes));
    }

    [Theory]
    [InlineData("unet_sd15")]
    [InlineData("unet_sd2")]
    public void Odd_sizes_and_a_time_step_per_row_equal_the_reference(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var network = Network(golden);
        var context = golden.Tensor("in.encoder_hidden_states");

        golden.AssertClose("out.odd_t500", network.call(
            golden.Tensor("in.sample_odd"), tensor(new long[] { 500 }), context.narrow(0, 0, 1), null));
        golden.AssertClose("out.timestep_batch", network.call(
            golden.Tensor("in.sample"), golden.Tensor("in.timestep_batch"), context, null));
    }

    [Fact]
    public void A_forward_and_backward_pass_leaves_no_tensor_behind()
    {
        using var golden = GoldenFixture.Open("unet_sd15");
        using var network = Network(golden);
        Step(network, golden);   // the gradients of the first step stay
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step(network, golden);
        Step(network, golden);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_missing_class_embedding_is_refused_in_a_sentence()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("unet_audioldm");
        using var network = Network(golden);

        var failure = Assert.Throws<ArgumentException>(() =>
            network.call(golden.Tensor("in.sample"), tensor(new long[] { 1 }), null, null));
        Assert.Contains("needs a class embedding", failure.Message);
    }

    [Fact]
    public void A_class_embedding_made_of_the_conditioning_is_the_mean_of_its_tokens()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("unet_sd15");
        var config = UNet2DConditionConfig.Load(golden.PathOf("config.json"));
        using var network = new UNet2DCondition(config with { ClassSize = config.ContextSizes[0], ClassFromContext = true });
        var (sample, time, context) = (golden.Tensor("in.sample"), tensor(new long[] { 5 }), golden.Tensor("in.encoder_hidden_states"));

        var made = network.call(sample, time, context, null);

        Assert.True(made.equal(network.call(sample, time, context, context.mean([1]))).all().item<bool>());
        Assert.False(made.equal(network.call(sample, time, context, zeros(context.shape[0], config.ContextSizes[0]))).all().item<bool>());
        var file = Path.GetTempFileName();
        network.Config.Save(file);
        Assert.True(UNet2DConditionConfig.Load(file).ClassFromContext);
        File.Delete(file);
    }

    private static void Step(UNet2DCondition network, GoldenFixture golden)
    {
        using var scope = NewDisposeScope();
        var prediction = network.call(
            golden.Tensor("in.sample"), tensor(new long[] { 5 }), golden.Tensor("in.encoder_hidden_states"), null);
        prediction.square().mean().backward();
    }

    private static UNet2DCondition Network(GoldenFixture golden)
    {
        var network = new UNet2DCondition(UNet2DConditionConfig.Load(golden.PathOf("config.json")));
        DiffusersWeights.Load(network, golden.Model, name => name);
        return network;
    }
}
