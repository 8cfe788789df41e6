using NextGpt.Model.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Language;

/// <summary>Numbers are those of transformers in float32 (<c>Goldens/*/fixture.json</c> says which version and tolerance).</summary>
public sealed class LlamaModelTests
{
    public static TheoryData<string> Fixtures =>
        ["llama_untied", "llama_mha", "llama_tied", "llama_rope_llama3", "llama_rope_linear", "qwen2_bias"];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Hidden_states_and_logits_are_those_of_the_reference(string fixture)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        foreach (var parameter in model.parameters())
        {
            parameter.requires_grad = true;   // layers that train are applied one by one, so that each is seen
        }

        using var watch = golden.Watch(model, "model.");
        RecordRotary(golden, model);
        var hidden = model.call(model.Embed(golden.Tensor("in.input_ids")), null, null);

        golden.AssertClose("out.hidden_states.2", hidden);
        golden.AssertClose("out.logits", model.Head(hidden));
        golden.AssertRecordedClose();
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Frozen_layers_that_share_one_product_give_the_same(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        using var watch = golden.Watch(model, "model.");

        var hidden = model.call(model.Embed(golden.Tensor("in.input_ids")), null, null);

        golden.AssertClose("out.logits", model.Head(hidden));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Eight_tokens_at_once_and_four_one_by_one_give_the_logits_of_all_at_once(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        using var cache = model.NewCache(12, batch: 2);
        var ids = golden.Tensor("in.input_ids");
        List<Tensor> logits = [model.Head(model.call(model.Embed(ids.narrow(1, 0, 8)), cache, null))];
        for (var place = 8; place < 12; place++)
        {
            logits.Add(model.Head(model.call(model.Embed(ids.narrow(1, place, 1)), cache, null)));
        }

        golden.Record("mid.cache.layers.0.key", Cached(cache, model.Config, keys: true));
        golden.Record("mid.cache.layers.0.value", Cached(cache, model.Config, keys: false));
        golden.AssertClose("out.cached_logits", cat(logits, 1));
        golden.AssertRecordedClose();
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_shorter_row_with_padding_on_its_left_gives_its_own_logits(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        var (ids, padding) = Padded(golden);

        var logits = model.Head(model.call(model.Embed(ids), null, padding));

        golden.AssertClose("out.padded_logits_row0", logits.narrow(0, 0, 1));
        golden.AssertClose("out.padded_logits_row1_valid", logits.narrow(0, 1, 1).narrow(1, 4, 8));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_padded_row_keeps_its_own_logits_through_the_cache(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        var (ids, padding) = Padded(golden);
        using var cache = model.NewCache(12, batch: 2, padding);
        List<Tensor> logits = [];
        foreach (var (start, count) in new[] { (0, 2), (2, 5), (7, 1), (8, 1), (9, 3) })
        {
            logits.Add(model.Head(model.call(model.Embed(ids.narrow(1, start, count)), cache, null)));
        }

        golden.AssertClose("out.padded_logits_row0", cat(logits, 1).narrow(0, 0, 1));
        golden.AssertClose("out.padded_logits_row1_valid", cat(logits, 1).narrow(0, 1, 1).narrow(1, 4, 8));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Embeddings_from_elsewhere_are_continued_like_looked_up_ones(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);

        var logits = model.Head(model.call(golden.Tensor("in.inputs_embeds"), null, null));

        golden.AssertClose("out.inputs_embeds_logits", logits);
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Greedy_decoding_takes_the_reference_s_tokens(string fixture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open(fixture);
        using var model = Loaded(golden);
        var prompt = golden.Integers("in.prompt_ids");
        using var cache = model.NewCache(prompt.Length);
        List<Tensor> steps = [];
        List<long> taken = [];
        int[] next = [.. prompt.Select(id => (int)id)];
        for (var step = 0; step < 16; step++)
        {
            cache.Reserve(cache.Length + next.Length);
            var hidden = model.call(model.Embed(next), cache, null);
            steps.Add(model.Head(hidden.narrow(1, next.Length - 1, 1)));
            taken.Add(steps[^1].argmax(-1).item<long>());
            next = [(int)taken[^1]];
        }

        golden.AssertClose("out.greedy_step_logits", cat(steps, 1));
        Assert.Equal(golden.Integers("out.greedy_ids"), taken);
    }

    [Fact]
    public void Truncating_the_cache_and_reading_another_end_equals_reading_it_all_anew()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_untied");
        using var model = Loaded(golden);
        using var cache = model.NewCache(12);
        int[] first = [5, 6, 7, 8, 9, 10, 11, 12];
        int[] other = [5, 6, 7, 8, 90, 91, 92];

        model.call(model.Embed(first), cache, null);
        cache.Truncate(4);
        var reused = model.Head(model.call(model.Embed(other.AsSpan(4)), cache, null));
        var anew = model.Head(model.call(model.Embed(other), null, null)).narrow(1, 4, 3);

        Assert.True((reused - anew).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void The_7B_network_has_the_names_shapes_and_trainability_of_the_approved_list()
    {
        var config = new LlamaConfig
        {
            VocabularySize = 32_000,
            HiddenSize = 4_096,
            IntermediateSize = 11_008,
            Layers = 32,
            QueryHeads = 32,
            KeyValueHeads = 32,
            HeadSize = 128,
            NormEpsilon = 1e-6,
        };
        using var model = new LlamaModel(config, META, ScalarType.Float16);

        ApprovedShapes.Check("Language/LlamaModel.Vicuna7B.approved.txt", model);
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using var golden = GoldenFixture.Open("qwen2_bias");
        using var model = Loaded(golden);
        using var cache = model.NewCache(64);
        void Step()
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            cache.Truncate(0);
            model.Head(model.call(model.Embed([1, 2, 3, 4]), cache, null));
            model.Head(model.call(model.Embed([5]), cache, null));
        }

        Step();
        var statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        Step();
        Step();

        Assert.Equal(0, statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_loading_and_disposing_leaves_no_tensors_behind()
    {
        using (var golden = GoldenFixture.Open("qwen2_bias"))
        {
            Loaded(golden).Dispose();
            var statistics = DisposeScopeManager.Statistics;
            statistics.Reset();
            using (var model = Loaded(golden))
            using (var cache = model.NewCache(8))
            {
            }

            Assert.Equal(0, statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void A_converted_network_still_computes_with_its_own_weights()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_untied");
        using var model = Loaded(golden);

        model.to(ScalarType.Float64);
        foreach (var parameter in model.parameters())
        {
            parameter.zero_();
        }

        var hidden = model.call(ones(1, 2, 64, ScalarType.Float64), null, null);

        Assert.Equal(0, hidden.abs().max().item<double>());
    }

    [Fact]
    public void Half_precision_stays_near_the_full_one()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_untied");
        using var model = new LlamaModel(LlamaConfigFile.Read(golden.PathOf("config.json")), CPU, ScalarType.BFloat16);
        model.Load(golden.Model);

        var logits = model.Head(model.call(model.Embed(golden.Tensor("in.input_ids")), null, null));

        golden.AssertClose("out.logits", logits, absolute: 0.25, relative: 0);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_and_a_full_cache_get_a_sentence()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_untied");
        using var model = Loaded(golden);
        using var cache = model.NewCache(2);

        Assert.Contains("128 tokens", Assert.Throws<ArgumentOutOfRangeException>(() => model.Embed([128])).Message);
        Assert.Contains(
            "make room with Reserve",
            Assert.Throws<ArgumentException>(() => model.call(model.Embed([1, 2, 3]), cache, null)).Message);
    }

    internal static LlamaModel Loaded(GoldenFixture golden)
    {
        var model = new LlamaModel(LlamaConfigFile.Read(golden.PathOf("config.json")));
        model.Load(golden.Model);
        return model;
    }

    private static void RecordRotary(GoldenFixture golden, LlamaModel model)
    {
        golden.Record("mid.inv_freq", tensor(model.RotaryFrequencies.ToArray()));
        using var rotary = new LlamaRotary(model.Config, CPU);
        var (cosine, sine) = rotary.Tables(arange(12, dtype: ScalarType.Int64).unsqueeze(0));
        golden.Record("mid.rotary_cos", cosine);
        golden.Record("mid.rotary_sin", sine);
    }

    private static Tensor Cached(KeyValueCache cache, LlamaConfig config, bool keys)
    {
        var numbers = config.KeyValueHeads * cache.Length * config.HeadSize;
        List<Tensor> rows = [];
        for (var row = 0; row < cache.Batch; row++)
        {
            var (key, value) = (new float[numbers], new float[numbers]);
            cache.CopyTo(0, row, 0, key, value);
            rows.Add(tensor(keys ? key : value, config.KeyValueHeads, cache.Length, config.HeadSize));
        }

        return stack(rows);
    }

    private static (Tensor Ids, int[] Padding) Padded(GoldenFixture golden)
    {
        var mask = golden.Tensor("in.padded_attention_mask");
        int[] padding = [.. Enumerable.Range(0, 2).Select(row => (int)(12 - mask[row].sum().item<long>()))];
        Assert.Equal([0, 4], padding);
        return (golden.Tensor("in.padded_input_ids"), padding);
    }
}
