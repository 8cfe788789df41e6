using NextGpt.Model.Language;

namespace NextGpt.Model.Weights;

/// <summary>
/// A GGUF file of the <c>llama</c> or <c>qwen2</c> architecture as a checkpoint in Hugging Face names and row order
/// (<c>model.layers.0.self_attn.q_proj.weight</c> ...).
/// </summary>
/// <remarks>
/// Files of the <c>llama</c> architecture hold the rows of each query and key head interleaved (0, half, 1, half + 1,
/// ...), because their rotary embedding turns neighbouring pairs; reading undoes that. Source: llama.cpp,
/// <c>convert_hf_to_gguf.py</c> (<c>permute</c>) and <c>gguf-py/gguf/tensor_mapping.py</c>.
/// Every expected tensor must be there with its shape, and no other: what this program does not know, it would leave
/// out of the network.
/// </remarks>
internal sealed class GgufLlama : ITensorSource
{
    private readonly Dictionary<string, Part> _parts;

    /// <summary>Opens a file and checks that it is a whole network of a known architecture.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Names the file and what is missing, unexpected, or of the wrong shape.</exception>
    public GgufLlama(string path)
    {
        File = new GgufFile(path);
        try
        {
            Config = GgufLlamaConfig.Read(File);
            _parts = Match(File, Config);
            Tensors = _parts.ToDictionary(
                pair => pair.Key, pair => File.Tensors[pair.Value.Tensor.Name], StringComparer.Ordinal);
        }
        catch
        {
            File.Dispose();
            throw;
        }
    }

    /// <summary>The file itself: metadata and raw blocks.</summary>
    public GgufFile File { get; }

    /// <summary>The network's numbers, from the metadata.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc/>
    public string Name => File.Name;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The stored tensor behind a Hugging Face name, and how its rows are ordered.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public Part Find(string name) => _parts.TryGetValue(name, out var part)
        ? part
        : throw new InvalidDataException($"{Name}: there is no tensor '{name}'.");

    /// <inheritdoc/>
    public unsafe void Read(string name, Span<float> destination)
    {
        var part = Find(name);
        var tensor = part.Tensor;
        GgufFile.Check(tensor, destination.Length);
        fixed (float* target = destination)
        {
            var blocks = File.Blocks(tensor);
            if (tensor.Shape.Count > 1)
            {
                GgufDequantiser.Rows(
                    tensor.Type, blocks, (int)tensor.RowLength, tensor.RowBytes, tensor.Rows, target, part.FromStored);
                return;
            }

            GgufDequantiser.Row(tensor.Type, blocks, destination.Length, target);
            if (part.InterleavedHeads > 0)
            {
                var stored = destination.ToArray();
                for (var row = 0; row < stored.Length; row++)
                {
                    destination[(int)part.FromStored(row)] = stored[row];
                }
            }
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => File.Dispose();

    private static Dictionary<string, Part> Match(GgufFile file, LlamaConfig config)
    {
        var parts = new Dictionary<string, Part>(StringComparer.Ordinal);
        var missing = new List<string>();
        var left = file.Tensors.Keys.ToHashSet(StringComparer.Ordinal);
        left.Remove(GgufLlamaConfig.RopeFactorsTensor);   // read into the configuration

        var interleaved = file.Metadata.Text("general.architecture") == "llama";
        var queryRows = config.QueryHeads * config.HeadSize;
        var keyRows = config.KeyValueHeads * config.HeadSize;
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);

        Expect("token_embd.weight", "model.embed_tokens.weight", 0, config.VocabularySize, hidden);
        Expect("output_norm.weight", "model.norm.weight", 0, hidden);
        if (!config.TiedHead)
        {
            Expect("output.weight", "lm_head.weight", 0, config.VocabularySize, hidden);
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var (from, to) = ($"blk.{layer}.", $"model.layers.{layer}.");
            Expect($"{from}attn_norm.weight", $"{to}input_layernorm.weight", 0, hidden);
            Expect($"{from}ffn_norm.weight", $"{to}post_attention_layernorm.weight", 0, hidden);
            Expect($"{from}attn_q.weight", $"{to}self_attn.q_proj.weight", config.QueryHeads, queryRows, hidden);
            Expect($"{from}attn_k.weight", $"{to}self_attn.k_proj.weight", config.KeyValueHeads, keyRows, hidden);
            Expect($"{from}attn_v.weight", $"{to}self_attn.v_proj.weight", 0, keyRows, hidden);
            Expect($"{from}attn_output.weight", $"{to}self_attn.o_proj.weight", 0, hidden, queryRows);
            Expect($"{from}ffn_gate.weight", $"{to}mlp.gate_proj.weight", 0, inner, hidden);
            Expect($"{from}ffn_up.weight", $"{to}mlp.up_proj.weight", 0, inner, hidden);
            Expect($"{from}ffn_down.weight", $"{to}mlp.down_proj.weight", 0, hidden, inner);
            if (config.QueryKeyValueBias)
            {
                Expect($"{from}attn_q.bias", $"{to}self_attn.q_proj.bias", config.QueryHeads, queryRows);
                Expect($"{from}attn_k.bias", $"{to}self_attn.k_proj.bias", config.KeyValueHeads, keyRows);
                Expect($"{from}attn_v.bias", $"{to}self_attn.v_proj.bias", 0, keyRows);
            }
        }

        if (missing.Count > 0)
        {
            throw new InvalidDataException($"{file.Name}: {Some(missing)} missing; the file is not a whole network.");
        }

        return left.Count == 0
            ? parts
            : throw new InvalidDataException(
                $"{file.Name}: {Some([.. left.Order(StringComparer.Ordinal)])} not part of this architecture; the network " +
                "would give wrong answers without what they do.");

        void Expect(string stored, string name, int heads, params long[] shape)
        {
            if (!left.Remove(stored))
            {
                missing.Add(stored);
                return;
            }

            var tensor = file.Find(stored);
            if (!tensor.Shape.SequenceEqual(shape))
            {
                throw new InvalidDataException(
                    $"{file.Name}: tensor '{stored}' has shape [{string.Join(", ", tensor.Shape)}]; the metadata ask for " +
                    $"[{string.Join(", ", shape)}].");
            }

            parts.Add(name, new Part(tensor, interleaved ? heads : 0));
        }
    }

    private static string Some(List<string> names) =>
        $"{names.Count} tensor{(names.Count == 1 ? "" : "s")} ({string.Join(", ", names.Take(5))}" +
        $"{(names.Count > 5 ? ", ..." : "")}) {(names.Count == 1 ? "is" : "are")}";

    /// <summary>A stored tensor under its Hugging Face name.</summary>
    /// <param name="Tensor">Where and how it is stored.</param>
    /// <param name="InterleavedHeads">Heads whose two halves are interleaved row by row; 0 if rows are in order.</param>
    public sealed record Part(GgufTensor Tensor, int InterleavedHeads)
    {
        private readonly long _headSize = InterleavedHeads == 0 ? 0 : Tensor.Shape[0] / InterleavedHeads;

        /// <summary>The row that a stored row is in Hugging Face order.</summary>
        public long FromStored(long row)
        {
            if (_headSize == 0)
            {
                return row;
            }

            var within = row % _headSize;
            return row - within + (within % 2 * (_headSize / 2)) + (within / 2);
        }

        /// <summary>The stored row that holds a row of Hugging Face order.</summary>
        public long ToStored(long row)
        {
            if (_headSize == 0)
            {
                return row;
            }

            var within = row % _headSize;
            return row - within + (within % (_headSize / 2) * 2) + (within / (_headSize / 2));
        }
    }
}
