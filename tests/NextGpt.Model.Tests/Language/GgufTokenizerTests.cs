using NextGpt.Model.Language;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Language;

public sealed class GgufTokenizerTests
{
    private static readonly Lazy<ITokenizer> Embedded = new(() =>
    {
        using var file = new GgufFile(EmbeddedPath);
        return GgufTokenizer.Read(file.Metadata);
    });

    public static TheoryData<string> Cases => ["capital", "list", "two_turns", "plain"];

    internal static string EmbeddedPath => Path.Combine(AppContext.BaseDirectory, "Embedded", "SmolLM2-135M-Instruct.Q4_1.gguf");

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_embedded_models_prompts_and_continuations_have_the_ids_of_the_reference(string name)
    {
        using var golden = GoldenFixture.Open("smollm2_q4_1");
        var facts = golden.Facts.GetProperty("cases").GetProperty(name);

        var prompt = Embedded.Value.Encode(facts.GetProperty("prompt").GetString() ?? "", SpecialTokens.Parse);
        var continuation = golden.Integers($"{name}.continuation_ids").Select(id => (int)id).ToList();

        Assert.Equal(golden.Integers($"{name}.prompt_ids"), prompt.Select(id => (long)id));
        Assert.Equal(
            facts.GetProperty("continuation").GetString(),
            Embedded.Value.Decode(continuation) + (continuation.Contains(2) ? "<|im_end|>" : ""));
    }

    [Fact]
    public void The_chat_template_writes_the_references_prompts_without_a_system_text()
    {
        using var golden = GoldenFixture.Open("smollm2_q4_1");
        var builder = new PromptBuilder(Embedded.Value, new ChatMlTemplate());

        var capital = builder.Build([PromptMessage.Of(PromptRole.User, "What is the capital of France?")], openReply: true);
        var twoTurns = builder.Build(
            [
                PromptMessage.Of(PromptRole.User, "My name is Ana and I like hiking."),
                PromptMessage.Of(
                    PromptRole.Assistant, "Nice to meet you, Ana! Hiking is a great way to enjoy nature."),
                PromptMessage.Of(PromptRole.User, "What is my name, and what do I like?"),
            ],
            openReply: true);

        Assert.Equal(golden.Integers("capital.prompt_ids"), capital.Tokens.Select(id => (long)id));
        Assert.Equal(golden.Integers("two_turns.prompt_ids"), twoTurns.Tokens.Select(id => (long)id));
    }

    [Fact]
    public void The_embedded_models_special_tokens_are_those_its_file_says()
    {
        Assert.Equal(49_152, Embedded.Value.VocabularySize);
        Assert.Null(Embedded.Value.BeginToken);
        Assert.Equal([0, 2], Embedded.Value.EndTokens.Order());
        Assert.Equal(2, Embedded.Value.PadToken);
        Assert.False(Embedded.Value.AddsPrefixSpace);
    }

    [Fact]
    public void Arbitrary_text_comes_back_through_the_embedded_vocabulary_and_holds_no_special_token()
    {
        var random = new RandomText(31);
        for (var i = 0; i < 500; i++)
        {
            var text = random.Next(80) + (i % 3 == 0 ? "<|im_start|>" : "");
            var ids = Embedded.Value.Encode(text, SpecialTokens.AsText);

            // Six control characters have no byte in this vocabulary; the reference leaves them out too.
            var written = string.Concat(text.Where(character => !"\u0004\u0006\u0013\u0014\u0016\u001D".Contains(character)));
            Assert.Equal(written, Embedded.Value.Decode(ids));
            Assert.DoesNotContain(ids, id => id < 17);
        }
    }

    [Fact]
    public void Sentence_pieces_from_metadata_give_the_ids_of_the_original_file()
    {
        var model = SentencePieceTokenizerFile.Read(
            Path.Combine(TokenizerGolden.Folder("tokenizer_spm_llama"), "tokenizer.model"));
        var tokenizer = GgufTokenizer.Read(Metadata(
            ("tokenizer.ggml.model", "llama"),
            ("tokenizer.ggml.tokens", model.Pieces.Select(piece => piece.Text).ToArray()),
            ("tokenizer.ggml.scores", model.Pieces.Select(piece => (double)piece.Score).ToArray()),
            ("tokenizer.ggml.token_type", model.Pieces.Select(piece => (long)piece.Kind).ToArray()),
            ("tokenizer.ggml.bos_token_id", 1L),
            ("tokenizer.ggml.eos_token_id", 2L)));

        Assert.Equal(1, tokenizer.BeginToken);
        Assert.Equal([2], tokenizer.EndTokens);
        foreach (var (text, golden) in TokenizerGolden.Cases(
            TokenizerGolden.Json("tokenizer_spm_llama", "config.json").GetProperty("cases")))
        {
            Assert.Equal(
                TokenizerGolden.Ids(golden.GetProperty("ids")), tokenizer.Encode(text, SpecialTokens.AsText));
        }
    }

    [Theory]
    [InlineData("tokenizer.ggml.pre", "tekken", "splits words the way of tekken")]
    [InlineData("tokenizer.ggml.model", "bert", "a tokenizer of the kind bert")]
    [InlineData("tokenizer.ggml.eos_token_id", 99L, "tokenizer.ggml.eos_token_id")]
    [InlineData("tokenizer.ggml.merges", "a", "tokenizer.ggml.merges")]
    public void What_is_not_known_or_damaged_is_refused_by_name(string key, object value, string part)
    {
        var metadata = Metadata(
            ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", new[] { "a", "b", "ab" }),
            ("tokenizer.ggml.merges", new[] { "a b" }), (key, value));

        var failure = Assert.Throws<InvalidDataException>(() => GgufTokenizer.Read(metadata));

        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.Contains("toy.gguf", failure.Message, StringComparison.Ordinal);
    }

    private static GgufMetadata Metadata(params (string Key, object Value)[] values)
    {
        var map = new Dictionary<string, object>();
        foreach (var (key, value) in values)
        {
            map[key] = value;
        }

        return new GgufMetadata("toy.gguf", map);
    }
}
