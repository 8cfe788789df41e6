using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders.AudioLdm;

public sealed class ClapTextEncoderTests
{
    [Fact]
    public void Vector_and_states_of_a_padded_batch_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("clap_text");
        using var network = ClapTextEncoder.Load(golden.Folder);
        using var watch = golden.Watch(network, prefix: "text_model.encoder.");
        using var watchOuter = Outer(golden, network);
        var tokens = golden.Tensor("in.input_ids");
        var mask = golden.Tensor("in.attention_mask");

        var vector = network.call(tokens, mask);

        golden.AssertClose("out.text_embeds", vector);
        golden.AssertClose("out.text_embeds_normalised", nn.functional.normalize(vector, 2, -1));
        golden.AssertClose("out.last_hidden_state", network.States(tokens, mask));
        golden.AssertRecordedClose();
    }

    [Fact]
    public void Padding_to_the_longest_length_changes_the_time_and_not_the_vector()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("clap_text");
        using var network = ClapTextEncoder.Load(golden.Folder);
        var text = golden.Tensor("in.input_ids").narrow(0, 0, 1);
        var mask = golden.Tensor("in.attention_mask").narrow(0, 0, 1);
        var length = mask.sum().item<long>();
        var padded = cat([text.narrow(1, 0, length), full([1, 40 - length], 1L)], 1);
        var paddedMask = cat([ones([1, length], ScalarType.Int64), zeros([1, 40 - length], ScalarType.Int64)], 1);

        var bare = network.call(text.narrow(1, 0, length), null);

        Assert.True(bare.allclose(network.call(padded, paddedMask), 1e-4, 1e-5));
    }

    [Fact]
    public void Configuration_and_weights_survive_a_round_trip_through_a_folder()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            using var golden = GoldenFixture.Open("clap_text");
            using var network = ClapTextEncoder.Load(golden.Folder);

            network.Save(folder, SafetensorsType.F32);
            using var loaded = ClapTextEncoder.Load(folder);

            Assert.Equal(network.Config, loaded.Config);
            Assert.Equal(64, loaded.Config.MaxTokens);
            golden.AssertClose(
                "out.text_embeds", loaded.call(golden.Tensor("in.input_ids"), golden.Tensor("in.attention_mask")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void A_text_longer_than_the_positions_is_refused_with_both_numbers()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("clap_text");
        using var network = ClapTextEncoder.Load(golden.Folder);

        var refusal = Assert.Throws<ArgumentException>(() => network.call(zeros([1, 65], ScalarType.Int64), null));

        Assert.Contains("65", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("64", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void At_published_size_names_and_shapes_are_the_published_ones()
    {
        using var network = new ClapTextEncoder(
            new ClapTextEncoderConfig
            {
                VocabularySize = 50_265,
                HiddenSize = 768,
                IntermediateSize = 3_072,
                Layers = 12,
                Heads = 12,
            },
            META);

        ApprovedShapes.Check("Decoders/AudioLdm/ClapTextEncoder.approved.txt", network);
        Assert.Equal(125_302_016, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Fresh_weights_are_finite_small_and_the_same_for_the_same_seed()
    {
        using var scope = NewDisposeScope();
        using var network = new ClapTextEncoder(new ClapTextEncoderConfig
        {
            VocabularySize = 100,
            HiddenSize = 64,
            IntermediateSize = 128,
            Layers = 1,
            Heads = 4,
            ProjectionSize = 32,
        });
        network.Initialise(new Generator(3));
        var first = network.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach().clone());
        network.Initialise(new Generator(3));

        foreach (var (name, weight) in network.named_parameters())
        {
            Assert.True(weight.equal(first[name]).all().item<bool>(), name);
            Assert.True(weight.isfinite().all().item<bool>(), name);
        }

        Assert.InRange(first["text_model.encoder.layer.0.intermediate.dense.weight"].std().item<float>(), 0.018f, 0.022f);
        Assert.InRange(first["text_projection.linear1.weight"].std().item<float>(), 0.11f, 0.14f);
    }

    [Theory]
    [InlineData("text_model.embeddings.position_ids")]
    [InlineData("audio_model.audio_encoder.batch_norm.bias")]
    [InlineData("audio_projection.linear1.weight")]
    [InlineData("logit_scale_a")]
    public void What_the_whole_of_clap_holds_beside_the_text_half_is_left_out(string name) =>
        Assert.Null(ClapTextEncoder.CurrentName(name));

    [Fact]
    public void A_call_leaves_no_tensor_behind()
    {
        using var golden = GoldenFixture.Open("clap_text");
        using var network = ClapTextEncoder.Load(golden.Folder);
        using var noGradient = no_grad();

        void Call()
        {
            using var scope = NewDisposeScope();
            _ = network.call(golden.Tensor("in.input_ids"), golden.Tensor("in.attention_mask"));
        }

        Call();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Call();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    // The embedding, the pooling and the projection stand outside the encoder whose names the fixture cuts off.
    private static GoldenFixture.HookList Outer(GoldenFixture golden, nn.Module network)
    {
        var hooks = new GoldenFixture.HookList();
        foreach (var (path, module) in network.named_modules())
        {
            switch (path, module)
            {
                case ("text_model.embeddings", nn.Module<Tensor, Tensor> embeddings):
                    golden.Hook1(hooks, "mid.embeddings", embeddings);
                    break;
                case ("text_model.pooler", nn.Module<Tensor, Tensor> pooler):
                    golden.Hook1(hooks, "mid.pooler", pooler);
                    break;
                case ("text_projection", nn.Module<Tensor, Tensor> projection):
                    golden.Hook1(hooks, "mid.projection", projection);
                    break;
            }
        }

        return hooks;
    }
}
