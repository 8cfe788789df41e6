using Microsoft.Extensions.DependencyInjection;
using NextGpt.Model.Language;
using NextGpt.Model.Tests.Language;

namespace NextGpt.Model.Tests;

/// <summary>The model we ship, loaded once for all tests that need its answers.</summary>
public sealed class EmbeddedModelFixture : IAsyncLifetime
{
    private readonly ServiceProvider _services =
        new ServiceCollection().AddNextGptModel(new ModelOptions { Device = "cpu" }).BuildServiceProvider();

    public ModelThread Thread => _services.GetRequiredService<ModelThread>();

    public async ValueTask InitializeAsync() => await Thread.LoadAsync();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

public sealed class EmbeddedModelTests(EmbeddedModelFixture embedded) : IClassFixture<EmbeddedModelFixture>
{
    public static TheoryData<string> Cases => ["capital", "list", "two_turns", "plain"];

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
            ConversationKey = "TRN-8", MaxTokens = 24, Seed = 11, Sampling = new() { Temperature = 0.9, TopK = 40 },
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

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_float_path_has_the_logits_and_every_token_of_the_reference(string name)
    {
        using var golden = GoldenFixture.Open("smollm2_q4_1");
        var expected = golden.Floats($"{name}.logits_last");
        int[] prompt = [.. golden.Integers($"{name}.prompt_ids").Select(id => (int)id)];
        int[] continuation = [.. golden.Integers($"{name}.continuation_ids").Select(id => (int)id)];
        float[] logits = [];
        List<int> said = [];

        await embedded.Thread.ChangeAsync(model =>
        {
            logits = new float[model.Engine.VocabularySize];
            using var sequence = model.Engine.NewSequence();
            model.Engine.Prefill(sequence, prompt, logits);
            var first = (float[])logits.Clone();
            var sampler = new TokenSampler(
                SamplingSettings.Resolve(new() { Temperature = 0 }, new()), 0, prompt, model.Tokenizer.EndTokens);
            for (var step = 0; step < continuation.Length; step++)
            {
                said.Add(sampler.Next(logits));
                if (model.Tokenizer.EndTokens.Contains(said[^1]))
                {
                    break;
                }

                model.Engine.Decode(sequence, said[^1], logits);
            }

            logits = first;
            return model;
        });

        var worst = logits.Zip(expected, (got, want) => Math.Abs(got - want)).Max();
        Assert.InRange(worst, 0, 5e-4f);
        Assert.Equal(continuation, said);
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
