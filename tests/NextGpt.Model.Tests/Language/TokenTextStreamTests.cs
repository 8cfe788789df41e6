using System.Text;
using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class TokenTextStreamTests
{
    [Fact]
    public void Streamed_text_equals_decoded_text_and_never_ends_within_a_character()
    {
        var random = new RandomText(23);
        foreach (var tokenizer in new[] { TokenizerGolden.ByteBpe("smollm2"), TokenizerGolden.Llama() })
        {
            for (var i = 0; i < 200; i++)
            {
                var ids = tokenizer.Encode(random.Next(40), SpecialTokens.AsText);
                var stream = new TokenTextStream(tokenizer);
                var text = new StringBuilder();
                foreach (var id in ids)
                {
                    var piece = stream.Add(id);
                    Assert.False(piece.Length > 0 && char.IsHighSurrogate(piece[^1]));
                    Assert.DoesNotContain('\uFFFD', piece);
                    text.Append(piece);
                }

                Assert.Equal("", stream.End());
                Assert.Equal(tokenizer.Decode(ids), text.ToString());
            }
        }
    }

    [Fact]
    public void Random_tokens_stream_as_they_decode_with_invalid_bytes_replaced()
    {
        var tokenizer = TokenizerGolden.ByteBpe("smollm2");
        var random = new RandomText(29);
        for (var i = 0; i < 300; i++)
        {
            var ids = Enumerable.Range(0, random.Number(30)).Select(_ => random.Number(tokenizer.VocabularySize)).ToArray();
            var stream = new TokenTextStream(tokenizer);

            var text = string.Concat(ids.Select(stream.Add)) + stream.End();

            Assert.Equal(tokenizer.Decode(ids), text);
        }
    }
}
