using NextGpt.Model.Projections;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Projections;

public sealed class OutputProjectionTests
{
    [Theory]
    [InlineData("nextgpt_output_projector")]
    [InlineData("nextgpt_text_fc_layer")]
    public void The_conditioning_equals_the_reference_under_the_names_of_both_generations(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var network = OutputProjection.Load(golden.Model);
        using var watch = golden.Watch(network);

        var projected = network.call(golden.Tensor("in.x") + golden.Tensor("in.input_embs"));

        golden.AssertClose("out.projected", projected);
    }

    [Theory]
    [InlineData("gen_text_hidden_fcs_video.0.fc.weight", "in_fc.weight")]
    [InlineData("gen_text_hidden_fcs.0.model.bias", "out_fc.bias")]
    [InlineData("model.mm_output_img_projector.out_fc.weight", "out_fc.weight")]
    [InlineData("model.weight", "out_fc.weight")]
    [InlineData("tfm.encoder.norm.weight", "tfm.encoder.norm.weight")]
    public void Names_of_whole_checkpoints_are_understood(string stored, string current) =>
        Assert.Equal(current, OutputProjection.CurrentName(stored));

    [Theory]
    [InlineData(768, 77, 31_958_784)]
    [InlineData(1_024, 77, 32_090_112)]
    [InlineData(512, 1, 31_788_544)]
    public void The_published_sizes_have_the_published_number_of_parameters(int outputSize, int queries, long parameters)
    {
        using var network = new OutputProjection(
            new OutputProjectionConfig { InputSize = 4_096, OutputSize = outputSize, Queries = queries }, META);

        Assert.Equal(parameters, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Every_name_and_shape_of_the_published_delta_is_there()
    {
        using var network = new OutputProjection(new OutputProjectionConfig { InputSize = 4_096, OutputSize = 768, Queries = 77 }, META);

        ApprovedShapes.Check("Projections/OutputProjection.v0-image.approved.txt", network);
    }

    [Fact]
    public void A_seed_decides_every_fresh_weight_and_all_of_them_train()
    {
        var config = new OutputProjectionConfig { InputSize = 6, OutputSize = 5, Queries = 3, HiddenSize = 8, IntermediateSize = 12, Heads = 2 };
        using var one = new OutputProjection(config, seed: 3);
        using var same = new OutputProjection(config, seed: 3);
        using var other = new OutputProjection(config, seed: 4);
        using var scope = NewDisposeScope();

        one.call(ones(1, 4, 6)).sum().backward();

        Assert.All(one.state_dict().Zip(same.state_dict()), pair => Assert.True(pair.First.Value.equal(pair.Second.Value).all().item<bool>()));
        Assert.False(one.get_parameter("query_embs")!.equal(other.get_parameter("query_embs")!).all().item<bool>());
        Assert.All(one.named_parameters(), named => Assert.True(named.parameter.grad is not null, named.name));
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        var config = new OutputProjectionConfig { InputSize = 6, OutputSize = 5, Queries = 3, HiddenSize = 8, IntermediateSize = 12, Heads = 2 };
        using var network = new OutputProjection(config);
        void Step()
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            network.call(ones(1, 4, 6));
        }

        Step();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Step();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_file_of_another_projection_is_refused_by_name()
    {
        using var golden = GoldenFixture.Open("nextgpt_group_projector");

        var refused = Assert.Throws<InvalidDataException>(() => OutputProjection.Load(golden.Model));

        Assert.Contains("query_embs", refused.Message, StringComparison.Ordinal);
    }
}
