using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NextGpt.Model.Language;
using NextGpt.Model.Tests.Language;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests;

/// <summary>Checkpoints in Hugging Face layout, tiny and random: what is read, and what is said when it cannot be.</summary>
public sealed class LanguageModelLoaderTests : IDisposable
{
    private const int Vocabulary = 423;
    private readonly string _folder = Directory.CreateTempSubdirectory("tiny-chat").FullName;

    public LanguageModelLoaderTests()
    {
        File.Copy(
            Path.Combine(TokenizerGolden.Folder("tokenizer_byte_bpe"), "smollm2.tokenizer.json"), At("tokenizer.json"));
        File.WriteAllText(At("tokenizer_config.json"), """
            {"chat_template": "{{'<|im_start|>' + message['role']}}", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
            """);
        File.WriteAllText(At("generation_config.json"), """{"temperature": 0.9, "top_k": 5, "eos_token_id": [2]}""");
        WriteConfig(Vocabulary);
        WriteWeights();
    }

    [Fact]
    public async Task A_folder_speaks_with_its_own_template_and_its_recommended_sampling()
    {
        await using var thread = Thread();

        var events = await Ask(thread, Hello with { Seed = 3, MaxTokens = 20 });
        var again = await Ask(thread, Hello with { Seed = 3, MaxTokens = 20 });
        var greedy = await Ask(thread, Hello with { Seed = 3, MaxTokens = 20, Sampling = new() { Temperature = 0 } });

        Assert.Equal(Path.GetFileName(_folder), events.OfType<GenerationStarted>().Single().ModelId);
        Assert.Equal(
            new PromptBuilder(TokenizerGolden.ByteBpe("smollm2"), new ChatMlTemplate()).Build(Hello.Messages, true).Tokens.Count,
            events.OfType<GenerationStarted>().Single().PromptTokens);
        Assert.Equal(TextOf(events), TextOf(again));
        Assert.NotEqual(TextOf(events), TextOf(greedy));   // the recommended temperature is not 0
    }

    [Theory]
    [InlineData("config.json", "", "config.json")]
    [InlineData("config.json", "{\"model_type\": \"bert\"}", "bert")]
    [InlineData("tokenizer.json", "{\"model\"", "tokenizer.json is not a usable tokenizer")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}", "its model is Unigram, only BPE is read")]
    [InlineData("tokenizer_config.json", "{\"chat_template\": \"[INST]\"}", "NextGpt:Model:Template")]
    [InlineData("tokenizer_config.json", "[", "tokenizer_config.json is damaged")]
    [InlineData("generation_config.json", "{\"temperature\": 9}", "temperature is 9, it must lie between 0 and 2.")]
    [InlineData("model.safetensors", "", "model.safetensors")]
    public async Task A_damaged_or_foreign_file_is_refused_by_name(string file, string content, string part)
    {
        File.WriteAllText(At(file), content);

        Assert.Contains(part, await Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_a_tokenizer_is_refused()
    {
        File.Delete(At("tokenizer.json"));

        Assert.Contains("holds neither tokenizer.model nor tokenizer.json", await Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tokenizer_of_another_model_is_refused()
    {
        WriteConfig(Vocabulary - 10);

        Assert.Contains("the files belong to different models", await Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tensor_that_is_missing_or_too_many_is_named()
    {
        WriteWeights("model.layers.1.self_attn.q_proj.weight");
        Assert.Contains("model.layers.1.self_attn.q_proj.weight", await Failure(), StringComparison.Ordinal);

        WriteWeights(extra: "model.layers.2.mlp.up_proj.weight");
        Assert.Contains("model.layers.2.mlp.up_proj.weight", await Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weights_that_compute_no_numbers_are_found_before_anybody_asks()
    {
        WriteWeights(poison: "model.layers.1.mlp.down_proj.weight");

        Assert.Contains("the weights are damaged", await Failure(), StringComparison.Ordinal);
    }

    [Fact]
    public void Registration_takes_the_settings_of_the_configuration_and_reads_no_file()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:Model:Path"] = "/nowhere/some-model.gguf",
            ["NextGpt:Model:MaxContextTokens"] = "1024",
        }).Build();
        using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration).AddNextGptModel().BuildServiceProvider();

        var thread = services.GetRequiredService<ModelThread>();

        Assert.Same(thread, services.GetRequiredService<IGenerator>());
        Assert.Equal("some-model", thread.ModelId);
        Assert.Equal(ModelState.NotLoaded, thread.Status.State);
        Assert.Equal(1_024, services.GetRequiredService<IOptions<ModelOptions>>().Value.MaxContextTokens);
    }

    [Theory]
    [InlineData("Device", "gpu", "NextGpt:Model:Device must be auto, cpu or cuda:N")]
    [InlineData("Template", "alpaca", "NextGpt:Model:Template must be chatml, llama3, vicuna-v1.1 or vicuna-v0.")]
    [InlineData("MaxContextTokens", "3", "MaxContextTokens")]
    [InlineData("PrefixCacheMegabytes", "-1", "PrefixCacheMegabytes")]
    public void A_wrong_setting_is_refused_by_name(string setting, string value, string sentence)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { [$"NextGpt:Model:{setting}"] = value }).Build();
        using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration).AddNextGptModel().BuildServiceProvider();

        var failure = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<ModelThread>());

        Assert.Contains(sentence, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_configuration_the_embedded_model_is_registered()
    {
        using var services = new ServiceCollection().AddNextGptModel().BuildServiceProvider();

        Assert.Equal("SmolLM2-135M-Instruct.Q4_1", services.GetRequiredService<IGenerator>().ModelId);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static GenerationRequest Hello => new() { Messages = [PromptMessage.Of(PromptRole.User, "hello")] };

    private string At(string file) => Path.Combine(_folder, file);

    private ModelThread Thread() => new ServiceCollection()
        .AddNextGptModel(new ModelOptions { Device = "cpu", Path = _folder }).BuildServiceProvider()
        .GetRequiredService<ModelThread>();

    private async Task<string> Failure()
    {
        await using var thread = Thread();
        var refusal = await Assert.ThrowsAsync<GenerationRefusedException>(() => thread.LoadAsync());
        Assert.Equal(GenerationRefusal.ModelUnavailable, refusal.Refusal);
        return refusal.Message;
    }

    private void WriteConfig(int vocabulary) => File.WriteAllText(At("config.json"), $$"""
        {
          "model_type": "llama", "vocab_size": {{vocabulary}}, "hidden_size": 64, "intermediate_size": 96,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
          "max_position_embeddings": 512, "tie_word_embeddings": true, "hidden_act": "silu"
        }
        """);

    private void WriteWeights(string? without = null, string? extra = null, string? poison = null)
    {
        var random = new Random(4);
        var writer = new SafetensorsWriter();
        void Add(string name, params long[] shape)
        {
            if (name == without)
            {
                return;
            }

            var values = new float[shape.Aggregate(1L, (product, size) => product * size)];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = name == poison ? float.NaN
                    : shape.Length == 1 ? 1
                    : (float)(random.NextDouble() - 0.5) * 0.4f;
            }

            writer.Add(name, shape, values);
        }

        Add("model.embed_tokens.weight", Vocabulary, 64);
        Add("model.norm.weight", 64);
        for (var layer = 0; layer < 2; layer++)
        {
            Add($"model.layers.{layer}.input_layernorm.weight", 64);
            Add($"model.layers.{layer}.post_attention_layernorm.weight", 64);
            Add($"model.layers.{layer}.self_attn.q_proj.weight", 64, 64);
            Add($"model.layers.{layer}.self_attn.k_proj.weight", 32, 64);
            Add($"model.layers.{layer}.self_attn.v_proj.weight", 32, 64);
            Add($"model.layers.{layer}.self_attn.o_proj.weight", 64, 64);
            Add($"model.layers.{layer}.mlp.gate_proj.weight", 96, 64);
            Add($"model.layers.{layer}.mlp.up_proj.weight", 96, 64);
            Add($"model.layers.{layer}.mlp.down_proj.weight", 64, 96);
        }

        if (extra is not null)
        {
            Add(extra, 96, 64);
        }

        writer.Save(At("model.safetensors"));
    }

    private static async Task<List<GenerationEvent>> Ask(ModelThread thread, GenerationRequest request)
    {
        var events = new List<GenerationEvent>();
        await foreach (var generationEvent in thread.GenerateAsync(request))
        {
            events.Add(generationEvent);
        }

        return events;
    }

    private static string TextOf(IEnumerable<GenerationEvent> events) =>
        string.Concat(events.OfType<TextGenerated>().Select(text => text.Text));
}
