using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Language;

/// <summary>Rows of added tokens and an adapter, in both engines.</summary>
public sealed class AddedTokenRowsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rows-").FullName;

    [Fact]
    public void Added_rows_are_embedded_and_scored_behind_the_networks_own()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Golden(out var config);
        var (embedding, head) = (randn(3, config.HiddenSize), randn(3, config.HiddenSize));
        var before = model.Head(model.forward(model.Embed([1, 2, 3]), null, null));
        using var rows = new AddedTokenRows(embedding, head);
        model.Use(rows);

        var looked = model.Embed([5, config.VocabularySize + 2]);
        var states = model.forward(model.Embed([1, 2, 3]), null, null);
        var scores = model.Head(states);

        Assert.Equal(config.VocabularySize + 3, model.VocabularySize);
        Assert.True(looked[0, 1].allclose(embedding[2]));
        Assert.True(scores.narrow(-1, 0, config.VocabularySize).allclose(before));
        Assert.True(scores.narrow(-1, config.VocabularySize, 3).allclose(states.matmul(head.t()), 1e-4, 1e-5));
    }

    [Fact]
    public void Only_the_added_rows_train()
    {
        using var scope = NewDisposeScope();
        using var model = Golden(out var config);
        using var rows = AddedTokenRows.Fresh(model, 2, seed: 1);
        model.Use(rows);

        model.Head(model.forward(model.Embed([1, config.VocabularySize, config.VocabularySize + 1]), null, null)).square().sum().backward();

        Assert.All(rows.parameters(), parameter => Assert.True(parameter.grad!.abs().sum().item<float>() > 0));
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
        Assert.DoesNotContain(model.state_dict().Keys, name => name.Contains("Added", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_packed_engine_agrees_with_libtorch_about_added_tokens_embeddings_and_an_adapter()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_lora");
        var config = LlamaConfigFile.Read(golden.PathOf("config.json"));
        var writer = new SafetensorsWriter();
        using var draws = new Generator(1);
        using var rows = new AddedTokenRows(
            randn(3, config.HiddenSize, generator: draws) * 0.1, randn(3, config.HiddenSize, generator: draws) * 0.1);
        rows.Save(Path.Combine(_folder, "rows.safetensors"));
        var additions = new LanguageAdditions(
            new LanguagePart { Path = "l" }, golden.Folder, new TokenPart { Added = ["a", "b", "c"] }, Path.Combine(_folder, "rows.safetensors"));
        using var whole = new AddedLanguage(golden.Model, config, additions);
        using var merged = whole.Merged(whole.Plain)!;
        using var packed = new QuantizedEngine(new QuantizedLlama(merged, config), 64, 1, whole.FloatRows());
        var network = new LlamaModel(config);
        network.Load(golden.Model);
        using var exact = new TorchEngine(network, whole.PutOn(network));
        int[] prompt = [3, config.VocabularySize + 1, 7, config.VocabularySize + 2];

        foreach (var media in new[] { false, true })
        {
            var (one, other) = (Run(packed, prompt, media), Run(exact, prompt, media));
            Assert.Equal(config.VocabularySize + 3, one.Logits.Length);
            Assert.True(Off(one.Logits, other.Logits) < 0.05, $"logits are off by {Off(one.Logits, other.Logits):f4}");
            Assert.True(Off(one.Hidden, other.Hidden) < 0.05, $"states are off by {Off(one.Hidden, other.Hidden):f4}");
        }

        Assert.Equal(Run(packed, prompt, false).Logits, Run(packed, prompt, true).Logits);   // tokens as embeddings: the same bits
        Assert.Equal(Run(exact, prompt, false).Logits, Run(exact, prompt, true).Logits);
    }

    [Fact]
    public void Rows_for_the_whole_vocabulary_replace_the_networks_own()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_tied");
        var config = LlamaConfigFile.Read(golden.PathOf("config.json"));
        var count = config.VocabularySize + 2;
        using var rows = new AddedTokenRows(randn(count, config.HiddenSize), randn(count, config.HiddenSize));
        rows.Save(Path.Combine(_folder, "rows.safetensors"));

        using var whole = new AddedLanguage(
            golden.Model, config,
            new LanguageAdditions(new LanguagePart { Path = "l" }, null, new TokenPart { Added = ["a", "b"] }, Path.Combine(_folder, "rows.safetensors")));
        var first = new float[config.VocabularySize * config.HiddenSize];
        whole.Plain.Read("lm_head.weight", first);

        Assert.Equal(2, whole.AddedTokens);
        Assert.False(whole.Config.TiedHead);
        Assert.Equal(rows.Head.narrow(0, 0, config.VocabularySize).contiguous().data<float>().ToArray(), first);
    }

    [Fact]
    public void Rows_of_another_number_are_refused()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_tied");
        var config = LlamaConfigFile.Read(golden.PathOf("config.json"));
        using var rows = new AddedTokenRows(randn(5, config.HiddenSize), randn(5, config.HiddenSize));
        rows.Save(Path.Combine(_folder, "rows.safetensors"));

        var refused = Assert.Throws<InvalidDataException>(() => new AddedLanguage(
            golden.Model, config,
            new LanguageAdditions(new LanguagePart { Path = "l" }, null, new TokenPart { Added = ["a", "b"] }, Path.Combine(_folder, "rows.safetensors"))));

        Assert.Contains("5 rows of the embedding", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static LlamaModel Golden(out LlamaConfig config)
    {
        using var golden = GoldenFixture.Open("llama_untied");
        config = LlamaConfigFile.Read(golden.PathOf("config.json"));
        var model = new LlamaModel(config);
        model.Load(golden.Model);
        return model;
    }

    private static (float[] Logits, float[] Hidden) Run(ILanguageEngine engine, int[] prompt, bool asEmbeddings)
    {
        var (logits, hidden) = (new float[engine.VocabularySize], new float[engine.HiddenSize]);
        using var sequence = engine.NewSequence();
        if (asEmbeddings)
        {
            var embeddings = new float[prompt.Length * engine.HiddenSize];
            for (var i = 0; i < prompt.Length; i++)
            {
                engine.Embed(prompt[i], embeddings.AsSpan(i * engine.HiddenSize, engine.HiddenSize));
            }

            engine.PrefillEmbeddings(sequence, embeddings, logits);
        }
        else
        {
            engine.Prefill(sequence, prompt, logits);
        }

        engine.Decode(sequence, prompt[1], logits, hidden);
        return (logits, hidden);
    }

    private static double Off(float[] one, float[] other) => Math.Sqrt(
        one.Zip(other).Sum(pair => Math.Pow(pair.First - pair.Second, 2)) / other.Sum(value => (double)value * value));
}
