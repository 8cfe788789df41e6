using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Tests.Weights;
using NextGpt.Model.Weights;
using TorchSharp;

namespace NextGpt.Model.Tests.Language.Quantized;

/// <summary>Tiny networks of both architectures, with every kind of weight, against the same network in libtorch.</summary>
public sealed class QuantizedDecoderTests
{
    private static readonly int[] Tokens = [3, 17, 0, 31, 8, 8, 25, 12, 30, 1, 19, 6, 22, 14, 9, 28, 5, 11, 2, 27];

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void Logits_and_hidden_states_are_those_of_the_network_in_float32(string architecture)
    {
        using var tiny = new Tiny(architecture);
        using var decoder = new QuantizedDecoder(tiny.Weights, 2);
        using var cache = decoder.NewCache(32);
        var logits = new float[Tokens.Length * 32];
        var hidden = new float[Tokens.Length * 32];
        decoder.Run(cache, Tokens, logits, hidden);

        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        using var model = new LlamaModel(tiny.Gguf.Config);
        model.Load(tiny.Gguf);
        var expectedHidden = model.call(model.Embed(Tokens), null, null);
        var expectedLogits = model.Head(expectedHidden);

        // Some of its weights are repacked from other types to eight bits.
        Assert.InRange(Distance(hidden, expectedHidden.data<float>().ToArray()), 0, 0.02);
        Assert.InRange(Distance(logits, expectedLogits.data<float>().ToArray()), 0, 0.02);
    }

    [Fact]
    public void Weights_that_are_kept_bit_by_bit_give_the_logits_of_float32_almost_exactly()
    {
        using var golden = GoldenFixture.Open("llama_untied");
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        using var tiny = new Tiny("llama", GgufType.Q8_0);
        using var decoder = new QuantizedDecoder(tiny.Weights, 1);
        using var cache = decoder.NewCache(32);
        var logits = new float[Tokens.Length * 32];
        decoder.Run(cache, Tokens, logits, []);
        using var model = new LlamaModel(tiny.Gguf.Config);
        model.Load(tiny.Gguf);

        Assert.InRange(Distance(logits, model.Head(model.call(model.Embed(Tokens), null, null)).data<float>().ToArray()), 0, 0.001);
    }

    [Fact]
    public void A_result_is_the_same_bytes_for_any_number_of_threads_any_path_and_any_pieces()
    {
        using var tiny = new Tiny("qwen2");
        var expected = Run(tiny, 1, KernelPath.Portable, [Tokens.Length]);
        Assert.Contains(expected, value => value != 0);

        foreach (var path in Enum.GetValues<KernelPath>().Where(PanelKernels.CanRun))
        {
            foreach (var threads in new[] { 1, 2, 3 })
            {
                Assert.Equal(expected, Run(tiny, threads, path, [Tokens.Length]));
                Assert.Equal(expected, Run(tiny, threads, path, [1, 1, 7, 2, 5, 4]));
                Assert.Equal(expected, Run(tiny, threads, path, [.. Enumerable.Repeat(1, Tokens.Length)]));
            }
        }
    }

    [Fact]
    public void Prompts_longer_than_a_pass_give_what_they_give_token_by_token()
    {
        using var tiny = new Tiny("llama");
        using var decoder = new QuantizedDecoder(tiny.Weights, 2);
        int[] prompt = [.. Enumerable.Range(0, (2 * QuantizedDecoder.MostRows) + 5).Select(index => index * 7 % 32)];
        using var cache = decoder.NewCache(prompt.Length);
        var outputs = QuantizedDecoder.MostRows + 9;   // over the border of two passes
        var logits = new float[outputs * 32];
        var hidden = new float[outputs * 32];
        decoder.Run(cache, prompt, logits, hidden);

        cache.Truncate(0);
        var (one, state) = (new float[32], new float[32]);
        for (var position = 0; position < prompt.Length; position++)
        {
            decoder.Run(cache, prompt.AsSpan(position, 1), one, state);
            var output = position - (prompt.Length - outputs);
            if (output >= 0)
            {
                Assert.Equal(one, logits[(output * 32)..((output + 1) * 32)]);
                Assert.Equal(state, hidden[(output * 32)..((output + 1) * 32)]);
            }
        }
    }

    [Fact]
    public void Several_sequences_in_one_batch_get_what_each_gets_alone()
    {
        using var tiny = new Tiny("llama");
        using var decoder = new QuantizedDecoder(tiny.Weights, 2);
        var caches = Enumerable.Range(0, 6).Select(_ => decoder.NewCache(32)).ToArray();
        var alone = new float[6 * 32];
        for (var sequence = 0; sequence < 6; sequence++)
        {
            decoder.Run(caches[sequence], Tokens.AsSpan(0, 2 + sequence), [], []);
            decoder.Run(caches[sequence], Tokens.AsSpan(10 + sequence, 1), alone.AsSpan(sequence * 32, 32), []);
            caches[sequence].Truncate(2 + sequence);
        }

        var together = new float[6 * 32];
        var hidden = new float[6 * 32];
        decoder.RunBatch(caches, Tokens.AsSpan(10, 6), together, hidden);

        Assert.Equal(alone, together);
        Assert.All(caches, (cache, sequence) => Assert.Equal(3 + sequence, cache.Length));
        Assert.Throws<ArgumentException>(() => decoder.RunBatch([caches[0], caches[0]], [1, 2], [], []));
        Assert.Throws<ArgumentException>(() => decoder.RunBatch([caches[0]], [1, 2], [], []));
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Fact]
    public void Embeddings_of_tokens_give_what_the_tokens_give()
    {
        using var tiny = new Tiny("llama");
        using var decoder = new QuantizedDecoder(tiny.Weights, 2);
        using var cache = decoder.NewCache(32);
        var (byToken, byEmbedding) = (new float[32], new float[32]);
        decoder.Run(cache, Tokens, byToken, []);
        var embeddings = new float[Tokens.Length * 32];
        for (var index = 0; index < Tokens.Length; index++)
        {
            decoder.Embed(Tokens[index], embeddings.AsSpan(index * 32, 32));
        }

        cache.Truncate(0);
        decoder.RunEmbeddings(cache, embeddings, byEmbedding, []);

        Assert.Equal(byToken, byEmbedding);
        Assert.Equal(Tokens.Length, cache.Length);
    }

    [Fact]
    public void A_shared_beginning_is_kept_and_a_prompt_read_by_libtorch_is_continued()
    {
        using var tiny = new Tiny("llama");
        using var decoder = new QuantizedDecoder(tiny.Weights, 2);
        using var cache = decoder.NewCache(32);
        var (expected, actual) = (new float[32], new float[32]);
        decoder.Run(cache, [.. Tokens[..8], 4, 5], expected, []);
        cache.Truncate(0);
        decoder.Run(cache, Tokens, [], []);
        cache.Truncate(8);
        decoder.Run(cache, [4, 5], actual, []);
        Assert.Equal(expected, actual);

        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        using var model = new LlamaModel(tiny.Gguf.Config);
        model.Load(tiny.Gguf);
        using var torchCache = model.NewCache(32);
        model.call(model.Embed(Tokens.AsSpan(0, 8)), torchCache, null);
        cache.Truncate(0);
        for (var layer = 0; layer < 2; layer++)
        {
            var (keys, values) = (new float[2 * 8 * 8], new float[2 * 8 * 8]);
            torchCache.CopyTo(layer, 0, 0, keys, values);
            cache.Import(layer, 8, keys, values);
        }

        cache.SetLength(8);
        decoder.Run(cache, [4, 5], actual, []);
        Assert.InRange(Distance(actual, expected), 0, 0.02);
    }

    [Fact]
    public void A_source_of_float32_is_quantised_to_eight_bits()
    {
        using var golden = GoldenFixture.Open("llama_untied");
        var config = LlamaConfigFile.Read(golden.PathOf("config.json"));
        using var weights = new QuantizedLlama(golden.Model, config);
        using var decoder = new QuantizedDecoder(weights, 2);
        int[] ids = [.. golden.Integers("in.input_ids").Take(12).Select(id => (int)id)];
        using var cache = decoder.NewCache(12);
        var logits = new float[12 * config.VocabularySize];
        decoder.Run(cache, ids, logits, []);

        Assert.InRange(Distance(logits, golden.Floats("out.logits")[..logits.Length]), 1e-5, 0.02);
    }

    [Fact]
    public void Sizes_ids_and_rooms_that_do_not_fit_are_refused_before_anything_is_computed()
    {
        using var tiny = new Tiny("llama");
        using var decoder = new QuantizedDecoder(tiny.Weights, 1);
        using var cache = decoder.NewCache(4);

        Assert.Contains("0 to 31", Assert.Throws<ArgumentOutOfRangeException>(() => decoder.Run(cache, [32], [], [])).Message);
        Assert.Contains("do not fit", Assert.Throws<ArgumentException>(() => decoder.Run(cache, [1, 2, 3, 4, 5], [], [])).Message);
        Assert.Throws<ArgumentException>(() => decoder.Run(cache, [], [], []));
        Assert.Throws<ArgumentException>(() => decoder.Run(cache, [1], new float[31], []));
        Assert.Throws<ArgumentException>(() => decoder.Run(cache, [1], new float[64], []));
        Assert.Throws<ArgumentException>(() => decoder.Run(cache, [1, 2], new float[64], new float[32]));
        Assert.Throws<ArgumentException>(() => decoder.RunEmbeddings(cache, new float[33], [], []));
        Assert.Throws<ArgumentException>(() => decoder.Embed(1, new float[31]));
        Assert.Equal(0, cache.Length);
    }

    private static float[] Run(Tiny tiny, int threads, KernelPath path, int[] pieces)
    {
        using var decoder = new QuantizedDecoder(tiny.Weights, threads, path);
        using var cache = decoder.NewCache(32);
        var logits = new float[Tokens.Length * 32];
        var start = 0;
        foreach (var piece in pieces)
        {
            decoder.Run(cache, Tokens.AsSpan(start, piece), logits.AsSpan(start * 32, piece * 32), []);
            start += piece;
        }

        return logits;
    }

    private static double Distance(float[] actual, float[] expected)
    {
        var (difference, size) = (0.0, 0.0);
        for (var index = 0; index < actual.Length; index++)
        {
            difference += Math.Pow(actual[index] - expected[index], 2);
            size += Math.Pow(expected[index], 2);
        }

        return Math.Sqrt(difference / size);
    }

    /// <summary>A tiny network in a file of its own.</summary>
    private sealed class Tiny : IDisposable
    {
        private readonly TemporaryFile _file;

        public Tiny(string architecture, GgufType? only = null)
        {
            _file = new TemporaryFile(GgufLlamaTests.Tiny(architecture, new Random(77), only: only).ToArray());
            Gguf = new GgufLlama(_file.Path);
            Weights = new QuantizedLlama(Gguf, Gguf.Config);
        }

        public GgufLlama Gguf { get; }

        public QuantizedLlama Weights { get; }

        public void Dispose()
        {
            Weights.Dispose();
            Gguf.Dispose();
            _file.Dispose();
        }
    }
}
