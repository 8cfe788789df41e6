using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class SentencePieceTokenizerTests
{
    private readonly ITokenizer _tokenizer = TokenizerGolden.Llama();

    [Fact]
    public void Ids_and_decoded_texts_are_those_of_the_reference()
    {
        var cases = TokenizerGolden.Cases(TokenizerGolden.Json("tokenizer_spm_llama", "config.json").GetProperty("cases"))
            .ToList();
        Assert.True(cases.Count >= 35);
        foreach (var (text, golden) in cases)
        {
            // The fixture's texts are plain: control pieces written in them are characters.
            var ids = _tokenizer.Encode(text, SpecialTokens.AsText);

            Assert.Equal(TokenizerGolden.Ids(golden.GetProperty("ids")), ids);
            Assert.Equal(golden.GetProperty("decoded").GetString(), _tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Arbitrary_text_comes_back_as_it_was()
    {
        var random = new RandomText(11);
        for (var i = 0; i < 300; i++)
        {
            var text = random.Next(60).Replace('▁', '_');

            Assert.Equal(text, _tokenizer.Decode(_tokenizer.Encode(text, SpecialTokens.AsText)));
        }
    }

    [Fact]
    public void Control_pieces_are_tokens_in_our_marks_and_characters_in_what_somebody_typed()
    {
        Assert.Equal([1], _tokenizer.Encode("<s>", SpecialTokens.Parse));
        Assert.DoesNotContain(_tokenizer.Encode("<s></s><unk>", SpecialTokens.AsText), id => id is 0 or 1 or 2);
    }

    [Fact]
    public void The_word_after_a_special_token_gets_a_space_in_legacy_mode_only()
    {
        var legacy = _tokenizer.Encode("</s>The", SpecialTokens.Parse);
        var modern = ((ITokenizer)TokenizerGolden.Llama(legacy: false)).Encode("</s>The", SpecialTokens.Parse);

        Assert.Equal([2, 304], legacy);   // ▁The
        Assert.NotEqual(legacy, modern);
        Assert.Equal(2, modern[0]);
    }

    [Fact]
    public void A_run_that_continues_a_text_gets_no_space_before_it()
    {
        var continued = _tokenizer.Encode([new TextRun(" The", SpecialTokens.AsText)], beginsText: false);

        Assert.Equal([304], continued);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(6_000)]
    public void A_cut_off_file_is_refused_with_a_sentence(int length)
    {
        var bytes = File.ReadAllBytes(Path.Combine(TokenizerGolden.Folder("tokenizer_spm_llama"), "tokenizer.model"));

        var failure = Assert.Throws<InvalidDataException>(
            () => SentencePieceTokenizerFile.Parse(bytes.AsSpan(0, length), "tokenizer.model"));

        Assert.StartsWith("tokenizer.model is not a usable SentencePiece model: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_flipped_bits_is_read_or_refused_and_never_crashes()
    {
        var bytes = File.ReadAllBytes(Path.Combine(TokenizerGolden.Folder("tokenizer_spm_llama"), "tokenizer.model"));
        var random = new Random(3);
        var refused = 0;
        for (var i = 0; i < 500; i++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                SentencePieceTokenizerFile.Parse(damaged, "tokenizer.model");
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 499);
    }
}
