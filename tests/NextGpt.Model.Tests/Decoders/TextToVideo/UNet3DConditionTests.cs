using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.TextToVideo;

public sealed class UNet3DConditionTests
{
    [Fact]
    public void Predictions_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("unet3d");
        using var network = Network(golden);
        var (sample, context) = (golden.Tensor("in.sample"), golden.Tensor("in.encoder_hidden_states"));

        using (golden.Watch(network, below: "t981."))
        {
            golden.AssertClose("out.t981", network.call(sample, tensor(new long[] { 981, 981 }), context));
            golden.AssertRecordedClose();
        }

        golden.AssertClose("out.t1", network.call(sample, tensor(new long[] { 1 }), context));
    }

    [Fact]
    public void Odd_sizes_and_a_single_frame_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("unet3d");
        using var network = Network(golden);
        var context = golden.Tensor("in.encoder_hidden_states").narrow(0, 0, 1);
        var time = tensor(new long[] { 500 });

        golden.AssertClose("out.odd_t500", network.call(golden.Tensor("in.sample_odd"), time, context));
        var one = golden.Tensor("in.sample").narrow(0, 0, 1).narrow(2, 0, 1);
        golden.AssertClose("out.one_frame_t500", network.call(one, time, context));
    }

    [Fact]
    public void A_time_step_per_clip_gives_each_clip_what_it_gets_alone()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("unet3d");
        using var network = Network(golden);
        var (sample, context) = (golden.Tensor("in.sample"), golden.Tensor("in.encoder_hidden_states"));

        var both = network.call(sample, tensor(new long[] { 981, 1 }), context);
        var second = network.call(sample.narrow(0, 1, 1), tensor(new long[] { 1 }), context.narrow(0, 1, 1));

        golden.AssertClose("out.t981", cat([both.narrow(0, 0, 1), network.call(
            sample.narrow(0, 1, 1), tensor(new long[] { 981 }), context.narrow(0, 1, 1))]));
        Assert.True(allclose(both.narrow(0, 1, 1), second, 1e-4, 5e-5));
    }

    [Fact]
    public void A_forward_and_backward_pass_leaves_no_tensor_behind()
    {
        using var golden = GoldenFixture.Open("unet3d");
        using var network = Network(golden);
        Step(network, golden);   // the gradients of the first step stay
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step(network, golden);
        Step(network, golden);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_fresh_network_treats_frames_as_if_convolutions_over_time_were_not_there()
    {
        using var golden = GoldenFixture.Open("unet3d");
        using var network = new UNet3DCondition(UNet3DConditionConfig.Load(golden.PathOf("config.json")));

        var last = network.named_parameters().Where(weight => weight.name.Contains(".conv4.3.", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(last);
        Assert.All(last, weight => Assert.Equal(0, weight.parameter.abs().max().item<float>()));
        Assert.All(network.named_parameters(), weight => Assert.False(weight.parameter.isnan().any().item<bool>(), weight.name));
    }

    [Fact]
    public void What_is_saved_is_read_again_number_for_number()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("unet3d");
        using var network = Network(golden);
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            network.Save(folder, SafetensorsType.F32);
            using var again = UNet3DCondition.Load(folder);
            var kept = again.state_dict();
            Assert.All(network.state_dict(), weight => Assert.True(weight.Value.equal(kept[weight.Key]).all().item<bool>(), weight.Key));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void A_class_made_of_the_conditioning_and_places_of_frames_change_what_is_foretold_and_are_kept_in_the_folder()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("unet3d");
        var plain = UNet3DConditionConfig.Load(golden.PathOf("config.json"));
        var config = plain with { ClassSize = plain.ContextSize, FramePositions = true };
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            using var network = new UNet3DCondition(config);
            network.Save(folder, SafetensorsType.F32);
            using var again = UNet3DCondition.Load(folder);
            Assert.Equal(config.ClassSize, again.Config.ClassSize);
            Assert.True(again.Config.FramePositions);

            using var noGradient = no_grad();
            var context = golden.Tensor("in.encoder_hidden_states").narrow(0, 0, 1);
            var frame = golden.Tensor("in.sample").narrow(0, 0, 1).narrow(2, 0, 1);
            var time = tensor(new long[] { 500 });
            var same = again.call(frame.expand(-1, -1, 4, -1, -1).contiguous(), time, context);   // four equal frames
            Assert.True(allclose(network.call(frame.expand(-1, -1, 4, -1, -1).contiguous(), time, context), same));
            Assert.False(allclose(same.narrow(2, 1, 1), same.narrow(2, 2, 1), 1e-4, 1e-5));   // each knows its place
            again.state_dict()["class_embedding.bias"].add_(1);
            Assert.False(allclose(again.call(frame, time, context), network.call(frame, time, context), 1e-4, 1e-5));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void A_class_that_is_not_made_of_the_conditioning_is_refused()
    {
        using var golden = GoldenFixture.Open("unet3d");
        var file = Path.GetTempFileName();
        File.WriteAllText(file, File.ReadAllText(golden.PathOf("config.json")).TrimStart().Insert(1, "\"class_embed_type\": \"simple_projection\","));

        var refused = Assert.Throws<InvalidDataException>(() => UNet3DConditionConfig.Load(file));

        Assert.Contains("class_embeddings_from_context", refused.Message, StringComparison.Ordinal);
        File.Delete(file);
    }

    private static void Step(UNet3DCondition network, GoldenFixture golden)
    {
        using var scope = NewDisposeScope();
        var prediction = network.call(
            golden.Tensor("in.sample"), tensor(new long[] { 5 }), golden.Tensor("in.encoder_hidden_states"));
        prediction.square().mean().backward();
    }

    private static UNet3DCondition Network(GoldenFixture golden)
    {
        var network = new UNet3DCondition(UNet3DConditionConfig.Load(golden.PathOf("config.json")));
        DiffusersWeights.Load(network, golden.Model, name => name);
        return network;
    }
}
