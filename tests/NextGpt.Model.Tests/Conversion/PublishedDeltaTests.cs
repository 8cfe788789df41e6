using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Conversion;

/// <summary>The published delta <c>7b_tiva_v0</c>: what our own networks at published size make of it, against an approved list (rule 7).</summary>
public sealed class PublishedDeltaTests
{
    private const string Model = "llama_model.base_model.model.";
    private const int Rows = 32_038;

    [Fact]
    public void Names_and_shapes_of_the_delta_are_those_of_the_approved_list()
    {
        var shapes = Shapes();
        var actual = string.Join('\n', shapes.Select(pair => $"{pair.Key} [{string.Join(", ", pair.Value)}]").Order(StringComparer.Ordinal)) + "\n";
        var path = Path.Combine(AppContext.BaseDirectory, "Conversion", "Delta.7b_tiva_v0.approved.txt");
        var approved = File.Exists(path) ? File.ReadAllText(path) : "";
        if (actual != approved)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path.Replace(".approved.", ".received.", StringComparison.Ordinal), actual);
        }

        Assert.Equal(approved, actual);
    }

    [Fact]
    public void The_delta_has_256_matrices_of_LoRA_and_129_tensors_in_each_output_projection_and_all_are_sorted()
    {
        var delta = new DeltaTensors();
        delta.Add(new Listed(Shapes()));

        Assert.True(delta.IsV0);
        Assert.Equal(256, delta.Lora.Count);
        Assert.Equal(33_554_432, delta.Lora.Values.Sum(place => place.Shape[0] * place.Shape[1]));
        Assert.Equal(2, delta.Input.Count);
        Assert.Equal([MediaKind.Image, MediaKind.Audio, MediaKind.Video], delta.Outputs.Keys.Order());
        Assert.All(delta.Outputs.Values, output => Assert.Equal(129, output.Count));
        Assert.Equal(
            [31_958_784L, 31_788_544, 32_090_112],
            delta.Outputs.OrderBy(output => output.Key).Select(output => output.Value.Values.Sum(place => place.Shape.Aggregate(1L, (a, b) => a * b))));
        Assert.Equal([Rows, 4_096L], delta.Embedding!.Shape);
        Assert.Equal([Rows, 4_096L], delta.Head!.Shape);
    }

    private static Dictionary<string, IReadOnlyList<long>> Shapes()
    {
        using var scope = NewDisposeScope();
        using var language = new LlamaModel(
            new LlamaConfig
            {
                VocabularySize = Rows,
                HiddenSize = 4_096,
                IntermediateSize = 11_008,
                Layers = 32,
                QueryHeads = 32,
                KeyValueHeads = 32,
                HeadSize = 128,
                NormEpsilon = 1e-6,
            },
            META);
        var shapes = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
        using (var adapter = LoraAdapter.Create(
            language, new LoraSettings { Rank = 32, Alpha = 32, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] }, 0))
        {
            foreach (var (name, parameter) in adapter.NamedParameters)
            {
                shapes.Add(Model + name.Replace(".weight", ".default.weight", StringComparison.Ordinal), parameter.shape);
            }
        }

        var state = language.state_dict();
        shapes.Add(Model + "model.embed_tokens.weight", state["model.embed_tokens.weight"].shape);
        shapes.Add(Model + "lm_head.weight", state["lm_head.weight"].shape);
        Add("llama_proj.", InputProjection.Linear(1_024, 4_096, META));
        Add("gen_text_hidden_fcs.0.", Projection(77, 768));
        Add("gen_text_hidden_fcs_video.0.", Projection(77, 1_024));
        Add("gen_text_hidden_fcs_audio.0.", Projection(1, 512));
        return shapes;

        void Add(string prefix, nn.Module network)
        {
            using (network)
            {
                foreach (var (name, tensor) in network.state_dict())
                {
                    shapes.Add(prefix + ConversionBench.V0Name(name), tensor.shape);
                }
            }
        }
    }

    private static OutputProjection Projection(int queries, int size) =>
        new(new OutputProjectionConfig { InputSize = 4_096, OutputSize = size, Queries = queries }, META);

    /// <summary>Names and shapes without numbers.</summary>
    private sealed class Listed(Dictionary<string, IReadOnlyList<long>> shapes) : IStoredTensors
    {
        public string Name => "pytorch_model.pt";

        public IReadOnlyDictionary<string, TensorInfo> Tensors { get; } =
            shapes.ToDictionary(pair => pair.Key, pair => new TensorInfo(pair.Value, "F16"), StringComparer.Ordinal);

        public SafetensorsType TypeOf(string name) => SafetensorsType.F16;

        public void Read(string name, Span<float> destination) => throw new InvalidOperationException("There are no numbers.");

        public void ReadBytes(string name, Span<byte> destination) => throw new InvalidOperationException("There are no numbers.");

        public void Dispose()
        {
        }
    }
}
