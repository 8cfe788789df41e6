using Microsoft.Extensions.DependencyInjection;
using NextGpt.Model.Language;
using NextGpt.Model.Tests.Language;
using NextGpt.Model.Weights;
using TorchSharp;

namespace NextGpt.Model.Tests;

/// <summary>The model we ship, loaded once for all tests that need its answers; without a system text, as in the fixtures.</summary>
public sealed class EmbeddedModelFixture : IAsyncLifetime
{
    private readonly ServiceProvider _services =
        new ServiceCollection().AddNextGptModel(new ModelOptions { Device = "cpu", SystemText = "" }).BuildServiceProvider();

    public ModelThread Thread => _services.GetRequiredService<ModelThread>();

    public async ValueTask InitializeAsync() => await Thread.LoadAsync();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

public sealed class EmbeddedModelTests(EmbeddedModelFixture embedded) : IClassFixture<EmbeddedModelFixture>
{
    private static readonly string[] Cases = ["capital", "list", "two_turns", "plain"];

    [Fact]
    public void It_is_ready_in_a_few_seconds_and_says_what_it_is()
    {
        var status = embedded.Thread.Status;

        Assert.Equal(ModelState.Ready, status.State);
        Assert.Equal("SmolLM2-135M-Instruct.Q4_1", status.ModelId);
        Assert.EndsWith("SmolLM2-135M-Instruct.Q4_1.gguf", status.Source, StringComparison.Ordinal);
        Assert.InRange(status.LoadTime.GetValueOrDefault(), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task It_answers_a_plain_question()
    {
        var events = await Ask(Request("What is the capital of France?") with { Sampling = new() { Temperature = 0 } });

        Assert.Equal("The capital of France is Paris.", TextOf(events));
        Assert.Equal(GenerationFinishReason.Stop, events.OfType<GenerationFinished>().Single().Reason);
        Assert.Equal(7, events.OfType<GenerationFinished>().Single().ReplyTokens);
    }

    [Fact]
    public async Task TRN_8_a_reply_is_the_same_bytes_whether_its_prefix_was_still_there_or_not()
    {
        var story = string.Join(' ', Enumerable.Range(1, 25).Select(i => $"On day {i} we saw a heron by the lake."));
        var first = Request(story + " What did we see?") with
        {
            ConversationKey = "TRN-8",
            MaxTokens = 24,
            Seed = 11,
            Sampling = new() { Temperature = 0.9, TopK = 40 },
        };
        var answer = TextOf(await Ask(first));
        var second = first with
        {
            Messages =
            [
                .. first.Messages, PromptMessage.Of(PromptRole.Assistant, answer),
                PromptMessage.Of(PromptRole.User, "And where was it? Tell me more about that place."),
            ],
        };

        var warm = await Ask(second);
        var cold = await Ask(second with { ConversationKey = null });
        var repeated = await Ask(second);

        Assert.InRange(warm.OfType<GenerationStarted>().Single().CachedPromptTokens, 128, 4_096);
        Assert.Equal(0, cold.OfType<GenerationStarted>().Single().CachedPromptTokens);
        Assert.Equal(TextOf(cold), TextOf(warm));
        Assert.Equal(TextOf(cold), TextOf(repeated));
    }

    [Fact]
    public void The_float_path_has_the_logits_and_every_token_of_the_reference()
    {
        using var source = new GgufLlama(GgufTokenizerTests.EmbeddedPath);
        var network = new LlamaModel(source.Config);
        network.Load(source);
        using var engine = new TorchEngine(network);
        foreach (var name in Cases)
        {
            using var golden = GoldenFixture.Open("smollm2_q4_1");
            var (prompt, continuation) = (Ids(golden, $"{name}.prompt_ids"), Ids(golden, $"{name}.continuation_ids"));
            var logits = new float[engine.VocabularySize];
            using var sequence = engine.NewSequence();
            engine.Prefill(sequence, prompt, logits);
            var worst = logits.Zip(golden.Floats($"{name}.logits_last"), (got, want) => Math.Abs(got - want)).Max();
            Assert.InRange(worst, 0, 5e-4f);

            // A few steps as a reply is decoded, then all positions in one pass: the same greedy text.
            var sampler = new TokenSampler(
                SamplingSettings.Resolve(new() { Temperature = 0 }, new()), 0, prompt, new HashSet<int> { 2 });
            foreach (var expected in continuation.Take(8))
            {
                Assert.Equal(expected, sampler.Next(logits));
                engine.Decode(sequence, expected, logits, []);
            }

            using var scope = torch.NewDisposeScope();
            using var noGrad = torch.no_grad();
            int[] all = [.. prompt, .. continuation];
            var likeliest = network.Head(network.forward(network.Embed(all), null, null)).argmax(-1).flatten();   // [seq]
            Assert.Equal(Ids(golden, $"{name}.argmax_ids"), likeliest.data<long>().Select(id => (int)id));
            Assert.Equal(continuation, likeliest.data<long>().Skip(prompt.Length - 1).SkipLast(1).Select(id => (int)id));
        }
    }

    /// <summary>As close as llama.cpp is on the same file; shared figures in the fixture's notes.</summary>
    [Fact]
    public async Task The_fast_path_is_as_close_to_the_reference_as_four_bit_arithmetic_allows()
    {
        await embedded.Thread.ChangeAsync(model =>
        {
            foreach (var name in Cases)
            {
                using var golden = GoldenFixture.Open("smollm2_q4_1");
                var logits = new float[model.Engine.VocabularySize];
                var prompt = Ids(golden, $"{name}.prompt_ids");
                using (var whole = model.Engine.NewSequence())
                {
                    model.Engine.Prefill(whole, prompt, logits);
                    Assert.InRange(RelativeDistance(logits, golden.Floats($"{name}.logits_last")), 0, 0.036);
                }

                // Token by token over prompt and continuation: the likeliest next token, and how likely the real one was.
                int[] tokens = [.. prompt, .. Ids(golden, $"{name}.continuation_ids")];
                var likeliest = Ids(golden, $"{name}.argmax_ids");
                var margins = golden.Floats($"{name}.top1_margin");
                var logProbabilities = golden.Floats($"{name}.token_logprobs");
                using var sequence = model.Engine.NewSequence();
                var difference = 0d;
                for (var i = 0; i + 1 < tokens.Length; i++)
                {
                    model.Engine.Decode(sequence, tokens[i], logits);
                    var best = Array.IndexOf(logits, logits.Max());
                    Assert.True(best == likeliest[i] || margins[i] < 0.3, $"{name}, token {i}: {best}, not {likeliest[i]}");
                    difference += LogProbability(logits, tokens[i + 1]) - logProbabilities[i];
                }

                Assert.InRange(Math.Abs(difference / (tokens.Length - 1)), 0, 0.012);
            }

            return model;
        });
    }

    [Theory]
    [InlineData(0, "is empty")]
    [InlineData(1_000, "")]
    [InlineData(50_000_000, "")]
    public async Task A_cut_off_file_is_refused_in_a_sentence_and_the_process_lives(int length, string part)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.gguf");
        using (var whole = File.OpenRead(GgufTokenizerTests.EmbeddedPath))
        using (var cut = File.Create(path))
        {
            var bytes = new byte[length];
            whole.ReadExactly(bytes);
            cut.Write(bytes);
        }

        var failure = await LoadFailure(path);

        Assert.Contains(Path.GetFileName(path), failure, StringComparison.Ordinal);
        Assert.Contains(part, failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_single_flipped_bit_in_the_embedded_weights_is_noticed()
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, Path.GetFileName(GgufTokenizerTests.EmbeddedPath));
        using (var whole = File.OpenRead(GgufTokenizerTests.EmbeddedPath))
        using (var file = File.Create(path))
        {
            whole.CopyTo(file);
            file.Seek(70_000_000, SeekOrigin.Begin);
            var value = file.ReadByte();
            file.Seek(-1, SeekOrigin.Current);
            file.WriteByte((byte)(value ^ 0x10));
        }

        Assert.StartsWith("SmolLM2-135M-Instruct.Q4_1.gguf is damaged: its checksum", await LoadFailure(path), StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_path_with_nothing_there_is_named_with_its_setting()
    {
        Assert.StartsWith("NextGpt:Model:Path is /nowhere/model.gguf, and nothing is there", await LoadFailure("/nowhere/model.gguf"), StringComparison.Ordinal);
    }

    private static int[] Ids(GoldenFixture golden, string name) => [.. golden.Integers(name).Select(id => (int)id)];

    /// <summary>Relative L2 distance of two logit vectors, each less its mean.</summary>
    private static double RelativeDistance(float[] got, float[] want)
    {
        var (meanGot, meanWant) = (got.Average(), want.Average());
        var apart = got.Zip(want, (a, b) => Math.Pow(a - meanGot - (b - meanWant), 2)).Sum();
        return Math.Sqrt(apart / want.Sum(value => Math.Pow(value - meanWant, 2)));
    }

    private static double LogProbability(float[] logits, int token)
    {
        var most = logits.Max();
        return logits[token] - most - Math.Log(logits.Sum(logit => Math.Exp(logit - most)));
    }

    private static async Task<string> LoadFailure(string path)
    {
        await using var services = new ServiceCollection()
            .AddNextGptModel(new ModelOptions { Device = "cpu", Path = path }).BuildServiceProvider();
        var refusal = await Assert.ThrowsAsync<GenerationRefusedException>(
            () => services.GetRequiredService<ModelThread>().LoadAsync());
        Assert.Equal(GenerationRefusal.ModelUnavailable, refusal.Refusal);
        if (File.Exists(path) && path.EndsWith(".gguf", StringComparison.Ordinal))
        {
            File.Delete(path);
        }

        return refusal.Message;
    }

    private async Task<List<GenerationEvent>> Ask(GenerationRequest request)
    {
        var events = new List<GenerationEvent>();
        await foreach (var generationEvent in embedded.Thread.GenerateAsync(request))
        {
            events.Add(generationEvent);
        }

        return events;
    }

    private static GenerationRequest Request(string text) => new() { Messages = [PromptMessage.Of(PromptRole.User, text)] };

    private static string TextOf(IEnumerable<GenerationEvent> events) =>
        string.Concat(events.OfType<TextGenerated>().Select(text => text.Text));
}
