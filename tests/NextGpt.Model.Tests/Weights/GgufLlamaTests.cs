using NextGpt.Model.Language;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

public sealed class GgufLlamaTests
{
    private static string Embedded => Path.Combine(AppContext.BaseDirectory, "Embedded", "SmolLM2-135M-Instruct.Q4_1.gguf");

    [Fact]
    public void The_embedded_model_has_the_numbers_of_SmolLM2_and_all_its_tensors()
    {
        using var llama = new GgufLlama(Embedded);

        Assert.Equal(
            new LlamaConfig
            {
                VocabularySize = 49_152,
                HiddenSize = 576,
                IntermediateSize = 1_536,
                Layers = 30,
                QueryHeads = 9,
                KeyValueHeads = 3,
                HeadSize = 64,
                NormEpsilon = 1e-5f,
                RopeBase = 100_000,
                ContextLength = 8_192,
                TiedHead = true,
            },
            llama.Config);
        Assert.Equal(272, llama.Tensors.Count);
        Assert.Equal([192, 576], llama.Tensors["model.layers.29.self_attn.k_proj.weight"].Shape);
        Assert.Equal("Q4_1", llama.Tensors["model.layers.0.mlp.down_proj.weight"].StoredType);
        Assert.Equal(134_515_008, llama.Tensors.Values.Sum(tensor => tensor.Count));
    }

    [Theory]
    [InlineData("llama", true)]
    [InlineData("qwen2", false)]
    public void Rows_of_query_and_key_heads_are_put_in_order_only_where_the_format_interleaves_them(string architecture, bool interleaved)
    {
        using var written = new TemporaryFile(Tiny(architecture, new Random(1)).ToArray());
        using var llama = new GgufLlama(written.Path);
        var stored = new float[32 * 32];
        llama.File.Read("blk.0.attn_q.weight", stored);
        var read = new float[32 * 32];
        llama.Read("model.layers.0.self_attn.q_proj.weight", read);

        // Head of 8: stored rows 0 1 2 3 4 5 6 7 are 0 4 1 5 2 6 3 7 of the checkpoint.
        int[] order = interleaved ? [0, 4, 1, 5, 2, 6, 3, 7] : [0, 1, 2, 3, 4, 5, 6, 7];
        var part = llama.Find("model.layers.0.self_attn.q_proj.weight");
        for (var row = 0; row < 32; row++)
        {
            var target = (row / 8 * 8) + order[row % 8];
            Assert.Equal(stored[(row * 32)..((row + 1) * 32)], read[(target * 32)..((target + 1) * 32)]);
            Assert.Equal(target, part.FromStored(row));
            Assert.Equal(row, part.ToStored(target));
        }

        var value = new float[16 * 32];
        llama.Read("model.layers.0.self_attn.v_proj.weight", value);
        var storedValue = new float[16 * 32];
        llama.File.Read("blk.0.attn_v.weight", storedValue);
        Assert.Equal(storedValue, value);
    }

    [Fact]
    public void Biases_of_query_key_and_value_are_known_and_read()
    {
        using var written = new TemporaryFile(Tiny("qwen2", new Random(1)).ToArray());
        using var llama = new GgufLlama(written.Path);
        var bias = new float[32];
        llama.Read("model.layers.0.self_attn.q_proj.bias", bias);

        Assert.True(llama.Config.QueryKeyValueBias);
        Assert.Contains(bias, value => value != 0);
    }

    [Fact]
    public void Linear_and_Llama_3_stretching_come_from_metadata_and_divisors()
    {
        using var linear = new TemporaryFile(Tiny("llama", new Random(1))
            .Add("llama.rope.scaling.type", "linear").Add("llama.rope.scaling.factor", 4f).ToArray());
        using (var llama = new GgufLlama(linear.Path))
        {
            Assert.Equal((RopeScaling.Linear, 4), (llama.Config.RopeScaling, llama.Config.RopeFactor));
        }

        // Base 500,000, head of 8, factor 8: by hand from the published rule.
        using var stretched = new TemporaryFile(Tiny("llama", new Random(1), ropeBase: 500_000)
            .Floats("rope_freqs.weight", [1, 1, (float)Divisor(2), 8], 4).ToArray());
        using (var llama = new GgufLlama(stretched.Path))
        {
            Assert.Equal((RopeScaling.Llama3, 8, 8_192), (llama.Config.RopeScaling, llama.Config.RopeFactor, llama.Config.RopeTrainedLength));
        }

        using var strange = new TemporaryFile(Tiny("llama", new Random(1)).Floats("rope_freqs.weight", [1, 3, 2, 8], 4).ToArray());
        Assert.Contains("not that of Llama 3", Message(strange.Path));

        static double Divisor(int index)
        {
            var wavelength = 2 * Math.PI * Math.Pow(500_000, index / 4.0);
            var smooth = ((8_192 / wavelength) - 1) / 3;
            return 1 / (((1 - smooth) / 8) + smooth);
        }
    }

    [Theory]
    [InlineData("general.architecture", "mamba", "architecture 'mamba'; llama and qwen2")]
    [InlineData("llama.rope.scaling.type", "yarn", "stretches positions by 'yarn'")]
    [InlineData("llama.expert_count", 8, "mixture of experts")]
    [InlineData("llama.block_count", 3, "missing; the file is not a whole network")]
    [InlineData("llama.block_count", 1, "not part of this architecture")]
    [InlineData("llama.block_count", 100_000, "expected 1 to 1024")]
    [InlineData("llama.feed_forward_length", 48, "the metadata ask for [48, 32]")]
    [InlineData("llama.vocab_size", 31, "but the vocabulary is 32")]
    [InlineData("llama.attention.head_count_kv", 3, "must be a multiple")]
    [InlineData("llama.attention.head_count_kv", "two", "expected an integer")]
    [InlineData("llama.rope.dimension_count", 4, "the rotated part of a head is 8")]
    [InlineData("llama.attention.layer_norm_rms_epsilon", 0f, "expected a positive number")]
    public void A_network_that_cannot_be_run_is_refused_with_the_reason(string key, object value, string reason)
    {
        using var written = new TemporaryFile(Tiny("llama", new Random(1), replace: (key, value)).ToArray());

        Assert.Contains(reason, Message(written.Path));
    }

    [Fact]
    public void An_extra_tensor_is_named()
    {
        using var written = new TemporaryFile(Tiny("llama", new Random(1)).Floats("blk.0.attn_q_norm.weight", [1], 1).ToArray());

        Assert.Contains("1 tensor (blk.0.attn_q_norm.weight) is not part", Message(written.Path));
    }

    /// <summary>Two layers, width 32, 4 query and 2 key/value heads of 8, vocabulary 32.</summary>
    internal static GgufWriter Tiny(
        string architecture, Random random, (string Key, object Value)? replace = null, float ropeBase = 10_000,
        GgufType? only = null)
    {
        var writer = new GgufWriter();
        (string Key, object Value)[] metadata =
        [
            ("general.architecture", architecture),
            ($"{architecture}.block_count", 2u),
            ($"{architecture}.context_length", 64u),
            ($"{architecture}.embedding_length", 32u),
            ($"{architecture}.feed_forward_length", 64u),
            ($"{architecture}.attention.head_count", 4u),
            ($"{architecture}.attention.head_count_kv", 2u),
            ($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f),
            ($"{architecture}.rope.freq_base", ropeBase),
        ];
        foreach (var (key, value) in metadata)
        {
            writer.Add(key, replace?.Key == key ? replace.Value.Value : value);
        }

        if (replace is { } extra && !metadata.Any(entry => entry.Key == extra.Key))
        {
            writer.Add(extra.Key, extra.Value);
        }

        Matrix("token_embd.weight", GgufType.Q8_0, 32, 32);
        writer.Floats("output_norm.weight", Values(32), 32);
        for (var layer = 0; layer < 2; layer++)
        {
            var blk = $"blk.{layer}.";
            writer.Floats($"{blk}attn_norm.weight", Values(32), 32).Floats($"{blk}ffn_norm.weight", Values(32), 32);
            Matrix($"{blk}attn_q.weight", GgufType.Q4_1, 32, 32);
            Matrix($"{blk}attn_k.weight", GgufType.Q4_0, 16, 32);
            Matrix($"{blk}attn_v.weight", GgufType.F16, 16, 32);
            Matrix($"{blk}attn_output.weight", GgufType.Q5_0, 32, 32);
            Matrix($"{blk}ffn_gate.weight", GgufType.Q4_1, 64, 32);
            Matrix($"{blk}ffn_up.weight", GgufType.Q8_0, 64, 32);
            Matrix($"{blk}ffn_down.weight", GgufType.BF16, 32, 64);
            if (architecture == "qwen2")
            {
                writer.Floats($"{blk}attn_q.bias", Values(32), 32)
                    .Floats($"{blk}attn_k.bias", Values(16), 16)
                    .Floats($"{blk}attn_v.bias", Values(16), 16);
            }
        }

        return writer;

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() + 0.5f)];

        void Matrix(string name, GgufType type, int rows, int columns) =>
            writer.Tensor(name, only ?? type, GgufBlocks.Random(only ?? type, rows * columns, random), rows, columns);
    }

    private static string Message(string path) => Assert.Throws<InvalidDataException>(() => new GgufLlama(path)).Message;
}

/// <summary>Random weights of a type, with scales such that values are about ±0.3.</summary>
internal static class GgufBlocks
{
    public static byte[] Random(GgufType type, int count, Random random)
    {
        var (elements, size) = GgufTypes.Block(type)!.Value;
        var bytes = new byte[count / elements * size];
        random.NextBytes(bytes);
        for (var block = 0; block < count / elements; block++)
        {
            var target = bytes.AsSpan(block * size, size);
            var value = (random.NextSingle() - 0.5f) * 0.6f;
            switch (type)
            {
                case GgufType.F32:
                    BitConverter.TryWriteBytes(target, value);
                    break;
                case GgufType.F16:
                    BitConverter.TryWriteBytes(target, (Half)value);
                    break;
                case GgufType.BF16:
                    BitConverter.TryWriteBytes(target, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                    break;
                case GgufType.Q4_1:
                    BitConverter.TryWriteBytes(target, (Half)(0.02f + (random.NextSingle() * 0.02f)));
                    BitConverter.TryWriteBytes(target[2..], (Half)(-0.15f - (random.NextSingle() * 0.15f)));
                    break;
                case GgufType.Q4_0:
                    BitConverter.TryWriteBytes(target, (Half)(value / 8));
                    break;
                case GgufType.Q5_0:
                    BitConverter.TryWriteBytes(target, (Half)(value / 16));
                    break;
                case GgufType.Q8_0:
                    BitConverter.TryWriteBytes(target, (Half)(value / 128));
                    break;
                case GgufType.Q4_K:
                    BitConverter.TryWriteBytes(target, (Half)(0.3f / 63 / 8));
                    BitConverter.TryWriteBytes(target[2..], (Half)(0.3f / 63));
                    break;
                case GgufType.Q6_K:
                    BitConverter.TryWriteBytes(target[208..], (Half)(0.3f / 128 / 32));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(type));
            }
        }

        return bytes;
    }
}
