using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Projections;
using NextGpt.Model.Tests.Decoders;
using NextGpt.Model.Tests.Weights;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Conversion;

/// <summary>Checkpoints of every layout with all the published names and tiny widths: goldens, tiny decoders, a delta from a seed.</summary>
/// <param name="language">The language model's folder; null is a golden without a tokenizer.</param>
internal sealed class ConversionBench(string? language = null) : IDisposable
{
    internal const int Hidden = 64;
    internal const int Vocabulary = 128;
    private readonly string _root = Directory.CreateTempSubdirectory("convert-").FullName;

    internal static Dictionary<string, string> AllLicences { get; } =
        ConversionParts.All.ToDictionary(part => part, part => $"Licence-of-{part}");

    internal TinyDecoders Decoders { get; } = new();

    internal string Language { get; } = language ?? Golden("llama_untied");

    internal string Target => Path.Combine(_root, "package");

    public void Dispose()
    {
        Decoders.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    internal static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Goldens", name);

    internal string NewFolder() => Directory.CreateDirectory(Path.Combine(_root, Path.GetRandomFileName())).FullName;

    internal string[] Everything(MediaKind kind = MediaKind.Image) => [Language, Encoder(zip: true), Decoders.Write(kind)];

    internal ConversionRequest Request(params string[] sources) =>
        new() { Sources = sources, Target = Target, Licences = AllLicences };

    /// <summary>imagebind_huge.pth of the golden's size, with a config.json that tells its heads.</summary>
    internal string Encoder(bool zip)
    {
        var folder = NewFolder();
        File.Copy(Path.Combine(Golden("imagebind_tiny"), "config.json"), Path.Combine(folder, "config.json"));
        using var golden = SafetensorsFile.Open(Path.Combine(Golden("imagebind_tiny"), "model.safetensors"));
        var writer = Copied(golden);
        writer.Add("modality_trunks.depth.blocks.0.norm_1.weight", [2], 1, 1);
        var file = Path.Combine(folder, "imagebind_tiny.pth");
        File.WriteAllBytes(file, zip ? writer.Zip() : writer.Old());
        return file;
    }

    /// <summary>A checkpoint of torch with the tensors of another.</summary>
    internal static TorchPickleWriter Copied(IStoredTensors source, Func<string, string?>? rename = null, TorchPickleWriter? into = null)
    {
        into ??= new TorchPickleWriter();
        foreach (var (name, info) in source.Tensors)
        {
            if ((rename is null ? name : rename(name)) is { } stored)
            {
                into.Add(stored, source.TypeOf(name), [.. info.Shape], BytesOf(source, name));
            }
        }

        return into;
    }

    /// <summary>The folder again, its weights as torch's files instead of safetensors.</summary>
    internal string AsTorch(string folder, bool zip)
    {
        var copy = NewFolder();
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(copy, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            if (Path.GetFileName(place) is not ("model.safetensors" or "diffusion_pytorch_model.safetensors") and var name)
            {
                if (name != "io.safetensors")
                {
                    File.Copy(file, place);
                }

                continue;
            }

            using var source = SafetensorsFile.Open(file);
            var stem = Path.GetFileName(place) == "model.safetensors" ? "pytorch_model" : "diffusion_pytorch_model";
            var writer = Copied(source);
            File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(place)!, stem + ".bin"), zip ? writer.Zip() : writer.Old());
        }

        return copy;
    }

    /// <summary>The folder again, its one checkpoint in two shards of torch with an index.</summary>
    internal string AsShards(string folder)
    {
        var copy = NewFolder();
        File.Copy(Path.Combine(folder, "config.json"), Path.Combine(copy, "config.json"));
        using var source = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var (first, second) = (new TorchPickleWriter(), new TorchPickleWriter());
        var map = new JsonObject();
        foreach (var (name, info) in source.Tensors)
        {
            var one = map.Count % 2 == 0;
            (one ? first : second).Add(name, source.TypeOf(name), [.. info.Shape], BytesOf(source, name));
            map[name] = one ? "pytorch_model-00001-of-00002.bin" : "pytorch_model-00002-of-00002.bin";
        }

        File.WriteAllBytes(Path.Combine(copy, "pytorch_model-00001-of-00002.bin"), first.Zip());
        File.WriteAllBytes(Path.Combine(copy, "pytorch_model-00002-of-00002.bin"), second.Zip());
        File.WriteAllText(Path.Combine(copy, "pytorch_model.bin.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return copy;
    }

    /// <summary>pytorch_model.pt of the first generation.</summary>
    /// <param name="merged">Stage 3: the language model inside peft's wrapper, with a LoRA.</param>
    /// <param name="named">With the adapter's name <c>.default</c>.</param>
    /// <param name="zip">The layout.</param>
    /// <param name="kind">Whose projection is there.</param>
    /// <param name="baseRows">Whether the language model's own rows are as they were.</param>
    /// <param name="more">Whose projections are there too.</param>
    internal string DeltaV0(
        bool merged = true, bool named = true, bool zip = true, MediaKind kind = MediaKind.Image, bool baseRows = true,
        params MediaKind[] more)
    {
        var writer = new TorchPickleWriter();
        var model = merged ? "llama_model.base_model.model." : "llama_model.";
        if (merged)
        {
            AddLora(writer, "llama_model.base_model.model.", named ? ".default.weight" : ".weight");
        }

        AddRows(writer, $"{model}model.embed_tokens.weight", $"{model}lm_head.weight", 38, baseRows);
        AddNetwork(writer, InputProjection.Linear(16, Hidden, seed: 5), name => $"llama_proj.{name}");
        foreach (var made in more.Prepend(kind))
        {
            var prefix = made switch
            {
                MediaKind.Image => "gen_text_hidden_fcs.0.",
                MediaKind.Video => "gen_text_hidden_fcs_video.0.",
                _ => "gen_text_hidden_fcs_audio.0.",
            };
            AddNetwork(writer, Projection(made), name => prefix + V0Name(name));
        }

        var file = Path.Combine(NewFolder(), "pytorch_model.pt");
        File.WriteAllBytes(file, zip ? writer.Zip("pytorch_model") : writer.Old());
        return file;
    }

    /// <summary>The folder of files that the second generation's trainer leaves.</summary>
    internal string FilesV2(bool config = true, params MediaKind[] more)
    {
        var folder = NewFolder();
        var input = AddNetwork(new TorchPickleWriter(), Group(), name => $"model.mm_input_projector.{name}");
        File.WriteAllBytes(Path.Combine(folder, "mm_input_projector.bin"), input.Zip());
        var output = AddNetwork(new TorchPickleWriter(), Projection(MediaKind.Image), name => $"model.mm_output_img_projector.{name}");
        foreach (var made in more)
        {
            AddNetwork(output, Projection(made), name => $"model.mm_output_{(made == MediaKind.Audio ? "aud" : "vid")}_projector.{name}");
        }

        AddRows(output, "model.embed_tokens.weight", "lm_head.weight", 36, baseRows: true);
        File.WriteAllBytes(Path.Combine(folder, "mm_output_projector.bin"), output.Zip());
        File.WriteAllBytes(Path.Combine(folder, "adapter_model.bin"), AddLora(new TorchPickleWriter(), "base_model.model.", ".weight").Zip());
        var rest = AddNetwork(new TorchPickleWriter(), Group(), name => $"base_model.model.model.mm_input_projector.{name}");
        File.WriteAllBytes(Path.Combine(folder, "non_lora_trainables.bin"), rest.Zip());
        if (config)
        {
            File.WriteAllText(Path.Combine(folder, "adapter_config.json"), """
                {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
                """);
        }

        return folder;
    }

    /// <summary>One checkpoint with everything but the decoders.</summary>
    internal string MergedV2()
    {
        var folder = NewFolder();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Language, "config.json")))!;
        config["model_type"] = "nextgpt_llama";
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        File.Copy(Path.Combine(Golden("imagebind_tiny"), "config.json"), Path.Combine(folder, "imagebind_config.json"));
        using var language = SafetensorsFile.Open(Path.Combine(Language, "model.safetensors"));
        using var encoder = SafetensorsFile.Open(Path.Combine(Golden("imagebind_tiny"), "model.safetensors"));
        var writer = Copied(language);
        Copied(encoder, name => $"model.multimodal_tower.multimodal_tower.{name}", writer);
        AddNetwork(writer, Group(), name => $"model.mm_input_projector.{name}");
        AddNetwork(writer, Projection(MediaKind.Image), name => $"model.mm_output_img_projector.{name}");
        File.WriteAllBytes(Path.Combine(folder, "pytorch_model.bin"), writer.Zip());
        return folder;
    }

    internal static InputProjection Group() => InputProjection.Group(
        new GroupProjectionConfig { InputSize = 16, OutputSize = Hidden, HiddenSize = 16, Heads = 8, Stages = [new(1, 4), new(1, 2), new(1, 0)] }, seed: 6);

    internal static OutputProjection Projection(MediaKind kind) => new(
        new OutputProjectionConfig
        {
            InputSize = Hidden,
            OutputSize = kind == MediaKind.Audio ? 12 : TinyDecoders.Width,
            Queries = kind == MediaKind.Audio ? 1 : TinyDecoders.Tokens,
            HiddenSize = 16,
            IntermediateSize = 32,
        },
        seed: 7);

    internal static string V0Name(string name) => name
        .Replace("in_fc.", "fc.", StringComparison.Ordinal).Replace("out_fc.", "model.", StringComparison.Ordinal);

    internal static byte[] BytesOf(IStoredTensors source, string name)
    {
        var bytes = new byte[source.Tensors[name].Count * SafetensorsHeader.ByteSize(source.TypeOf(name))];
        source.ReadBytes(name, bytes);
        return bytes;
    }

    internal static float[] ValuesOf(ITensorSource source, string name)
    {
        var values = new float[source.Tensors[name].Count];
        source.Read(name, values);
        return values;
    }

    /// <summary>A network's values as a half-precision file keeps them.</summary>
    internal static float[] Halves(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return [.. tensor.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray().Select(value => (float)(Half)value)];
    }

    private static TorchPickleWriter AddNetwork(TorchPickleWriter writer, nn.Module network, Func<string, string> rename)
    {
        using (network)
        {
            foreach (var (name, tensor) in network.state_dict())
            {
                writer.Add(rename(name), SafetensorsType.F16, tensor.shape, HalfBytes(Halves(tensor)));
            }
        }

        return writer;
    }

    private static byte[] HalfBytes(float[] values) => MemoryMarshal.AsBytes<Half>(values.Select(value => (Half)value).ToArray()).ToArray();

    private TorchPickleWriter AddLora(TorchPickleWriter writer, string prefix, string ending)
    {
        using var network = new LlamaModel(LlamaConfigFile.Read(Language), META);
        using var adapter = LoraAdapter.Create(
            network, new LoraSettings { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] }, 1);
        var random = new Random(9);
        foreach (var (name, parameter) in adapter.NamedParameters)
        {
            writer.Add(
                prefix + name.Replace(".weight", ending, StringComparison.Ordinal), SafetensorsType.F16, parameter.shape,
                HalfBytes([.. Enumerable.Range(0, (int)parameter.numel()).Select(_ => (random.NextSingle() - 0.5f) / 8)]));
        }

        return writer;
    }

    private void AddRows(TorchPickleWriter writer, string embedding, string head, int added, bool baseRows)
    {
        using var own = SafetensorsFile.Open(Path.Combine(Language, "model.safetensors"));
        var random = new Random(10);
        foreach (var (name, stored) in new[] { (embedding, "model.embed_tokens.weight"), (head, "lm_head.weight") })
        {
            float[] values =
            [
                .. ValuesOf(own, stored).Select(value => baseRows ? value : value + 1),
                .. Enumerable.Range(0, added * Hidden).Select(_ => random.NextSingle() - 0.5f),
            ];
            writer.Add(name, SafetensorsType.F16, [values.Length / Hidden, Hidden], HalfBytes(values));
        }
    }
}
