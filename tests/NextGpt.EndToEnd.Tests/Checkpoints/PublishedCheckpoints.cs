using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;
using NextGpt.Model.Tests.Conversion;
using NextGpt.Model.Weights;

namespace NextGpt.EndToEnd.Tests.Checkpoints;

/// <summary>
/// Model packages that <see cref="ModelConverter"/> made of checkpoints with the published files, names and layouts of NExT-GPT, at
/// a few channels and with weights from seeds: a Vicuna of torch files with its SentencePiece tokenizer, ImageBind's
/// <c>.pth</c>, diffusers folders of <c>.bin</c> files, and the delta of either generation.
/// </summary>
internal static class PublishedCheckpoints
{
    private const int Vocabulary = 420;   // of the golden tokenizer
    private const int Hidden = ConversionBench.Hidden;

    /// <summary>Converts the checkpoints of one generation.</summary>
    /// <param name="target">The package's folder; must not exist.</param>
    /// <param name="second">Whether the rewrite's files are taken and not the delta <c>7b_tiva_v0</c>.</param>
    public static void Convert(string target, bool second)
    {
        var language = Directory.CreateTempSubdirectory("vicuna-").FullName;
        try
        {
            WriteVicuna(language);
            using var bench = new ConversionBench(language);
            string[] decoders = [.. Enum.GetValues<MediaKind>().Select(kind => bench.AsTorch(bench.Decoders.Write(kind), zip: true))];
            var delta = second
                ? bench.FilesV2(more: [MediaKind.Audio, MediaKind.Video])
                : bench.DeltaV0(more: [MediaKind.Audio, MediaKind.Video]);
            ModelConverter.Convert(bench.Request([bench.AsTorch(language, zip: second), bench.Encoder(zip: !second), .. decoders, delta]) with
            {
                Target = target,
                Id = second ? "tiny-v2" : "tiny-v0",
            });
            KeepSmall(target);
        }
        finally
        {
            Directory.Delete(language, recursive: true);
        }
    }

    /// <summary>Published sizes would have tiny networks attend to a hundred thousand places: the manifest asks for less.</summary>
    private static void KeepSmall(string target)
    {
        var manifest = ModelPackage.ReadManifest(target);
        ModelPackage.Save(target, manifest with
        {
            Outputs = [.. manifest.Outputs.Select(output => output.Kind == MediaKind.Audio
                ? output with { Steps = 3, Seconds = 0.3 }
                : output with { Steps = 3, Width = 32, Height = 32, Frames = output.Kind == MediaKind.Video ? 2 : null })],
        });
    }

    private static void WriteVicuna(string folder)
    {
        File.Copy(Path.Combine(ConversionBench.Golden("tokenizer_spm_llama"), "tokenizer.model"), Path.Combine(folder, "tokenizer.model"));
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {
              "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": {{Vocabulary}}, "hidden_size": {{Hidden}},
              "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
              "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-06, "tie_word_embeddings": false
            }
            """);
        var random = new Random(4);
        var writer = new SafetensorsWriter();
        Add("model.embed_tokens.weight", Vocabulary, Hidden);
        for (var layer = 0; layer < 2; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            foreach (var name in new[] { "q_proj", "k_proj", "v_proj", "o_proj" })
            {
                Add($"{prefix}self_attn.{name}.weight", Hidden, Hidden);
            }

            Add(prefix + "mlp.gate_proj.weight", 96, Hidden);
            Add(prefix + "mlp.up_proj.weight", 96, Hidden);
            Add(prefix + "mlp.down_proj.weight", Hidden, 96);
            AddOnes(prefix + "input_layernorm.weight");
            AddOnes(prefix + "post_attention_layernorm.weight");
        }

        AddOnes("model.norm.weight");
        Add("lm_head.weight", Vocabulary, Hidden);
        writer.Save(Path.Combine(folder, "model.safetensors"));

        void Add(string name, int rows, int columns) => writer.Add(
            name, [rows, columns], Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() - 0.5f) * 0.4f).ToArray());

        void AddOnes(string name) => writer.Add(name, [Hidden], Enumerable.Repeat(1f, Hidden).ToArray());
    }
}

/// <summary>One package of each generation for all tests of a class.</summary>
public sealed class ConvertedPackages : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("packages-").FullName;
    private readonly Lazy<string> _first;
    private readonly Lazy<string> _second;

    /// <summary>Nothing is converted yet.</summary>
    public ConvertedPackages()
    {
        _first = new Lazy<string>(() => Make(second: false));
        _second = new Lazy<string>(() => Make(second: true));
    }

    /// <summary>The package's folder.</summary>
    public string Of(bool second) => (second ? _second : _first).Value;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Make(bool second)
    {
        var target = Path.Combine(_root, second ? "tiny-v2" : "tiny-v0");
        PublishedCheckpoints.Convert(target, second);
        return target;
    }
}
