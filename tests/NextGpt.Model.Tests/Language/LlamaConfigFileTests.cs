using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class LlamaConfigFileTests : IDisposable
{
    private const string Plain =
        """
        "vocab_size": 128, "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 2, "num_attention_heads": 8
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_a_config_leaves_out_has_the_reference_s_defaults()
    {
        var config = Read("{" + Plain + "}");

        Assert.Equal(8, config.KeyValueHeads);
        Assert.Equal(8, config.HeadSize);
        Assert.Equal(1e-6, config.NormEpsilon);
        Assert.Equal(10_000, config.RopeBase);
        Assert.Equal(RopeScaling.None, config.RopeScaling);
        Assert.False(config.TiedHead);
        Assert.False(config.QueryKeyValueBias);
    }

    [Theory]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}", RopeScaling.Linear, 4, 10_000)]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2}", RopeScaling.Linear, 2, 10_000)]
    [InlineData("\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 500000.0}", RopeScaling.None, 1, 500_000)]
    [InlineData("\"rope_theta\": 1e6, \"rope_scaling\": null", RopeScaling.None, 1, 1_000_000)]
    [InlineData(
        """
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
        "original_max_position_embeddings": 8192}
        """,
        RopeScaling.Llama3, 8, 500_000)]
    public void Every_way_of_writing_rope_scaling_is_read(string entry, RopeScaling scaling, double factor, double ropeBase)
    {
        var config = Read("{" + Plain + "," + entry + "}");

        Assert.Equal((scaling, factor, ropeBase), (config.RopeScaling, config.RopeFactor, config.RopeBase));
    }

    [Fact]
    public void Qwen2_has_biases_on_query_key_and_value() =>
        Assert.True(Read("{\"model_type\": \"qwen2\"," + Plain + "}").QueryKeyValueBias);

    [Theory]
    [InlineData("\"model_type\": \"gemma\"", "model_type is gemma")]
    [InlineData("\"hidden_act\": \"gelu\"", "hidden_act is gelu")]
    [InlineData("\"mlp_bias\": true", "mlp_bias is true")]
    [InlineData("\"attention_bias\": true", "attention_bias is true")]
    [InlineData("\"use_sliding_window\": true", "use_sliding_window is true")]
    [InlineData("\"model_type\": \"mistral\", \"sliding_window\": 4096", "sliding_window is 4096")]
    [InlineData("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}", "rope type is yarn")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\"}", "lacks factor")]
    [InlineData("\"rope_scaling\": 3", "not a config")]
    [InlineData("\"num_key_value_heads\": 3", "cannot share 3")]
    [InlineData("\"num_key_value_heads\": 0", "key/value heads is 0")]
    [InlineData("\"head_dim\": 7", "head size 7 is odd")]
    [InlineData("\"head_dim\": 1.5", "head_dim is 1.5")]
    [InlineData("\"rms_norm_eps\": 0", "norm epsilon is 0")]
    [InlineData("\"rms_norm_eps\": \"x\"", "not a config")]
    [InlineData("\"max_position_embeddings\": -1", "context length is -1")]
    public void What_the_network_does_not_do_is_refused_by_name(string entry, string problem)
    {
        var refusal = Assert.Throws<InvalidDataException>(() => Read("{" + Plain + "," + entry + "}"));

        Assert.StartsWith(_folder, refusal.Message);
        Assert.Contains(problem, refusal.Message);
    }

    [Theory]
    [InlineData("{}", "num_attention_heads is missing")]
    [InlineData("", "not a config")]
    [InlineData("[]", "not a config")]
    [InlineData("""{"vocab_size": 128, "hidden_size": 2000000000, "intermediate_size": 1, "num_hidden_layers": 2, "num_attention_heads": 8}""", "hidden size is 2000000000")]
    [InlineData("""{"vocab_size": 128, "hidden_size": 64, "intermediate_size": 1, "num_hidden_layers": 2, "num_attention_heads": 0}""", "number of heads is 0")]
    public void A_damaged_config_is_refused(string json, string problem) =>
        Assert.Contains(problem, Assert.Throws<InvalidDataException>(() => Read(json)).Message);

    private LlamaConfig Read(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), json);
        return LlamaConfigFile.Read(_folder);
    }
}
