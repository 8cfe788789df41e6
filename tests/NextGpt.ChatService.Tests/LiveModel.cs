using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;
using NextGpt.Model.Weights;

namespace NextGpt.ChatService.Tests;

/// <summary>The registrations over a network that really computes, loaded once for the tests that need it.</summary>
/// <param name="options">Which network.</param>
public abstract class LiveModel(ModelOptions options) : IAsyncLifetime
{
    private readonly ServiceProvider _services = Register(options);

    public IChatClient Client => _services.GetRequiredService<IChatClient>();

    public IChatCompletionService Service => _services.GetRequiredService<IChatCompletionService>();

    public Kernel Kernel => _services.GetRequiredService<Kernel>();

    public ModelThread Thread => _services.GetRequiredService<ModelThread>();

    public async ValueTask InitializeAsync() => await Thread.LoadAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static ServiceProvider Register(ModelOptions options)
    {
        var services = new ServiceCollection();
        services.AddNextGptModel(options);
        services.AddNextGpt("live").AddKernel();
        return services.BuildServiceProvider();
    }
}

/// <summary>The model we ship.</summary>
public sealed class EmbeddedModel() : LiveModel(new ModelOptions { Device = "cpu", Threads = 1 });

/// <summary>A LLaMA of two thin layers with seeded weights: it speaks nonsense, quickly, and hardly ever ends by itself.</summary>
public sealed class ToyNetwork() : LiveModel(
    new ModelOptions { Path = Folder, Device = "cpu", Threads = 1, MaxQueuedRequests = QueuedRequests })
{
    public const int QueuedRequests = 20;

    private const int Hidden = 32;
    private const int Vocabulary = 423;
    private const int SpecialTokens = 3;

    private static readonly string Folder = Write(Directory.CreateTempSubdirectory("nextgpt-toy-").FullName);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static string Write(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {
              "model_type": "llama", "vocab_size": {{Vocabulary}}, "hidden_size": {{Hidden}}, "intermediate_size": 64,
              "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu",
              "max_position_embeddings": 2048, "rms_norm_eps": 1e-05, "tie_word_embeddings": false
            }
            """);
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "Goldens", "tokenizer_byte_bpe", "smollm2.tokenizer.json"),
            Path.Combine(folder, "tokenizer.json"));

        var random = new Random(20261102);
        var weights = new SafetensorsWriter();
        Add("model.embed_tokens", Vocabulary, Hidden, 1);
        for (var layer = 0; layer < 2; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            Add(prefix + "self_attn.q_proj", Hidden, Hidden, 0.3);
            Add(prefix + "self_attn.k_proj", Hidden / 2, Hidden, 0.3);
            Add(prefix + "self_attn.v_proj", Hidden / 2, Hidden, 0.3);
            Add(prefix + "self_attn.o_proj", Hidden, Hidden, 0.3);
            Add(prefix + "mlp.gate_proj", 64, Hidden, 0.3);
            Add(prefix + "mlp.up_proj", 64, Hidden, 0.3);
            Add(prefix + "mlp.down_proj", Hidden, 64, 0.3);
            AddOnes(prefix + "input_layernorm");
            AddOnes(prefix + "post_attention_layernorm");
        }

        AddOnes("model.norm");
        // The special tokens' rows are zero: beside logits as wide as the others' they are practically never drawn.
        Add("lm_head", Vocabulary, Hidden, 0.9, zeroRows: SpecialTokens);
        weights.Save(Path.Combine(folder, "model.safetensors"));
        return folder;

        void Add(string name, int rows, int columns, double deviation, int zeroRows = 0)
        {
            var values = new float[rows * columns];
            for (var i = zeroRows * columns; i < values.Length; i++)
            {
                var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                values[i] = (float)(normal * deviation);
            }

            weights.Add(name + ".weight", [rows, columns], values);
        }

        void AddOnes(string name) => weights.Add(name + ".weight", [Hidden], Enumerable.Repeat(1f, Hidden).ToArray());
    }
}
