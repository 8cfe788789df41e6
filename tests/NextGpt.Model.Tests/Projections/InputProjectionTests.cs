using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Projections;

public sealed class InputProjectionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("projection-").FullName;

    [Fact]
    public void Grouped_patches_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("nextgpt_group_projector");
        using var network = InputProjection.Load(golden.Model, InputProjectionKind.Group, heads: 4);
        network.eval();
        using var watch = golden.Watch(network);
        foreach (var (name, module) in network.named_modules().Where(named => named.module is GroupProjectionStage))
        {
            ((GroupProjectionStage)module).register_forward_hook((_, _, _, result) =>
            {
                golden.Record($"mid.{name}", result.Tokens);
                return result;
            });
        }

        var projected = network.call(golden.Tensor("in.x"));

        golden.AssertClose("out.projected", projected);
        golden.AssertRecordedClose();
    }

    [Fact]
    public void The_group_projection_of_the_published_size_has_the_published_number_of_parameters()
    {
        using var network = InputProjection.Group(new GroupProjectionConfig { InputSize = 1_024, OutputSize = 4_096 }, META);

        Assert.Equal(53_144_912, network.parameters().Sum(parameter => parameter.numel()));
        ApprovedShapes.Check("Projections/InputProjection.v2-group.approved.txt", network);
    }

    [Fact]
    public void The_linear_projection_of_the_published_delta_has_its_shape_and_names()
    {
        using var network = InputProjection.Linear(1_024, 4_096, META);

        Assert.Equal(4_198_400, network.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(["bias", "weight"], network.state_dict().Keys.Order());
    }

    [Fact]
    public void A_linear_projection_is_one_product()
    {
        using var scope = NewDisposeScope();
        using var source = Saved(writer =>
        {
            writer.Add("llama_proj.weight", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 });
            writer.Add("llama_proj.bias", [2], new float[] { 10, 20 });
        });
        using var network = InputProjection.Load(source, InputProjectionKind.Linear);

        var projected = network.call(tensor(new float[] { 1, 0, -1 }, [1, 1, 3]));

        Assert.Equal([8f, 18f], projected.data<float>().ToArray());
        Assert.Equal((3, 2), (network.FeatureSize, network.HiddenSize));
    }

    [Fact]
    public void An_mlp_bends_between_its_layers_and_counts_activations_in_its_names()
    {
        using var scope = NewDisposeScope();
        using var source = Saved(writer =>
        {
            writer.Add("0.weight", [2, 1], new float[] { 1, -1 });
            writer.Add("0.bias", [2], new float[] { 0, 0 });
            writer.Add("2.weight", [1, 2], new float[] { 1, 1 });
            writer.Add("2.bias", [1], new float[] { 0 });
        });
        using var network = InputProjection.Load(source, InputProjectionKind.Mlp);

        var projected = network.call(tensor(new float[] { 3 }, [1, 1, 1])).item<float>();

        Assert.Equal(2.9919, projected, 1e-4);   // gelu(3) + gelu(-3) = 3 · (2 Φ(3) − 1)
    }

    [Fact]
    public void A_group_projection_trains_through_its_hard_choice()
    {
        using var scope = NewDisposeScope();
        using var network = InputProjection.Group(
            new GroupProjectionConfig { InputSize = 6, OutputSize = 5, HiddenSize = 8, Heads = 2, Stages = [new(1, 4), new(1, 2), new(1, 0)] }, seed: 1);

        var projected = network.call(rand(2, 10, 6));
        projected.square().sum().backward();

        Assert.Equal([2, 2, 5], projected.shape);
        Assert.All(network.named_parameters(), named => Assert.True(named.parameter.grad is not null, named.name));
        Assert.True(network.get_parameter("layers.0.downsample.assign.k_proj.weight")!.grad!.abs().sum().item<float>() > 0);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SafetensorsFile Saved(Action<SafetensorsWriter> fill)
    {
        var writer = new SafetensorsWriter();
        fill(writer);
        var path = Path.Combine(_folder, "weights.safetensors");
        writer.Save(path);
        return SafetensorsFile.Open(path);
    }
}
