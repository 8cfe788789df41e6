using NextGpt.Media;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Encoders;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Tests.Decoders;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests;

/// <summary>
/// A whole any-to-any model package, a few channels large, with weights from a seed: LLaMA, ImageBind, the three decoders,
/// projections and added tokens. Needs <c>Goldens/tokenizer_byte_bpe</c> beside the test.
/// </summary>
internal sealed class TinyPackage : IDisposable
{
    public const int Vocabulary = 423;
    public const int Hidden = 64;

    private readonly TinyDecoders _decoders = new();

    /// <summary>Writes a package.</summary>
    /// <param name="second">Whether it follows the second generation (grouped patches, separators) and not the first.</param>
    /// <param name="change">Changes the manifest before it is written.</param>
    /// <param name="enlarger">Whether pictures and clips are enlarged.</param>
    public TinyPackage(bool second = false, Func<PackageManifest, PackageManifest>? change = null, bool enlarger = false)
    {
        Folder = Directory.CreateTempSubdirectory("tiny-package-").FullName;
        WriteLanguage(At("language"));
        WriteEncoder(At("encoder"));
        WriteProjections(second);
        foreach (var kind in Enum.GetValues<MediaKind>())
        {
            Directory.Move(_decoders.Write(kind), At(Name(kind)));
        }

        var manifest = ManifestFor(second);
        if (enlarger)
        {
            WriteEnlarger(At("enlarger"));
            manifest = manifest with
            {
                Outputs = [.. manifest.Outputs.Select(output => output.Kind == MediaKind.Audio ? output : output with { Enlarger = "enlarger" })],
            };
        }

        ModelPackage.Save(Folder, change is null ? manifest : change(manifest));
    }

    public string Folder { get; }

    public string At(string path) => Path.Combine(Folder, path);

    public void Dispose()
    {
        _decoders.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A picture of noise.</summary>
    public static Picture Picture(int seed)
    {
        var pixels = new byte[20 * 14 * 3];
        new Random(seed).NextBytes(pixels);
        return new Picture(20, 14, pixels);
    }

    /// <summary>Half a second of a tone.</summary>
    public static AudioClip Sound(int hertz = 440) => new()
    {
        SampleRateHz = 16_000,
        Channels = [[.. Enumerable.Range(0, 8_000).Select(i => MathF.Sin(i * hertz * MathF.Tau / 16_000) * 0.5f)]],
    };

    /// <summary>Four pictures of noise in a second.</summary>
    public static VideoClip Clip(int seed) =>
        new() { Frames = [.. Enumerable.Range(0, 4).Select(frame => Picture(seed + frame))], FramesPerSecond = 4 };

    private static string Name(MediaKind kind) => kind.ToString().ToLowerInvariant();

    private static PackageManifest ManifestFor(bool second) => new()
    {
        Id = second ? "tiny-v2" : "tiny-v0",
        Language = new LanguagePart { Path = "language", Template = "chatml", Sampling = new SamplingOptions { Temperature = 1 } },
        Tokens = (second ? TokenPart.V2 : TokenPart.V0) with { Rows = "projections/tokens.safetensors" },
        Input = new InputPart
        {
            Encoder = "encoder",
            Projection = "projections/input.safetensors",
            Features = second ? MediaFeatures.Patches : MediaFeatures.Pooled,
            Kind = second ? InputProjectionKind.Group : InputProjectionKind.Linear,
            Heads = 2,
            MediaTokens = second ? 2 : 1,
        },
        Outputs = [.. Enum.GetValues<MediaKind>().Select(kind => new OutputPart
        {
            Kind = kind,
            Decoder = Name(kind),
            Projection = $"projections/{Name(kind)}.safetensors",
            MaxPerReply = second ? 2 : 1,
            Steps = 3,
            GuidanceScale = 2,
            Frames = 2,
            Seconds = 0.1,
        })],
    };

    private void WriteProjections(bool second)
    {
        Directory.CreateDirectory(At("projections"));
        using var input = second
            ? InputProjection.Group(
                new GroupProjectionConfig { InputSize = 12, OutputSize = Hidden, HiddenSize = 16, Heads = 2, Stages = [new(1, 3), new(1, 2), new(1, 0)] },
                seed: 1)
            : InputProjection.Linear(12, Hidden, seed: 1);
        Save(input, "projections/input.safetensors");
        foreach (var kind in Enum.GetValues<MediaKind>())
        {
            using var output = new OutputProjection(
                new OutputProjectionConfig
                {
                    InputSize = Hidden,
                    HiddenSize = 16,
                    IntermediateSize = 24,
                    EncoderLayers = 1,
                    DecoderLayers = 1,
                    OutputSize = kind == MediaKind.Audio ? 12 : TinyDecoders.Width,
                    Queries = kind == MediaKind.Audio ? 1 : TinyDecoders.Tokens,
                },
                seed: 2 + (int)kind);
            Save(output, $"projections/{Name(kind)}.safetensors");
        }

        var writer = new SafetensorsWriter();
        var random = new Random(9);
        var count = (second ? TokenPart.V2 : TokenPart.V0).Added.Count;
        writer.Add("embed_tokens.weight", [count, Hidden], Noise(random, count * Hidden, 0.4f));
        writer.Add("lm_head.weight", [count, Hidden], Noise(random, count * Hidden, 0.4f));
        writer.Save(At("projections/tokens.safetensors"));
    }

    /// <summary>A small enlarger whose every layer shows in the result.</summary>
    public static PictureEnlarger Enlarger()
    {
        var network = new PictureEnlarger(new PictureEnlargerConfig { Channels = 6, Blocks = 2 });
        using var generator = new Generator(5, CPU);
        using var noGradient = no_grad();
        foreach (var (_, weight) in network.named_parameters())
        {
            weight.normal_(0, 0.1, generator);
        }

        return network;
    }

    private static void WriteEnlarger(string folder)
    {
        using var network = Enlarger();
        network.Save(folder);
    }

    private static void WriteEncoder(string folder)
    {
        Directory.CreateDirectory(folder);
        var config = new ImageBindConfig
        {
            OutputSize = 12,
            Vision = new ImageBindVisionConfig { Width = 8, Layers = 1, Heads = 2, ImageSize = 8, PatchSize = 4, ClipsPerVideo = 2, CropsPerClip = 1 },
            Audio = new ImageBindAudioConfig { Width = 8, Layers = 1, Heads = 2, MelBins = 32, TargetFrames = 52, PatchSize = 16, Stride = 8, ClipSeconds = 0.5 },
        };
        config.Save(Path.Combine(folder, "config.json"));
        using var generator = new Generator(5, CPU);
        using var network = new ImageBind(config);
        network.Initialise(generator);
        using (no_grad())
        {
            foreach (var weight in network.parameters().Where(weight => weight.dim() > 1))
            {
                weight.normal_(0, 0.5, generator);   // so strong that media differ
            }
        }

        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in network.state_dict())
        {
            writer.Add(name, tensor);
        }

        writer.Save(Path.Combine(folder, "model.safetensors"));
    }

    private static void WriteLanguage(string folder)
    {
        Directory.CreateDirectory(folder);
        var tokenizer = File.ReadAllText(
            Path.Combine(AppContext.BaseDirectory, "Goldens", "tokenizer_byte_bpe", "smollm2.tokenizer.json"));
        File.WriteAllText(   // it was made with two tokens of a package that has more
            Path.Combine(folder, "tokenizer.json"), tokenizer.Replace("[IMG", "[OLD", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}""");
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {
              "model_type": "llama", "vocab_size": {{Vocabulary}}, "hidden_size": {{Hidden}}, "intermediate_size": 96,
              "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
              "max_position_embeddings": 512, "tie_word_embeddings": true, "hidden_act": "silu"
            }
            """);
        var random = new Random(4);
        var writer = new SafetensorsWriter();
        void Add(string name, params long[] shape)
        {
            var count = shape.Aggregate(1, (product, size) => product * (int)size);
            writer.Add(name, shape, shape.Length == 1 ? Enumerable.Repeat(1f, count).ToArray() : Noise(random, count, 0.4f));
        }

        Add("model.embed_tokens.weight", Vocabulary, Hidden);
        Add("model.norm.weight", Hidden);
        for (var layer = 0; layer < 2; layer++)
        {
            Add($"model.layers.{layer}.input_layernorm.weight", Hidden);
            Add($"model.layers.{layer}.post_attention_layernorm.weight", Hidden);
            Add($"model.layers.{layer}.self_attn.q_proj.weight", Hidden, Hidden);
            Add($"model.layers.{layer}.self_attn.k_proj.weight", 32, Hidden);
            Add($"model.layers.{layer}.self_attn.v_proj.weight", 32, Hidden);
            Add($"model.layers.{layer}.self_attn.o_proj.weight", Hidden, Hidden);
            Add($"model.layers.{layer}.mlp.gate_proj.weight", 96, Hidden);
            Add($"model.layers.{layer}.mlp.up_proj.weight", 96, Hidden);
            Add($"model.layers.{layer}.mlp.down_proj.weight", Hidden, 96);
        }

        writer.Save(Path.Combine(folder, "model.safetensors"));
    }

    private void Save(nn.Module network, string path)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in network.state_dict())
        {
            writer.Add(name, tensor);
        }

        writer.Save(At(path));
    }

    private static float[] Noise(Random random, int count, float spread)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = ((float)random.NextDouble() - 0.5f) * spread;
        }

        return values;
    }
}
