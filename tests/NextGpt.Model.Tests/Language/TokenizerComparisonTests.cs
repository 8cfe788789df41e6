using System.Text.RegularExpressions;
using NextGpt.Model.Language;
using NextGpt.Model.Weights;
using Other = Microsoft.ML.Tokenizers;

namespace NextGpt.Model.Tests.Language;

/// <summary>A second opinion: Microsoft.ML.Tokenizers on the same vocabularies, where it applies.</summary>
public sealed partial class TokenizerComparisonTests
{
    [Fact]
    public void Sentence_pieces_are_those_of_another_implementation()
    {
        using var stream = File.OpenRead(Path.Combine(TokenizerGolden.Folder("tokenizer_spm_llama"), "tokenizer.model"));
        var other = Other.SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
        ITokenizer ours = TokenizerGolden.Llama();
        var random = new RandomText(41);
        for (var i = 0; i < 400; i++)
        {
            var text = random.Next(60).Replace("<", "", StringComparison.Ordinal);
            if (ThreeOfAKind().IsMatch(" " + text))
            {
                continue;   // of two equal merges that overlap the original takes the left one, the other library the right
            }

            Assert.Equal(other.EncodeToIds(text, false, false), ours.Encode(text, SpecialTokens.AsText));
        }
    }

    [Fact]
    public void Byte_pairs_are_those_of_another_implementation_in_the_basic_plane()
    {
        using var file = new GgufFile(GgufTokenizerTests.EmbeddedPath);
        var metadata = file.Metadata;
        var vocabulary = metadata.Texts("tokenizer.ggml.tokens")!.Select((token, id) => KeyValuePair.Create(token, id));
        var other = Other.BpeTokenizer.Create(new Other.BpeOptions(vocabulary)
        {
            Merges = metadata.Texts("tokenizer.ggml.merges"),
            ByteLevel = true,
            PreTokenizer = new Other.RegexPreTokenizer(
                new(@"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+"), null),
        });
        var ours = GgufTokenizer.Read(metadata);
        var random = new RandomText(43);
        for (var i = 0; i < 400; i++)
        {
            var text = string.Concat(random.Next(80).Where(character =>
                !char.IsSurrogate(character) && !"\u0004\u0006\u0013\u0014\u0016\u001D".Contains(character)));

            Assert.Equal(other.EncodeToIds(text), ours.Encode(text, SpecialTokens.AsText));
        }
    }

    [GeneratedRegex(@"(.)\1\1", RegexOptions.Singleline)]
    private static partial Regex ThreeOfAKind();
}
