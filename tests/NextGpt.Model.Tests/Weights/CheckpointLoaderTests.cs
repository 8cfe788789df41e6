using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Weights;

public sealed class CheckpointLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("checkpoint-").FullName;
    private readonly nn.Module _network = nn.Sequential(("first", nn.Linear(2, 3)), ("second", nn.Linear(3, 1)));

    public void Dispose()
    {
        _network.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(SafetensorsType.F32, ScalarType.Float32)]
    [InlineData(SafetensorsType.F16, ScalarType.Float32)]
    [InlineData(SafetensorsType.BF16, ScalarType.Float32)]
    [InlineData(SafetensorsType.F16, ScalarType.Float16)]
    [InlineData(SafetensorsType.F32, ScalarType.BFloat16)]
    public void Every_parameter_gets_its_values_whatever_the_types(SafetensorsType stored, ScalarType type)
    {
        _network.to(type);
        using var source = Checkpoint(stored);

        Assert.Empty(CheckpointLoader.Fill(_network, source));

        Assert.Equal([0, 0.5f, 1, 1.5f, 2, 2.5f], Values("first.weight"));
        Assert.Equal([7], Values("second.bias"));
        Assert.All(_network.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Missing_unexpected_and_misshapen_tensors_are_all_listed_and_nothing_is_changed()
    {
        var before = Values("second.bias");
        var writer = new SafetensorsWriter();
        writer.Add("first.weight", [2, 3], new float[6]);
        writer.Add("second.bias", [1], new float[] { 99 });
        writer.Add("third.weight", [1], new float[1]);
        writer.Save(Path.Combine(_folder, "bad.safetensors"));
        using var source = SafetensorsFile.Open(Path.Combine(_folder, "bad.safetensors"));

        var refusal = Assert.Throws<InvalidDataException>(() => CheckpointLoader.Fill(_network, source));

        Assert.Contains("bad.safetensors", refusal.Message);
        Assert.Contains("2 missing: first.bias, second.weight", refusal.Message);
        Assert.Contains("1 unexpected: third.weight", refusal.Message);
        Assert.Contains("'first.weight' has the shape [2, 3], the network has [3, 2]", refusal.Message);
        Assert.Equal(before, Values("second.bias"));
    }

    [Fact]
    public void Names_are_translated_and_what_is_left_out_knowingly_is_reported()
    {
        using var source = Checkpoint(SafetensorsType.F32, prefix: "old.", extra: "rotary");

        var leftOut = CheckpointLoader.Fill(
            _network, source, name => name == "rotary" ? null : name["old.".Length..]);

        Assert.Equal(["rotary"], leftOut);
        Assert.Equal([7], Values("second.bias"));
    }

    [Fact]
    public void A_network_made_and_filled_inside_a_scope_keeps_its_weights_when_the_scope_closes()
    {
        var writer = new SafetensorsWriter();
        writer.Add("rows.weight", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 });
        var path = Path.Combine(_folder, "rows.safetensors");
        writer.Save(path);
        using var source = SafetensorsFile.Open(path);
        nn.Module network;
        using (NewDisposeScope())
        {
            network = nn.Sequential(("rows", nn.Embedding(2, 3)));
            CheckpointLoader.Fill(network, source);
        }

        using (network)
        {
            Assert.Equal([1, 2, 3, 4, 5, 6], network.state_dict()["rows.weight"].data<float>().ToArray());
        }
    }

    [Fact]
    public void Two_tensors_for_one_place_are_refused()
    {
        using var source = Checkpoint(SafetensorsType.F32, extra: "again");

        var refusal = Assert.Throws<InvalidDataException>(
            () => CheckpointLoader.Fill(_network, source, name => name == "again" ? "second.bias" : name));

        Assert.Contains("both meant for 'second.bias'", refusal.Message);
    }

    private float[] Values(string name)
    {
        using var scope = NewDisposeScope();
        return _network.state_dict()[name].to(ScalarType.Float32).data<float>().ToArray();
    }

    private SafetensorsFile Checkpoint(SafetensorsType type, string prefix = "", string? extra = null)
    {
        var writer = new SafetensorsWriter();
        writer.Add(prefix + "first.weight", [3, 2], new[] { 0, 0.5f, 1, 1.5f, 2, 2.5f }, type);
        writer.Add(prefix + "first.bias", [3], new float[] { 3, 4, 5 }, type);
        writer.Add(prefix + "second.weight", [1, 3], new float[] { 6, 6, 6 }, type);
        writer.Add(prefix + "second.bias", [1], new float[] { 7 }, type);
        if (extra is not null)
        {
            writer.Add(extra, [1], new float[] { 8 }, type);
        }

        var path = Path.Combine(_folder, "checkpoint.safetensors");
        writer.Save(path);
        return SafetensorsFile.Open(path);
    }
}
