using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class ClipTextEncoderTests
{
    [Theory]
    [InlineData("clip_text_sd15")]
    [InlineData("clip_text_sd2")]
    public void States_and_pooled_vector_equal_the_reference(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var network = new ClipTextEncoder(ClipTextEncoderConfig.Load(golden.PathOf("config.json")));
        DiffusersWeights.Load(network, golden.Model, ClipTextEncoder.CurrentName);
        using var watch = golden.Watch(network, prefix: "text_model.encoder.");
        var tokens = golden.Tensor("in.input_ids");

        var encoded = network.call(tokens);

        golden.AssertClose("out.last_hidden_state", encoded);
        golden.AssertClose("out.pooler_output", network.Pool(tokens, encoded));
        golden.AssertRecordedClose();
    }

    [Theory]
    [InlineData("clip_text_sd15")]
    [InlineData("clip_text_sd2")]
    public void One_layer_less_gives_the_penultimate_state_under_the_final_norm(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        var config = ClipTextEncoderConfig.Load(golden.PathOf("config.json"));
        using var network = new ClipTextEncoder(config with { Layers = config.Layers - 1 });
        DiffusersWeights.Load(
            network, golden.Model, name => name.Contains($".layers.{config.Layers - 1}.", StringComparison.Ordinal) ? null : name);

        golden.AssertClose("out.penultimate_normed", network.call(golden.Tensor("in.input_ids")));
    }
}
